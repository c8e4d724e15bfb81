-- +goose Up

-- As whom the owner of a key is known to the sales agent. NULL: not said.
ALTER TABLE api_keys ADD COLUMN role TEXT;
ALTER TABLE api_keys ADD COLUMN email TEXT;
ALTER TABLE api_keys ADD COLUMN principal_id TEXT;

-- When an agent refused what it was asked with, and the id of those credentials; empty: there were none.
-- With other credentials it has refused nothing, so that an older version of the gateway need not clear this.
ALTER TABLE sources ADD COLUMN refused_at TEXT;
ALTER TABLE sources ADD COLUMN refused_id TEXT;

-- Links into the admin UI that were not opened yet, found by the hash of their token alone. They go with
-- their source, also where an older version of the gateway deletes that.
CREATE TABLE launches (
    token_hash  BYTEA  NOT NULL PRIMARY KEY, -- SHA-256
    customer_id BIGINT NOT NULL,
    source      BIGINT NOT NULL,
    sealed      BYTEA  NOT NULL,
    expires_at  TEXT   NOT NULL,
    FOREIGN KEY (customer_id, source) REFERENCES sources (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX launches_source ON launches (customer_id, source);
CREATE INDEX launches_expires_at ON launches (expires_at);
