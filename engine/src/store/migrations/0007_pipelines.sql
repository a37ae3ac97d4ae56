-- Pipelines that were made over the API; those of the configuration file are in that file alone.

CREATE TABLE pipelines (
    name       TEXT PRIMARY KEY,
    -- Checked, as JSON.
    definition TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    made_at    INTEGER NOT NULL
) WITHOUT ROWID;
