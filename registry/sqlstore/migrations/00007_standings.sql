-- +goose Up

-- How each connection's source stood when it was last judged, and the states that it was in. Both go
-- with their connection, also where an older version of the gateway deletes that.
CREATE TABLE standings (
    customer_id BIGINT NOT NULL,
    connection  BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    issue       TEXT,
    since       TEXT   NOT NULL,
    version     BIGINT NOT NULL, -- of the connection that it was judged by
    document_at TEXT, -- the time of the document that it was judged by; NULL: none
    received_at TEXT   NOT NULL,
    facts       TEXT,
    PRIMARY KEY (customer_id, connection),
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id) ON DELETE CASCADE
);
CREATE TABLE state_changes (
    customer_id BIGINT NOT NULL,
    connection  BIGINT NOT NULL,
    at          TEXT   NOT NULL,
    ended_at    TEXT, -- NULL: it is the last one
    state       TEXT   NOT NULL,
    issue       TEXT,
    PRIMARY KEY (customer_id, connection, at),
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX state_changes_ended_at ON state_changes (ended_at) WHERE ended_at IS NOT NULL;

-- The write was an operator's, who acted for the customer.
ALTER TABLE audit ADD COLUMN operator BOOLEAN NOT NULL DEFAULT FALSE;
-- The last write to a source that succeeded is found at once, however many failed since.
CREATE INDEX audit_succeeded ON audit (customer_id, source_id, id) WHERE outcome = 'succeeded';
