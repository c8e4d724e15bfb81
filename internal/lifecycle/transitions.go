package lifecycle

import (
	"cmp"
	"time"

	"esagate/internal/word"
	"esagate/registry"
	"esagate/upstream/wire"
)

// transition is a step in a connection's life: what the record becomes, or why it can't.
// It is pure: it takes a record and gives another, which shares with it only what never
// changes. Its caller checks whose operation is under way.
//
//	pending ──provisioning──▶ provisioning ──made──▶ active ──off──▶ deactivated
//	              ▲               │ failed             ▲               │
//	              └─── failed ◀───┘                    └──────on───────┘
//	                     └────────────made (found late)────▶ active
type transition func(c registry.Connection) (registry.Connection, error)

// tenant is what is known of a tenant that becomes a connection's.
type tenant struct {
	id, orgID      string
	mcpURL, a2aURL string // empty: not known
	off            bool   // deactivated
}

// free refuses while an operation is under way, or was left unsettled.
func free(c *registry.Connection, at time.Time) error {
	switch op := c.Operation; {
	case op == nil:
		return nil
	case at.Before(op.Until):
		return errBusy(op, at)
	}
	return errMoved // the caller settles it first
}

// beginProvisioning begins to make the tenant.
func beginProvisioning(at time.Time, orgID string, view registry.AdServer, email string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if err := free(&c, at); err != nil {
			return c, err
		}
		if c.TenantID != "" || !c.UnsettledSince.IsZero() {
			return c, errMoved
		}
		c.Provisioning, c.ExternalOrgID, c.AdServer = registry.StatusProvisioning, orgID, &view
		if email != "" {
			c.ServiceAccountEmail = email
		}
		c.LastError, c.LastErrorCode = "", ""
		return c, nil
	}
}

// made gives the connection its tenant, with the config that was sent with it. If it has
// that tenant already, its addresses are added if they are missing.
func made(t tenant, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		switch c.TenantID {
		case t.id:
			c.MCPURL, c.A2AURL = cmp.Or(c.MCPURL, t.mcpURL), cmp.Or(c.A2AURL, t.a2aURL)
			c.Epoch++
			return c, nil
		case "":
		default:
			return c, errOtherTenant
		}
		c.TenantID, c.ExternalOrgID, c.MCPURL, c.A2AURL = t.id, t.orgID, t.mcpURL, t.a2aURL
		c.Provisioning = registry.StatusActive
		if t.off {
			c.Provisioning, c.DeactivatedAt = registry.StatusDeactivated, at
		}
		c.ProvisionedAt, c.AdServerSavedAt, c.UnsettledSince = at, at, time.Time{}
		c.LastError, c.LastErrorCode = "", ""
		c.Epoch++
		return c, nil
	}
}

// adopted is made for a tenant that existed before: it has a config of its own, which is
// not known.
func adopted(t tenant, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.TenantID == "" {
			c.AdServer = nil
		}
		c, err := made(t, at)(c)
		if c.AdServer == nil {
			c.AdServerSavedAt = time.Time{}
		}
		return c, err
	}
}

// failed ends a provisioning that made nothing; if unsettled is not zero, the outcome of
// the one that began then is not known.
func failed(code, text string, unsettled time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.TenantID != "" {
			return c, nil
		}
		c.Provisioning, c.UnsettledSince = registry.StatusFailed, unsettled
		c.LastError, c.LastErrorCode = text, code
		return c, nil
	}
}

// restored takes back what the beginning of an operation changed.
func restored(was registry.Connection) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.TenantID != was.TenantID {
			return c, nil
		}
		if c.Provisioning == registry.StatusProvisioning {
			c.Provisioning = was.Provisioning
			c.ExternalOrgID, c.AdServer, c.ServiceAccountEmail = was.ExternalOrgID, was.AdServer, was.ServiceAccountEmail
			c.LastError, c.LastErrorCode = was.LastError, was.LastErrorCode
		}
		return c, nil
	}
}

