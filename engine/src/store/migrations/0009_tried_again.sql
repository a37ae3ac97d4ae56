-- Attempts after the first, by when they began: what is tried again and again is seen by these few.

CREATE INDEX attempts_again ON attempts (started_at) WHERE number > 1;
