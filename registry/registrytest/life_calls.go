package registrytest

import (
	"context"
	"time"

	"esagate/registry"
)

// connectionCalls are the calls about the life of one connection, of a kind that changes
// something where it may.
func connectionCalls(c registry.CustomerStore, esaID int64) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"ChangeConnection": func(ctx context.Context) error {
			_, err := c.ChangeConnection(ctx, esaID, changing(func(c *registry.Connection) { c.LastError = "written" }))
			return err
		},
		"ChangeAudited": func(ctx context.Context) error {
			_, err := c.ChangeAudited(ctx, esaID, registry.AuditEntry{Actor: "late"}, changing(func(c *registry.Connection) {
				c.Provisioning = registry.StatusDeactivated
			}))
			return err
		},
		"KeepSettings":   func(ctx context.Context) error { return c.KeepSettings(ctx, esaID, []byte("written")) },
		"ForgetSettings": func(ctx context.Context) error { return c.KeepSettings(ctx, esaID, nil) },
		"Settings":       func(ctx context.Context) error { _, err := c.Settings(ctx, esaID); return err },
	}
}

// lifeCalls are the other calls about connections' lives.
func lifeCalls(s registry.Store) map[string]func(context.Context) error {
	c := s.Customer(alice)
	return map[string]func(context.Context) error{
		"CreateManaged": func(ctx context.Context) error {
			_, err := c.CreateManaged(ctx, newManaged("failing managed"), once("failing managed", "x"))
			return err
		},
		"ClaimIdempotencyKey": func(ctx context.Context) error {
			_, err := c.ClaimIdempotencyKey(ctx, registry.IdempotencyRecord{Key: "failing begin"})
			return err
		},
		"ReleaseIdempotencyKey": func(ctx context.Context) error { return c.ReleaseIdempotencyKey(ctx, "open") },
		"Upkeep": func(ctx context.Context) error {
			_, err := s.Upkeep(ctx, registry.Upkeep{Kind: registry.UpkeepStale, Before: at(0)}, 0, 10)
			return err
		},
		"Changes": func(ctx context.Context) error {
			_, _, err := s.Changes(ctx, "", func(registry.Change) {})
			return err
		},
		"TenantAsked": func(ctx context.Context) error { return s.TenantAsked(ctx, alice, 1, "tenant") },
		"Lease":       func(ctx context.Context) error { _, err := s.Lease(ctx, "failing", "holder", time.Minute); return err },
		"Unlease":     func(ctx context.Context) error { return s.Unlease(ctx, "failing", "holder") },
	}
}
