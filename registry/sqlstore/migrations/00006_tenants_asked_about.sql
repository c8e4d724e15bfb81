-- +goose Up

-- When the sales agent was last asked how a connection's tenant stands, so that a gateway that was
-- started does not ask it again at once. With another tenant the connection was not asked about.
CREATE TABLE asked_tenants (
    connection  BIGINT NOT NULL PRIMARY KEY,
    customer_id BIGINT NOT NULL,
    tenant_id   TEXT   NOT NULL,
    asked_at  TEXT   NOT NULL,
    FOREIGN KEY (customer_id, connection) REFERENCES connections (customer_id, id) ON DELETE CASCADE
);
