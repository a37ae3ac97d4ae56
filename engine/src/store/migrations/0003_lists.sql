-- Lists by worker, by end and by duration, and the search.

-- Every list is a merge of ranges of one of these, one per connection and state. The columns after the
-- id are for filters that come on top, so that no row has to be read for them.
DROP INDEX jobs_by_queue;
DROP INDEX jobs_by_pipeline;
CREATE INDEX jobs_by_queue ON jobs (connection, queue, state, created_at, id);
CREATE INDEX jobs_by_pipeline ON jobs (connection, pipeline, state, created_at, id, queue, worker);
CREATE INDEX jobs_by_worker ON jobs (connection, worker, state, created_at, id, queue)
    WHERE worker IS NOT NULL;
CREATE INDEX jobs_by_finished
    ON jobs (connection, state, finished_at, id, created_at, queue, pipeline, worker)
    WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_duration
    ON jobs (connection, state, duration_ms, id, created_at, queue, pipeline, worker)
    WHERE duration_ms IS NOT NULL;

-- The rowid is the job's number. Texts are not kept here a second time.
CREATE VIRTUAL TABLE jobs_text USING fts5 (
    name, args, error, ids,
    content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61'
);
INSERT INTO jobs_text (rowid, name, args, error, ids)
    SELECT number, name, params, coalesce(error, ''),
        lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
            || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) || ' ' || coalesce(external_id, '')
    FROM jobs JOIN plans ON plans.job = jobs.id;