// beginConfiguring begins to replace a tenant's config by one of a type. It takes over an
// operation that only restores settings: they stay stored.
func beginConfiguring(at time.Time, kind string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.TenantID == "" {
			return c, errMoved
		}
		if !isRestore(c.Operation) {
			if err := free(&c, at); err != nil {
				return c, err
			}
		}
		if c.AdServer != nil && c.AdServer.Type != kind {
			return c, errType
		}
		return c, nil
	}
}

// configured ends a change of config that was made.
func configured(view registry.AdServer, email string, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.AdServer, c.AdServerSavedAt = &view, at
		if email != "" {
			c.ServiceAccountEmail = email
		}
		c.LastError, c.LastErrorCode = "", ""
		c.Epoch++
		return c, nil
	}
}

// mayBeConfigured records that a change of config may have been made by then: earlier
// tests may have been of another config.
func mayBeConfigured(by time.Time) transition {
	return then(withError(codeInternal, textConfigLost), func(c registry.Connection) (registry.Connection, error) {
		c.AdServerSavedAt = by
		return c, nil
	})
}

// withError ends a change that was not made, or may have been, and says so in lastError.
func withError(code, text string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.LastError, c.LastErrorCode = text, code
		c.Epoch++
		return c, nil
	}
}

// unchanged ends an operation that changed nothing.
func unchanged(c registry.Connection) (registry.Connection, error) { return c, nil }

// newEpoch makes the snapshots of the tenant old.
func newEpoch(c registry.Connection) (registry.Connection, error) {
	c.Epoch++
	return c, nil
}

// beginSwitching begins to switch the tenant off or on again; errAlready if it is so. It
// takes over an operation that only restores settings if takeOver says so; errMoved else.
func beginSwitching(at time.Time, to registry.ProvisioningStatus, takeOver bool) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		restore := isRestore(c.Operation)
		if !restore {
			if err := free(&c, at); err != nil {
				return c, err
			}
		}
		switch {
		case c.TenantID == "":
			return c, errNoTenant
		case c.Provisioning == to:
			return c, errAlready
		case restore && !takeOver:
			return c, errMoved
		}
		return c, nil
	}
}

// switched records that the tenant is off or on.
func switched(to registry.ProvisioningStatus, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.Epoch++
		if c.TenantID == "" || c.Provisioning == to {
			return c, nil
		}
		c.Provisioning, c.DeactivatedAt = to, time.Time{}
		if to == registry.StatusDeactivated {
			c.DeactivatedAt = at
		} else {
			c.LastError, c.LastErrorCode = "", ""
		}
		return c, nil
	}
}

// checked records what upstream said of a connection's tenant; was is the connection before
// upstream was asked. Whether the tenant is active is not taken over while an operation is under
// way, nor if the connection has changed since: the answer may be older than that.
func checked(was registry.Connection, found *wire.Tenant, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if found.TenantID != was.TenantID || c.TenantID != was.TenantID {
			return c, nil
		}
		if id := found.ExternalOrgID.Value; word.OrgID.Is(id) {
			c.ExternalOrgID = id
		}
		to := registry.StatusDeactivated
		if found.IsActive.Value {
			to = registry.StatusActive
		}
		if !found.IsActive.Set || c.Operation != nil || !c.UpdatedAt.Equal(was.UpdatedAt) || c.Provisioning == to {
			return c, nil
		}
		return switched(to, at)(c)
	}
}

// then applies one transition after another.
func then(first, second transition) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c, err := first(c)
		if err != nil {
			return c, err
		}
		return second(c)
	}
}

// withOrgID records the id under which upstream may know the tenant.
func withOrgID(orgID string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.ExternalOrgID = orgID
		return c, nil
	}
}

// deciding makes a registry's decision of a transition that needs no operation.
func deciding(became transition) func(*registry.Source) (*registry.Connection, error) {
	return func(current *registry.Source) (*registry.Connection, error) {
		c, err := became(*current.Connection)
		return &c, err
	}
}
