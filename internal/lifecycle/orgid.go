package lifecycle

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// externalOrgID gives the id under which upstream knows a new tenant of a connection.
func (c *core) externalOrgID(m *registry.Source) string {
	return strings.NewReplacer(
		"{customer_id}", strconv.FormatInt(m.Connection.CustomerID, 10),
		"{esa_id}", strconv.FormatInt(m.Connection.ID, 10),
		"{source_id}", m.SourceID,
	).Replace(c.cfg.ExternalOrgID)
}

// orgIDOf gives the id that was recorded for a connection's tenant, or else the new one.
func (c *core) orgIDOf(m *registry.Source) string {
	if id := m.Connection.ExternalOrgID; id != "" {
		return id
	}
	return c.externalOrgID(m)
}

// checkOrgID refuses an id that upstream can't take. Only a source_id can make one: the
// config's template is checked by the same rule.
func checkOrgID(orgID string) error {
	problem := wire.OrgIDProblem(orgID)
	if problem == "" {
		return nil
	}
	return fault.Invalid(fault.Issue{Path: "sourceId",
		Message: "The sales agent would know the source by an id made of its sourceId, which " + problem +
			": connect the ad server under another sourceId."})
}

// A template tells customers apart if the number of a customer, or of a connection, can be
// read out of an id: from its beginning up to the first character that is no digit, or
// from its end back to the last.
var (
	numberFirst = regexp.MustCompile(`^[^{]*\{(customer_id|esa_id)\}([^{]*$|[^{]*[^0-9{][^{]*\{)`)
	numberLast  = regexp.MustCompile(`(^[^{]*|\}[^{}]*[^0-9{}][^{}]*)\{(customer_id|esa_id)\}[^{]*$`)
)

func tellsCustomersApart(template string) bool {
	return numberFirst.MatchString(template) || numberLast.MatchString(template)
}

// mayAdopt reports whether a tenant that was found by an external_org_id can't be another
// customer's: because of the template, if the id is from it, or because the tenant was
// created after a provisioning with this id began. began is zero if it existed before.
func (c *core) mayAdopt(found *wire.Tenant, templated bool, began time.Time) bool {
	if templated && tellsCustomersApart(c.cfg.ExternalOrgID) {
		return true
	}
	// Some builds give whole seconds. A time that is not known is before all others.
	return !began.IsZero() && !found.CreatedAt.Time.Before(began.Truncate(time.Second))
}

// skew is how far apart the clocks of two replicas, and upstream's, may be.
const skew = time.Minute

// existedBefore reports whether a tenant existed before a provisioning began: it then has
// a config of its own.
func existedBefore(found *wire.Tenant, began time.Time) bool {
	created := found.CreatedAt.Time
	return !created.IsZero() && created.Before(began.Add(-skew))
}

// becomeFound gives what a connection becomes when the lookup after a provisioning finds a
// tenant.
func becomeFound(t *wire.Tenant, orgID string, began time.Time) transition {
	if existedBefore(t, began) {
		return then(adopted(tenantOf(t, orgID), now()), withError(codeInternal, textNotConfigured))
	}
	return made(tenantOf(t, orgID), now())
}

func tenantOf(t *wire.Tenant, orgID string) tenant {
	return tenant{id: t.TenantID, orgID: orgID, off: t.IsActive.Set && !t.IsActive.Value}
}
