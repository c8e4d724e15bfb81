package gateway_test

import (
	"context"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

// slowStore is a Store that takes its time for some operations.
type slowStore struct {
	registry.Store
	takes time.Duration
}

func (s slowStore) Customer(id int64) registry.CustomerStore {
	return slowCustomer{s.Store.Customer(id), s.takes}
}

type slowCustomer struct {
	registry.CustomerStore
	takes time.Duration
}

func (s slowCustomer) ObserveInventorySync(ctx context.Context, esaID int64, signal registry.InventorySync) (*registry.Source, error) {
	background.Sleep(ctx, s.takes)
	return s.CustomerStore.ObserveInventorySync(ctx, esaID, signal)
}

func (s slowCustomer) DeliveryCounts(ctx context.Context, esaID int64) (registry.DeliveryCounts, error) {
	background.Sleep(ctx, s.takes)
	return s.CustomerStore.DeliveryCounts(ctx, esaID)
}
