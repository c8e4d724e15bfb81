package lifecycle

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// externalOrgID gives what a new tenant is known by upstream.
func (l *Lifecycle) externalOrgID(m *registry.Source) string {
	return strings.NewReplacer(
		"{customer_id}", strconv.FormatInt(m.Connection.CustomerID, 10),
		"{esa_id}", strconv.FormatInt(m.Connection.ID, 10),
		"{source_id}", m.SourceID,
	).Replace(l.cfg.ExternalOrgID)
}

// orgIDOf gives what a tenant of this connection was, or would be, known by.
func (l *Lifecycle) orgIDOf(m *registry.Source) string {
	if id := m.Connection.ExternalOrgID; id != "" {
		return id
	}
	return l.externalOrgID(m)
}

// maxOrgID is how long an external_org_id may be, in characters: upstream's bound.
const maxOrgID = 255

// orgIDFits refuses one that upstream would refuse. Only a source_id can be so long.
func orgIDFits(orgID string) error {
	if utf8.RuneCountInString(orgID) <= maxOrgID {
		return nil
	}
	return fault.Invalid(fault.Issue{Path: "sourceId",
		Message: "The sourceId is too long to be set up at the sales agent: connect the ad server under a shorter one."})
}

// A template tells customers apart if the number of one, or of a connection, can be read
// out of what it gives: from its beginning up to the first that is no digit, or from its
// end back to the last.
var (
	numberFirst = regexp.MustCompile(`^[^{]*\{(customer_id|esa_id)\}([^{]*$|[^{]*[^0-9{][^{]*\{)`)
	numberLast  = regexp.MustCompile(`(^[^{]*|\}[^{}]*[^0-9{}][^{}]*)\{(customer_id|esa_id)\}[^{]*$`)
)

func tellsApart(template string) bool {
	return numberFirst.MatchString(template) || numberLast.MatchString(template)
}

// mayBeTaken reports whether a tenant that was looked for by an external_org_id can be no
// other customer's: by the template, if that is what the id is from, or because it came
// to be after a provisioning was begun that was sent with it. A began of zero: it was
// there before.
func (l *Lifecycle) mayBeTaken(found *wire.Tenant, templated bool, began time.Time) bool {
	if templated && tellsApart(l.cfg.ExternalOrgID) {
		return true
	}
	// Some builds give whole seconds. A time that is not known is before all others.
	return !began.IsZero() && !found.CreatedAt.Time.Before(began.Truncate(time.Second))
}

// skew is how far apart the clocks of two replicas, and upstream's, may be.
const skew = time.Minute

// stoodBefore reports whether a tenant was there before a provisioning that began then:
// it has a config of its own.
func stoodBefore(found *wire.Tenant, began time.Time) bool {
	made := found.CreatedAt.Time
	return !made.IsZero() && made.Before(began.Add(-skew))
}

// foundOut gives what a connection becomes by a tenant that was looked for after a
// provisioning that began then.
func foundOut(t *wire.Tenant, orgID string, began time.Time) transition {
	if stoodBefore(t, began) {
		return then(takenOver(tenantOf(t, orgID), now()), noted(codeInternal, textNotConfigured))
	}
	return made(tenantOf(t, orgID), now())
}

func tenantOf(t *wire.Tenant, orgID string) tenant {
	return tenant{id: t.TenantID, orgID: orgID, off: t.IsActive.Set && !t.IsActive.Value}
}
