package status

import (
	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
)

// A status does not say that a tenant was switched off or on at the sales agent (contract
// 2.2). What follows are the signs of it that there are.

// refusesTenant reports whether a status was refused because of the tenant.
func refusesTenant(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict)
}

// surprises reports whether a status does not fit its connection: there is no config any
// more of an active one, or a sync has run since it was deactivated.
func surprises(c *registry.Connection, doc *api.Status) bool {
	if c.Provisioning != registry.StatusDeactivated {
		return c.AdServer != nil && !doc.Adapter.Connected
	}
	for i := range doc.Syncs {
		if doc.Syncs[i].Value.LastRunAt.Time.After(c.DeactivatedAt) {
			return true
		}
	}
	return false
}
