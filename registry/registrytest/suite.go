// Package registrytest is the suite that every registry.Store must pass. It
// imports testing, so nothing that the gateway runs may import it.
package registrytest

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/registry"
)

// Key is the encryption key of the suite's Stores, as `store.encryption_key` has it.
const Key = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="

// Options are what a Store of the suite is opened with.
type Options struct {
	Now func() time.Time // nil: the real clock
}

// Opener gives a Store; the suite closes it.
type Opener func(t *testing.T, opts Options) registry.Store

// Run holds a Store to its interface. Each call of open gives a Store on an empty
// database of its own; they run at once.
func Run(t *testing.T, open Opener) { run(t, open, true) }

// RunShort is Run without what takes long: for one more way to open an engine that Run
// is run on.
func RunShort(t *testing.T, open Opener) { run(t, open, false) }

// long are the tests that take long and end alike however an engine is opened.
var long = map[string]bool{
	"list/order pages and totals":              true,
	"sync/model":                               true,
	"sync/any interleaving ends at the newest": true,
	"text/hostile strings are data":            true,
	"create/one slug many times":               true,
	"sources/bounded":                          true,
	"fail/closed store":                        true,
	"event/model":                              true,
	"audit/order and pages":                    true,
	"launch/bounded":                           true,
}

func run(t *testing.T, open Opener, whole bool) {
	tests := []struct {
		name string
		run  func(t *testing.T, s registry.Store)
	}{
		{"adopt/pending without a tenant", adoptPending},
		{"adopt/active with a tenant", adoptActive},
		{"adopt/twice changes nothing", adoptTwice},
		{"adopt/the config owns name labels and email", adoptFollows},
		{"adopt/an entry keeps what it has", adoptKeeps},
		{"adopt/a learned email is not the config's", adoptLearnedEmail},
		{"adopt/tenant taken", adoptTenantTaken},
		{"adopt/what can't be stored", adoptInvalid},
		{"ids/chosen ones move the sequence", idsChosen},
		{"ids/taken", idsTaken},
		{"customers/foreign rows are not found", customersIsolated},
		{"list/order pages and totals", listPages},
		{"sync/first signal", syncFirst},
		{"sync/model", syncModel},
		{"sync/any interleaving ends at the newest", syncInterleaved},
		{"text/hostile strings are data", textHostile},
		{"text/ids that no source can have", textImpossibleIDs},
		{"text/free text is made storable", textMadeStorable},
		{"concurrent/adoptions of one entry", concurrentSameEntry},
		{"concurrent/adoptions of one tenant", concurrentSameTenant},
		{"concurrent/adoptions of many entries", concurrentEntries},
		{"concurrent/changes of one connection", concurrentChanges},
		{"concurrent/decisions on one state", concurrentDecisions},
		{"create/ids grow and never repeat", createIDsGrow},
		{"create/taken", createTaken},
		{"create/slugs", createSlugs},
		{"create/one slug many times", createManySlugs},
		{"create/what can't be stored", createInvalid},
		{"create/agent ids", createAgentIDs},
		{"create/hostile strings are data", createHostile},
		{"update/concurrent", updateConcurrent},
		{"delete/managed stays deleted", deleteManaged},
		{"delete/an agent in the way of an entry", deleteAgentInTheWay},
		{"delete/what others change", deleteConcurrent},
		{"sources/order and pages", sourcesPages},
		{"sources/bounded", sourcesBounded},
		{"credentials/all kinds", credentialKinds},
		{"credentials/replaced once", credentialReplacedOnce},
		{"refused/listed", refusedListed},
		{"once/concurrent", onceConcurrent},
		{"keys/concurrent", keysConcurrent},
		{"concurrent/creates of one sourceId", concurrentSourceID},
		{"concurrent/creates of one slug", concurrentSlugs},
		{"concurrent/adoption and create", concurrentKinds},
		{"sync/start of a run", syncStart},
		{"managed/taken", managedTaken},
		{"managed/what can't be stored", managedInvalid},
		{"managed/one of many at once", managedOnce},
		{"connection/what can't be stored", connectionInvalid},
		{"connection/tenant taken", connectionTenantTaken},
		{"connection/an operation is left alone", operationAndTheRest},
		{"connection/e-mail", connectionEmail},
		{"connection/an operation of many", alone(operationClaimed)},
		{"connection/changes follow each other", alone(changesFollow)},
		{"settings/kept", settingsKept},
		{"upkeep/unsettled", upkeepUnsettled},
		{"upkeep/stale", upkeepStale},
		{"upkeep/tenants", upkeepTenants},
		{"upkeep/subscriptions", upkeepSubscriptions},
		{"lease/contested", alone(leaseContested)},
		{"launch/taken once", alone(launchTakenTogether)},
		{"subscription/kept", subscriptionKept},
		{"subscription/left as it is", subscriptionLeft},
		{"subscription/versions", subscriptionVersions},
		{"subscription/concurrent", subscriptionConcurrent},
		{"event/effects", eventEffects},
		{"event/announced", eventAnnounced},
		{"event/concurrent", eventConcurrent},
		{"audit/finished", auditFinished},
		{"snapshot/kept", snapshotKept},
		{"snapshot/of the tenant", snapshotOfTenant},
		{"snapshot/concurrent", snapshotConcurrent},
		{"standing/kept", standingKept},
		{"standing/states are bounded", statesBounded},
		{"standing/concurrent", standingConcurrent},
		{"changes/told", changesTold},
		{"changes/many", changesMany},
		{"changes/concurrent", changesConcurrent},
		{"customers/foreign deliveries are not found", customersIsolatedDeliveries},
		{"fail/cancelled context", failCancelled},
		{"fail/closed store", failClosed},
	}
	for _, test := range tests {
		if whole || !long[test.name] {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, opened(t, open, Options{}))
			})
		}
	}
	runTimed(t, open, whole)
}

