-- How many jobs are over and how large their logs are, kept with every change so that retention needs no count.

ALTER TABLE jobs ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
CREATE TABLE over (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    jobs      INTEGER NOT NULL,
    log_bytes INTEGER NOT NULL
);
INSERT INTO over SELECT 1, count(*), coalesce(sum(log_bytes), 0) FROM jobs WHERE finished_at IS NOT NULL;
CREATE TRIGGER jobs_end AFTER UPDATE OF finished_at ON jobs
    WHEN old.finished_at IS NULL AND new.finished_at IS NOT NULL
    BEGIN UPDATE over SET jobs = jobs + 1, log_bytes = log_bytes + new.log_bytes; END;
CREATE TRIGGER jobs_go AFTER DELETE ON jobs WHEN old.finished_at IS NOT NULL
    BEGIN UPDATE over SET jobs = jobs - 1, log_bytes = log_bytes - old.log_bytes; END;
