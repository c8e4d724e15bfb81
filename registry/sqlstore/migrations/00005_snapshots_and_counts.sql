-- +goose Up

-- The last good status of each connection's tenant, encoded. It goes with its connection, also where
-- an older version of the gateway deletes that.
CREATE TABLE snapshots (
    connection  BIGINT NOT NULL PRIMARY KEY,
    customer_id BIGINT NOT NULL,
    tenant_id   TEXT   NOT NULL,
    epoch       BIGINT NOT NULL, -- of the connection, when the document was asked for
    document_at TEXT   NOT NULL, -- the document's own time
    received_at TEXT   NOT NULL,
    document    TEXT   NOT NULL,
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id) ON DELETE CASCADE
);

-- Refused writes of one caller that are alike are one entry. NULL: the entry is of one write.
ALTER TABLE audit ADD COLUMN times BIGINT;
ALTER TABLE audit ADD COLUMN last_at TEXT;
ALTER TABLE audit ADD COLUMN fold TEXT; -- a hash of what they have in common
CREATE UNIQUE INDEX audit_fold ON audit (customer_id, fold) WHERE fold IS NOT NULL;