// runTimed runs what looks at the Store's clock.
func runTimed(t *testing.T, open Opener, whole bool) {
	tests := []struct {
		name string
		run  func(t *testing.T, s registry.Store, c *clock)
	}{
		{"create/an agent", createAgent},
		{"update/fields", updateFields},
		{"update/nothing", updateNothing},
		{"update/times", updateTimes},
		{"update/name of a managed source", updateManagedName},
		{"update/refused", updateRefused},
		{"delete/agent", deleteAgent},
		{"customers/foreign sources are not found", customersIsolatedSources},
		{"credentials/change the version", credentialChangesVersion},
		{"credentials/replaced", credentialReplaced},
		{"credentials/lease", credentialLease},
		{"consent/taken", consentTaken},
		{"consent/taken once", consentTakenOnce},
		{"consent/expires", consentExpires},
		{"consent/replaced", consentReplaced},
		{"consent/ends", consentEnds},
		{"consent/another source of the sourceId", consentCrosses},
		{"consent/races", consentRaces},
		{"credentials/refused", credentialRefused},
		{"credentials/refused until others are there", credentialRefusedCleared},
		{"launch/taken", launchTaken},
		{"launch/expires", launchExpires},
		{"launch/what can't be kept", launchRefused},
		{"launch/another source of the sourceId", launchCrosses},
		{"launch/bounded", launchBounded},
		{"once/replayed", onceReplayed},
		{"once/reused", onceReused},
		{"once/pending", oncePending},
		{"once/expires", onceExpires},
		{"managed/made", managedMade},
		{"connection/fields", connectionFields},
		{"connection/what is not its own", connectionNotItsOwn},
		{"once/begun", onceBegun},
		{"once/patience", oncePatience},
		{"once/forgotten", onceForgotten},
		{"once/begun by many", onceBegunTogether},
		{"upkeep/tenants asked about", upkeepTenantsAsked},
		{"lease/held", leaseHeld},
		{"keys/made", keysMade},
		{"keys/revoked", keysRevoked},
		{"keys/touched", keysTouched},
		{"event/window", eventWindow},
		{"event/model", eventModel},
		{"audit/kept", auditKept},
		{"audit/of changes without a request", auditOfChanges},
		{"audit/order and pages", auditOrder},
		{"audit/concurrent", auditConcurrent},
		{"standing/states", stateChanges},
		{"standing/changed by", changedBy},
		{"audit/equal refusals are one entry", auditFolds},
		{"audit/equal refusals at once", auditFoldsTogether},
	}
	for _, test := range tests {
		if whole || !long[test.name] {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				c := newClock()
				test.run(t, opened(t, open, Options{Now: c.read}), c)
			})
		}
	}
}

// alone runs on one Store what can be run on several of one database.
func alone(run func(*testing.T, []registry.Store)) func(*testing.T, registry.Store) {
	return func(t *testing.T, s registry.Store) { run(t, []registry.Store{s}) }
}

// opened gives a Store that is closed when the test ends.
func opened(t *testing.T, open Opener, opts Options) registry.Store {
	t.Helper()
	s := open(t, opts)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// The customers of the suite.
const (
	alice int64 = 7001
	bob   int64 = 7002
)

// entry is a config entry with a tenant of its own.
func entry(customer int64, sourceID string) registry.ConfigSource {
	return registry.ConfigSource{
		CustomerID:          customer,
		SourceID:            sourceID,
		Name:                "Name of " + sourceID,
		TenantID:            "tenant-of-" + sourceID,
		AdServer:            &registry.AdServer{Type: "google_ad_manager", NetworkCode: "55501"},
		ServiceAccountEmail: "robot@example.net",
		Labels:              map[string]string{"region": "north", "tier": "1"},
	}
}

// adopt takes an entry over and holds the outcome to what is wanted.
func adopt(t testing.TB, s registry.Store, e registry.ConfigSource, want registry.AdoptionOutcome) *registry.Source {
	t.Helper()
	got, err := s.Adopt(t.Context(), e)
	if err != nil {
		t.Fatalf("adopt %q: %v", e.SourceID, err)
	}
	if got.Outcome != want {
		t.Fatalf("adopt %q: %s, want %s", e.SourceID, got.Outcome, want)
	}
	if got.Managed == nil {
		t.Fatalf("adopt %q: %s without a source", e.SourceID, got.Outcome)
	}
	return got.Managed
}

// read reads a source in all three ways, which must agree.
func read(t testing.TB, s registry.Store, customer int64, sourceID string) *registry.Source {
	t.Helper()
	c := s.Customer(customer)
	m, err := c.Source(t.Context(), sourceID)
	if err != nil {
		t.Fatalf("read %q: %v", sourceID, err)
	}
	byID, err := c.ManagedSourceByID(t.Context(), m.Connection.ID)
	if err != nil {
		t.Fatalf("read %d: %v", m.Connection.ID, err)
	}
	same(t, "by id", byID, m)
	return m
}

// same compares two records whole.
func same(t rapid.TB, what string, got, want *registry.Source) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v %+v\nwant %+v %+v", what, *got.Connection, *got, *want.Connection, *want)
	}
}

// at is a time of day in the suite's own year, to the microsecond.
func at(seconds int) time.Time {
	return time.Date(2031, 5, 17, 10, 0, 0, 250_000_000, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// count gives a pointer to an item count.
func count(n int64) *int64 { return &n }
