-- A list by end or by duration that is short enough is read whole by creation and put in order, so these
-- indexes have what it is ordered by.

DROP INDEX jobs_by_state;
DROP INDEX jobs_by_queue;
DROP INDEX jobs_by_pipeline;
DROP INDEX jobs_by_worker;
CREATE INDEX jobs_by_state ON jobs (connection, state, created_at, id, finished_at, duration_ms);
CREATE INDEX jobs_by_queue ON jobs (connection, queue, state, created_at, id, finished_at, duration_ms);
CREATE INDEX jobs_by_pipeline
    ON jobs (connection, pipeline, state, created_at, id, queue, worker, finished_at, duration_ms);
CREATE INDEX jobs_by_worker
    ON jobs (connection, worker, state, created_at, id, queue, finished_at, duration_ms)
    WHERE worker IS NOT NULL;
