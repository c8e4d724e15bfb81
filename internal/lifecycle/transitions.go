package lifecycle

import (
	"time"

	"esagate/registry"
)

// transition is a step in a connection's life: what the record becomes, or why it does
// not. It is pure, and takes a record and gives another that shares nothing with it
// but what never changes. Whose operation is under way is its caller's business.
//
//	pending ──provisioning──▶ provisioning ──made──▶ active ──off──▶ deactivated
//	              ▲               │ failed             ▲               │
//	              └─── failed ◀───┘                    └──────on───────┘
//	                     └────────────made (found late)────▶ active
type transition func(c registry.Connection) (registry.Connection, error)

// tenant is what is known of a tenant that is to be a connection's.
type tenant struct {
	id, orgID      string
	mcpURL, a2aURL string // empty: not known
	off            bool   // it is not active
}

// free allows nothing while an operation is under way, or left over unsettled.
func free(c *registry.Connection, at time.Time) error {
	switch op := c.Operation; {
	case op == nil:
		return nil
	case at.Before(op.Until):
		return busy(op, at)
	}
	return errMoved // it is settled first
}

// provisioning begins to make the tenant.
func provisioning(at time.Time, orgID string, view registry.AdServer, email string) transition {
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

// made gives the connection its tenant, with the config that was sent with it. If it
// has got that tenant already, what is not known of it yet is added.
func made(t tenant, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		switch c.TenantID {
		case t.id:
			add(&c.MCPURL, t.mcpURL)
			add(&c.A2AURL, t.a2aURL)
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

func add(s *string, found string) {
	if *s == "" {
		*s = found
	}
}

// takenOver is made for a tenant that stood before: it has a config of its own, which
// is not known.
func takenOver(t tenant, at time.Time) transition {
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

// failed ends a provisioning that made nothing, or whose outcome is not known if
// unsettled is not zero.
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

// restored takes back what provisioning, or the begin of another operation, changed.
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

// cleared takes note that nothing came of the provisioning that began then.
func cleared(since time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if !c.UnsettledSince.Equal(since) {
			return c, nil
		}
		c.UnsettledSince = time.Time{}
		if c.Provisioning == registry.StatusFailed {
			c.LastError, c.LastErrorCode = textNothing, codeInternal
		}
		return c, nil
	}
}

// foundLate is what a connection becomes by a tenant that was looked for because of the
// provisioning that began then; errMoved if that is settled by now, or another operation
// has begun.
func foundLate(became transition, since time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.Operation != nil || c.TenantID != "" || !c.UnsettledSince.Equal(since) {
			return c, errMoved
		}
		return became(c)
	}
}

// configuring begins to replace a tenant's config by one of a type. It takes over what
// is left of an earlier change when nothing but settings is owed: they are kept.
func configuring(at time.Time, kind string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.TenantID == "" {
			return c, errMoved
		}
		if !isLeftover(c.Operation) {
			if err := free(&c, at); err != nil {
				return c, err
			}
		}
		if c.AdServer != nil && c.AdServer.Type != kind {
			return c, errType()
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

// mayBeConfigured notes that a change of config may have been made, by that time: the
// tests of before are not known to be of the config that there is.
func mayBeConfigured(by time.Time) transition {
	return then(noted(codeInternal, textConfigLost), func(c registry.Connection) (registry.Connection, error) {
		c.AdServerSavedAt = by
		return c, nil
	})
}

// noted ends a change that was not made, or may have been, and says so.
func noted(code, text string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.LastError, c.LastErrorCode = text, code
		c.Epoch++
		return c, nil
	}
}

// unchanged ends an operation that changed nothing.
func unchanged(c registry.Connection) (registry.Connection, error) { return c, nil }

// touched makes snapshots of the tenant old.
func touched(c registry.Connection) (registry.Connection, error) {
	c.Epoch++
	return c, nil
}

// switching begins to switch the tenant off or on again; errAlready if it is. Settings
// that a change of config owes don't stand against it if it takes their operation over.
func switching(at time.Time, to registry.ProvisioningStatus, takes bool) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		left := isLeftover(c.Operation)
		if !left {
			if err := free(&c, at); err != nil {
				return c, err
			}
		}
		switch {
		case c.TenantID == "":
			return c, errNoTenant()
		case c.Provisioning == to:
			return c, errAlready
		case left && !takes:
			return c, errMoved
		}
		return c, nil
	}
}

// switched ends it.
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

// then makes one transition of two.
func then(first, second transition) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c, err := first(c)
		if err != nil {
			return c, err
		}
		return second(c)
	}
}
