package registry_test

import (
	"context"

	"esagate/registry"
)

func (f *faulty) WebhookTarget(ctx context.Context, tenantID string) (*registry.WebhookTarget, error) {
	return ask(ctx, f, "target", func() (*registry.WebhookTarget, error) { return f.Store.WebhookTarget(ctx, tenantID) })
}

func (c faultyCustomer) Subscription(ctx context.Context, esaID int64) (*registry.Subscription, error) {
	return ask(ctx, c.f, "subscription", func() (*registry.Subscription, error) { return c.CustomerStore.Subscription(ctx, esaID) })
}

func (c faultyCustomer) ChangeSubscription(ctx context.Context, esaID int64, decide func(*registry.Subscription) (*registry.Subscription, error)) (*registry.Subscription, error) {
	return ask(ctx, c.f, "change", func() (*registry.Subscription, error) { return c.CustomerStore.ChangeSubscription(ctx, esaID, decide) })
}

func (c faultyCustomer) RecordEvent(ctx context.Context, esaID int64, e registry.Event) (duplicate bool, m *registry.Source, err error) {
	err = c.f.do(ctx, "change", func() (err error) {
		duplicate, m, err = c.CustomerStore.RecordEvent(ctx, esaID, e)
		return err
	})
	return duplicate, m, err
}

func (c faultyCustomer) DeliveryCounts(ctx context.Context, esaID int64) (registry.DeliveryCounts, error) {
	return ask(ctx, c.f, "counts", func() (registry.DeliveryCounts, error) { return c.CustomerStore.DeliveryCounts(ctx, esaID) })
}

func (c faultyCustomer) BeginAudit(ctx context.Context, e registry.AuditEntry) (string, error) {
	return ask(ctx, c.f, "change", func() (string, error) { return c.CustomerStore.BeginAudit(ctx, e) })
}

func (c faultyCustomer) FinishAudit(ctx context.Context, id string, r registry.AuditResult) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.FinishAudit(ctx, id, r) })
}

func (c faultyCustomer) Audit(ctx context.Context, q registry.AuditQuery) (page []registry.AuditEntry, more bool, err error) {
	err = c.f.do(ctx, "audit", func() (err error) {
		page, more, err = c.CustomerStore.Audit(ctx, q)
		return err
	})
	return page, more, err
}
