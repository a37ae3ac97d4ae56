-- Connections of which no events are told: by whom they were switched off, and when.

CREATE TABLE events_off (
    connection BLOB PRIMARY KEY,
    by         TEXT NOT NULL,
    at         INTEGER NOT NULL
) WITHOUT ROWID;
