-- Ids are the 16 bytes of a UUID, times milliseconds since 1970, states and phases the words of the wire.

-- One row: what this board is.
CREATE TABLE board (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    epoch      INTEGER NOT NULL,
    install_id BLOB NOT NULL,
    -- Event numbers up to this one may have been given out.
    reserved   INTEGER NOT NULL,
    -- The data directory it was last opened in; null in a backup.
    device     INTEGER,
    inode      INTEGER,
    born       INTEGER
);

-- Connections that ever had an event. floor: number of the last event that was trimmed.
CREATE TABLE connections (
    id    BLOB PRIMARY KEY,
    floor INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (
    seq        INTEGER PRIMARY KEY,
    connection BLOB NOT NULL,
    topic      INTEGER NOT NULL,
    frame      BLOB NOT NULL
);
CREATE INDEX events_of_connection ON events (connection, seq);

CREATE TABLE jobs (
    -- Grows with creation.
    number       INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    connection   BLOB NOT NULL,
    external_id  TEXT,
    name         TEXT NOT NULL,
    pipeline     TEXT,
    queue        TEXT NOT NULL,
    worker       TEXT,
    state        TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    progress     REAL,
    step         TEXT,
    steps_done   INTEGER NOT NULL,
    steps_total  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    duration_ms  INTEGER,
    error        TEXT,
    exit_code    INTEGER,
    signal       INTEGER,
    revision     INTEGER NOT NULL,
    cancel_by    TEXT,
    cancel_at    INTEGER,
    cancel_why   TEXT,
    -- Why the active attempt has not begun to run yet.
    delay        TEXT
);
-- Every list is a merge of ranges of one of these, one per connection and state.
CREATE INDEX jobs_by_state ON jobs (connection, state, created_at, id);
CREATE INDEX jobs_by_queue ON jobs (connection, queue, state, created_at, id);
CREATE INDEX jobs_by_pipeline ON jobs (connection, pipeline, state, created_at, id, queue);

-- What a job was queued with. Apart, so that lists do not read past it.
CREATE TABLE plans (
    job        BLOB PRIMARY KEY,
    params     TEXT NOT NULL,
    definition TEXT,
    created_by TEXT NOT NULL
);

CREATE TABLE attempts (
    job              BLOB NOT NULL,
    number           INTEGER NOT NULL,
    state            TEXT NOT NULL,
    boot_id          TEXT NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    duration_ms      INTEGER,
    error            TEXT,
    journal_position INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
) WITHOUT ROWID;

CREATE TABLE steps (
    job            BLOB NOT NULL,
    attempt        INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    name           TEXT NOT NULL,
    phase          TEXT NOT NULL,
    state          TEXT NOT NULL,
    started_at     INTEGER,
    finished_at    INTEGER,
    duration_ms    INTEGER,
    exit_code      INTEGER,
    signal         INTEGER,
    error          TEXT,
    log_line       INTEGER,
    log_offset     INTEGER,
    log_line_end   INTEGER,
    log_offset_end INTEGER,
    PRIMARY KEY (job, attempt, ordinal)
) WITHOUT ROWID;

CREATE TABLE story (
    job         BLOB NOT NULL,
    n           INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    step_id     BLOB,
    step        TEXT,
    state       TEXT,
    duration_ms INTEGER,
    exit_code   INTEGER,
    signal      INTEGER,
    detail      TEXT,
    log_offset  INTEGER,
    log_line    INTEGER,
    PRIMARY KEY (job, n)
) WITHOUT ROWID;
