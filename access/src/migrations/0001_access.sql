-- Times are milliseconds since 1970. Hashes only: no secret is in here.
CREATE TABLE users (
    id         BLOB PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    -- argon2id, in the PHC string format; null: no signing in by password.
    password   TEXT,
    role       TEXT NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id         BLOB PRIMARY KEY,
    -- SHA-256 of the cookie.
    digest     BLOB NOT NULL UNIQUE,
    user       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user, used_at);

CREATE TABLE keys (
    id         BLOB PRIMARY KEY,
    -- SHA-256 of the token.
    digest     BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL COLLATE NOCASE,
    role       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    used_at    INTEGER,
    until      INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_at IS NULL;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    caller  TEXT,
    via     TEXT,
    address TEXT NOT NULL,
    action  TEXT NOT NULL,
    target  TEXT NOT NULL,
    status  INTEGER NOT NULL,
    detail  TEXT
) STRICT;
CREATE INDEX audit_by_caller ON audit (caller, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_refused ON audit (id) WHERE status IN (401, 403, 421, 429);
