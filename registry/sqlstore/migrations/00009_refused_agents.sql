-- +goose Up

-- Overviews list the sources whose agents refuse their credentials, which are few.
CREATE INDEX sources_refused ON sources (customer_id, id) WHERE refused_at IS NOT NULL;
