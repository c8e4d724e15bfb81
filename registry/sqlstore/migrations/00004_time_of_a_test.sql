-- +goose Up

-- The time of the last test as its answer gave it, by the sales agent's clock and with its digits;
-- last_tested_at is by ours. NULL for tests that were recorded before.
ALTER TABLE connections ADD COLUMN last_test_time TEXT;
