-- How many jobs there are of each connection, queue and state, kept with every change: /metrics asks often.

CREATE TABLE jobs_counted (
    connection BLOB NOT NULL,
    queue      TEXT NOT NULL,
    state      TEXT NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (connection, queue, state)
) WITHOUT ROWID;
INSERT INTO jobs_counted SELECT connection, queue, state, count(*) FROM jobs GROUP BY 1, 2, 3;
CREATE TRIGGER jobs_come AFTER INSERT ON jobs BEGIN
    INSERT INTO jobs_counted VALUES (new.connection, new.queue, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER jobs_move AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    UPDATE jobs_counted SET count = count - 1
        WHERE connection = old.connection AND queue = old.queue AND state = old.state;
    INSERT INTO jobs_counted VALUES (new.connection, new.queue, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER jobs_leave AFTER DELETE ON jobs BEGIN
    UPDATE jobs_counted SET count = count - 1
        WHERE connection = old.connection AND queue = old.queue AND state = old.state;
END;
