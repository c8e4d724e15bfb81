package status

import (
	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
)

// A status does not say whether the tenant is active (contract 2.2). These are signs that it
// was switched off or on at the sales agent.

// refusesTenant reports whether a status was refused because of the tenant.
func refusesTenant(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict)
}

// contradicts reports whether a status does not fit its connection: an active one has no
// config any more, or a sync has run since it was deactivated.
func contradicts(c *registry.Connection, doc *api.Status) bool {
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
