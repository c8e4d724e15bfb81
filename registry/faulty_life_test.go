package registry_test

import (
	"context"

	"esagate/registry"
)

func (c faultyCustomer) CreateManaged(ctx context.Context, s registry.NewManaged, once *registry.IdempotencyRecord) (registry.Creation, error) {
	return ask(ctx, c.f, "change", func() (registry.Creation, error) { return c.CustomerStore.CreateManaged(ctx, s, once) })
}

func (c faultyCustomer) ClaimIdempotencyKey(ctx context.Context, once registry.IdempotencyRecord) (registry.Creation, error) {
	return ask(ctx, c.f, "change", func() (registry.Creation, error) { return c.CustomerStore.ClaimIdempotencyKey(ctx, once) })
}

func (c faultyCustomer) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.ReleaseIdempotencyKey(ctx, key) })
}

func (c faultyCustomer) ChangeConnection(ctx context.Context, esaID int64, decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.ChangeConnection(ctx, esaID, decide) })
}

func (c faultyCustomer) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.KeepSettings(ctx, esaID, settings) })
}

func (c faultyCustomer) Settings(ctx context.Context, esaID int64) ([]byte, error) {
	return ask(ctx, c.f, "settings", func() ([]byte, error) { return c.CustomerStore.Settings(ctx, esaID) })
}
