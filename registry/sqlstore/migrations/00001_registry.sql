-- +goose Up

-- Runs as it stands on SQLite and on PostgreSQL. Instants are TEXT, RFC 3339 in
-- UTC with six fraction digits: one width, so that text order is time order.
-- NULL is "none" wherever a column may be NULL.

-- The last id given of each kind. Ids come from here, in the transaction that
-- uses them, and never go back.
CREATE TABLE sequences (
    name       TEXT   NOT NULL PRIMARY KEY,
    last_value BIGINT NOT NULL
);
INSERT INTO sequences (name, last_value) VALUES ('source', 0), ('esa', 999);

-- Every esaId ever given. Rows stay when a connection goes, so that an id that an
-- operator chooses can't be one that was somebody else's.
CREATE TABLE esa_ids (
    id BIGINT NOT NULL PRIMARY KEY
);

-- Config entries once taken over: what the API deletes later stays deleted.
CREATE TABLE adopted (
    customer_id BIGINT NOT NULL,
    source_id   TEXT   NOT NULL,
    adopted_at  TEXT   NOT NULL,
    PRIMARY KEY (customer_id, source_id)
);

CREATE TABLE sources (
    id             BIGINT  NOT NULL PRIMARY KEY,
    customer_id    BIGINT  NOT NULL,
    source_id      TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    name_from_api  BOOLEAN NOT NULL, -- the config owns the name until the API changes it
    execution_type TEXT    NOT NULL,
    labels         TEXT    NOT NULL, -- a JSON object of strings
    created_at     TEXT    NOT NULL,
    updated_at     TEXT    NOT NULL,
    UNIQUE (customer_id, source_id),
    UNIQUE (customer_id, id)
);

CREATE TABLE connections (
    id                    BIGINT  NOT NULL PRIMARY KEY REFERENCES esa_ids (id),
    customer_id           BIGINT  NOT NULL,
    source                BIGINT  NOT NULL UNIQUE,
    provisioning_status   TEXT    NOT NULL,
    tenant_id             TEXT    UNIQUE,
    external_org_id       TEXT,
    mcp_url               TEXT,
    a2a_url               TEXT,
    ad_server             TEXT, -- JSON of the non-secret view
    ad_server_saved_at    TEXT,
    service_account_email TEXT,
    email_learned         BOOLEAN NOT NULL, -- from upstream, not from the config
    last_error            TEXT,
    last_error_code       TEXT,
    last_tested_at        TEXT,
    last_test_passed      BOOLEAN NOT NULL,
    provisioned_at        TEXT,
    deactivated_at        TEXT,
    created_at            TEXT    NOT NULL,
    updated_at            TEXT    NOT NULL,
    sync_status           TEXT, -- NULL: no signal yet, and then all sync columns are
    sync_last_run_at      TEXT,
    sync_completed_at     TEXT,
    sync_item_count       BIGINT,
    sync_error            TEXT,
    sync_updated_at       TEXT,
    sync_observed_at      TEXT,
    version               BIGINT  NOT NULL,
    UNIQUE (customer_id, id),
    -- Both columns, so that a connection can't point at another customer's source.
    FOREIGN KEY (customer_id, source) REFERENCES sources (customer_id, id)
);
