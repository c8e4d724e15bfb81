-- +goose Up

-- A change of a connection's tenant that is under way, and what a crash leaves of it.
ALTER TABLE connections ADD COLUMN operation_kind TEXT; -- NULL: none, and then all four are
ALTER TABLE connections ADD COLUMN operation_id TEXT;
ALTER TABLE connections ADD COLUMN operation_begun_at TEXT;
ALTER TABLE connections ADD COLUMN operation_until TEXT;
ALTER TABLE connections ADD COLUMN unsettled_since TEXT; -- a provisioning of unknown outcome began
ALTER TABLE connections ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0; -- grows when snapshots become old
CREATE INDEX connections_unsettled ON connections (id) WHERE operation_kind IS NOT NULL OR unsettled_since IS NOT NULL;

-- Ad-server settings that were read and are to be put back.
CREATE TABLE kept_settings (
    connection  BIGINT NOT NULL PRIMARY KEY,
    customer_id BIGINT NOT NULL,
    sealed      BYTEA  NOT NULL,
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id)
);

-- The subscription to a tenant's news.
CREATE TABLE subscriptions (
    connection    BIGINT  NOT NULL PRIMARY KEY,
    customer_id   BIGINT  NOT NULL,
    webhook_id    TEXT, -- NULL: none that we know of
    sealed        BYTEA   NOT NULL, -- the secret
    url           TEXT    NOT NULL,
    dead          BOOLEAN NOT NULL,
    subscribed_at TEXT,
    announced_at  TEXT,
    retry_at      TEXT,
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id)
);

-- Deliveries of the last seven days, each once.
CREATE TABLE webhook_events (
    customer_id BIGINT  NOT NULL,
    connection  BIGINT  NOT NULL,
    event_id    TEXT    NOT NULL,
    received_at TEXT    NOT NULL,
    delivered   BOOLEAN NOT NULL, -- false: it was signed well and could not be processed
    PRIMARY KEY (customer_id, connection, event_id),
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id)
);
CREATE INDEX webhook_events_news ON webhook_events (customer_id, connection, delivered, received_at);
CREATE INDEX webhook_events_received_at ON webhook_events (received_at);

-- The record of all writes. It outlives what it tells of: no foreign key.
CREATE TABLE audit (
    customer_id BIGINT NOT NULL,
    id          TEXT   NOT NULL, -- text order is order in time
    at          TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    operation   TEXT   NOT NULL,
    source_id   TEXT,
    esa_id      BIGINT,
    request_id  TEXT,
    outcome     TEXT   NOT NULL,
    status      BIGINT,
    code        TEXT,
    PRIMARY KEY (customer_id, id)
);
CREATE INDEX audit_source ON audit (customer_id, source_id, id);
CREATE INDEX audit_at ON audit (at);

-- Who does what only one replica should.
CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until  TEXT NOT NULL
);

-- A request whose answer will never come; source is NULL for one that makes none.
ALTER TABLE idempotency ADD COLUMN abandoned BOOLEAN NOT NULL DEFAULT FALSE;
