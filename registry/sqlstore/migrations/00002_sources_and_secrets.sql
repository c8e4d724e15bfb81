-- +goose Up

-- Columns of AGENT sources; all NULL for managed ones.
ALTER TABLE sources ADD COLUMN status TEXT;
ALTER TABLE sources ADD COLUMN agent_id TEXT;
ALTER TABLE sources ADD COLUMN agent_type TEXT;
ALTER TABLE sources ADD COLUMN endpoint_url TEXT;
ALTER TABLE sources ADD COLUMN protocol TEXT;
ALTER TABLE sources ADD COLUMN description TEXT;
ALTER TABLE sources ADD COLUMN authentication_type TEXT;
ALTER TABLE sources ADD COLUMN oauth_audience TEXT;
ALTER TABLE sources ADD COLUMN auth_version BIGINT;
CREATE UNIQUE INDEX sources_agent_id ON sources (agent_id);

-- `bulk` counts nothing: its row is what transactions lock that go through many
-- rows of a table, so that two of them can't wait for each other.
INSERT INTO sequences (name, last_value) VALUES ('api_key', 0), ('api_key_generation', 0), ('bulk', 0);

-- Columns named `sealed`, and idempotency.fingerprint, are encrypted, and bound to
-- their row: its table, customer, source and id. Nothing secret stands elsewhere.

-- What agents are asked with. New ones are a new row with a new id; erasing deletes it.
CREATE TABLE credentials (
    id            TEXT   NOT NULL PRIMARY KEY, -- random, so it tells nothing
    customer_id   BIGINT NOT NULL,
    source        BIGINT NOT NULL,
    sealed        BYTEA  NOT NULL,
    refresh_until TEXT, -- somebody refreshes them, until this instant at most
    created_at    TEXT   NOT NULL,
    UNIQUE (customer_id, source),
    FOREIGN KEY (customer_id, source) REFERENCES sources (customer_id, id)
);

-- Authorizations that have been begun, found by the hash of their state alone.
CREATE TABLE consents (
    state_hash   BYTEA  NOT NULL PRIMARY KEY, -- SHA-256
    customer_id  BIGINT NOT NULL,
    source       BIGINT NOT NULL,
    sealed       BYTEA  NOT NULL,
    expires_at   TEXT   NOT NULL,
    UNIQUE (customer_id, source),
    FOREIGN KEY (customer_id, source) REFERENCES sources (customer_id, id)
);
CREATE INDEX consents_expires_at ON consents (expires_at);

-- Idempotency keys of creates. A row outlives its source, so that the create is not
-- done a second time: no foreign key.
CREATE TABLE idempotency (
    customer_id BIGINT NOT NULL,
    name        TEXT   NOT NULL, -- the caller's key
    fingerprint BYTEA  NOT NULL, -- SHA-256 of what was asked for; sealed, because credentials may be part of it
    source      BIGINT, -- what was made; NULL only within the transaction that makes it
    sealed      BYTEA,  -- the answer; NULL: still to come
    begun_at    TEXT   NOT NULL,
    PRIMARY KEY (customer_id, name)
);
CREATE INDEX idempotency_begun_at ON idempotency (begun_at);

-- API keys made at run time: their hash alone.
CREATE TABLE api_keys (
    id           BIGINT  NOT NULL PRIMARY KEY,
    customer_id  BIGINT  NOT NULL,
    name         TEXT    NOT NULL,
    may_write    BOOLEAN NOT NULL,
    sha256       BYTEA   NOT NULL UNIQUE,
    created_at   TEXT    NOT NULL,
    revoked_at   TEXT,
    last_used_at TEXT -- to the hour
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (customer_id, name) WHERE revoked_at IS NULL;

-- A known text, sealed with the key that the database is written with.
CREATE TABLE vault_check (
    name   TEXT  NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);
