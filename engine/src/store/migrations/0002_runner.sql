-- What the runner needs for priorities, delays, retries, schedules, pausing and keys of requests.

ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- When a scheduled job, or the next attempt of a retrying one, is due.
ALTER TABLE jobs ADD COLUMN run_at INTEGER;
ALTER TABLE jobs ADD COLUMN retry_of BLOB;
CREATE INDEX jobs_by_retried ON jobs (retry_of, id) WHERE retry_of IS NOT NULL;

-- Due times of pipelines: written with the job that was made of them, so each makes one at most.
CREATE TABLE dues (
    pipeline TEXT NOT NULL,
    at       INTEGER NOT NULL,
    -- Null: skipped, as the run before went on.
    job      BLOB,
    PRIMARY KEY (pipeline, at)
) WITHOUT ROWID;

-- Due times up to here have been dealt with.
CREATE TABLE schedules (
    pipeline TEXT PRIMARY KEY,
    upto     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE paused (
    connection BLOB NOT NULL,
    queue      TEXT NOT NULL,
    by         TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (connection, queue)
) WITHOUT ROWID;

-- Requests with an Idempotency-Key: the same key answers with the same job for 24 hours.
CREATE TABLE request_keys (
    caller  TEXT NOT NULL,
    key     TEXT NOT NULL,
    -- Digest of what was asked for.
    request BLOB NOT NULL,
    job     BLOB NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX request_keys_by_age ON request_keys (at);

-- Jobs that were deleted and whose directory may still be there.
CREATE TABLE garbage (job BLOB PRIMARY KEY) WITHOUT ROWID;
