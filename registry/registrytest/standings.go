package registrytest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// standingAt is how a source stands by a document of one second that was received two later.
func standingAt(m *registry.Source, state string, second int) registry.Standing {
	return registry.Standing{CustomerID: m.CustomerID, ESAID: m.Connection.ID, State: state, Since: at(second + 3), Version: m.Connection.Version,
		DocumentAt: at(second), ReceivedAt: at(second + 2), Facts: fmt.Appendf(nil, `{"second":%d,"text":"é"}`, second)}
}

// keepStandings keeps a batch.
func keepStandings(t testing.TB, s registry.Store, lapsed time.Time, batch ...registry.Standing) {
	t.Helper()
	if err := s.KeepStandings(t.Context(), batch, lapsed); err != nil {
		t.Fatal(err)
	}
}

// stands checks how all sources of alice and bob stand: the overview of each, and that of all.
func stands(t testing.TB, s registry.Store, what string, want ...registry.Standing) {
	t.Helper()
	slices.SortFunc(want, func(a, b registry.Standing) int { return int(a.ESAID - b.ESAID) })
	all, err := s.All().Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	split := []registry.SourceStanding{}
	for _, customer := range []int64{alice, bob} {
		page, err := s.Customer(customer).Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page {
			if row.CustomerID != customer {
				t.Fatalf("%s: customer %d is shown a source of %d", what, customer, row.CustomerID)
			}
		}
		split = append(split, page...)
	}
	slices.SortFunc(split, func(a, b registry.SourceStanding) int { return int(a.Connection.ID - b.Connection.ID) })
	if !reflect.DeepEqual(all, split) {
		t.Fatalf("%s: the overview of all is another than theirs:\n%+v\n%+v", what, all, split)
	}
	var got []registry.Standing
	for _, row := range all {
		same(t, "in the overview", row.Source, read(t, s, row.CustomerID, row.SourceID))
		row.Standing.ChangedBy, row.Standing.ByOperator, row.Standing.ChangedAt = "", false, time.Time{}
		got = append(got, row.Standing)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// unjudged is what an overview has of a source that was never judged.
func unjudged(m *registry.Source) registry.Standing {
	return registry.Standing{CustomerID: m.CustomerID, ESAID: m.Connection.ID}
}

func standingKept(t *testing.T, s registry.Store) {
	create(t, s, alice, newAgent("agent"))
	stands(t, s, "nothing")
	other, m := adopt(t, s, entry(alice, "other"), registry.AdoptionCreated), adopt(t, s, entry(alice, "m"), registry.AdoptionCreated)
	theirs := adopt(t, s, entry(bob, "theirs"), registry.AdoptionCreated)
	stands(t, s, "never judged", unjudged(other), unjudged(m), unjudged(theirs))

	is, foreign := standingAt(m, "blocked", 10), standingAt(theirs, "live", 20)
	is.Issue = "NO_PRODUCTS"
	foreign.Facts = nil
	keepStandings(t, s, time.Time{}, foreign, is)
	stands(t, s, "kept", unjudged(other), is, foreign)

	// A customer's standing is none of another's connection.
	wrong := standingAt(m, "down", 50)
	wrong.CustomerID = bob
	gone := standingAt(m, "down", 50)
	gone.ESAID += 100
	keepStandings(t, s, time.Time{}, wrong, gone)
	stands(t, s, "of no connection of the customer", unjudged(other), is, foreign)

	next := func(what string, lapsed time.Time, taken bool, f func(n *registry.Standing)) {
		t.Helper()
		n := is
		n.Since, n.Facts = n.Since.Add(time.Hour), []byte(what)
		f(&n)
		keepStandings(t, s, lapsed, n)
		if taken {
			if n.State == is.State {
				n.Since = is.Since
			}
			is = n
		}
		stands(t, s, what, unjudged(other), is, foreign)
	}
	next("the same document, another issue", time.Time{}, true, func(n *registry.Standing) { n.Issue = "" })
	next("a newer document", time.Time{}, true, func(n *registry.Standing) { n.DocumentAt = at(11) })
	next("an older document", is.ReceivedAt, false, func(n *registry.Standing) { n.DocumentAt, n.State = at(10), "live" })
	next("an older document, of one that has lapsed", is.ReceivedAt.Add(1000), true, func(n *registry.Standing) { n.DocumentAt, n.State = at(10), "live" })
	next("an older version", time.Time{}, false, func(n *registry.Standing) { n.Version--; n.DocumentAt = at(90) })
	next("a newer version, an older document", time.Time{}, true, func(n *registry.Standing) { n.Version++; n.DocumentAt = at(1) })
	next("no document, sooner", time.Time{}, false, func(n *registry.Standing) { n.DocumentAt, n.ReceivedAt = time.Time{}, at(11) })
	next("no document", time.Time{}, true, func(n *registry.Standing) { n.DocumentAt, n.State, n.Facts = time.Time{}, "pending", nil })
	next("a document from before", time.Time{}, false, func(n *registry.Standing) { n.DocumentAt, n.ReceivedAt = at(99), at(11) })
	next("a document again", time.Time{}, true, func(n *registry.Standing) { n.DocumentAt = at(2) })

	for name, bad := range map[string]func(n *registry.Standing){
		"no state":               func(n *registry.Standing) { n.State = "" },
		"no since":               func(n *registry.Standing) { n.Since = time.Time{} },
		"not received":           func(n *registry.Standing) { n.ReceivedAt = time.Time{} },
		"too long":               func(n *registry.Standing) { n.Facts = []byte(strings.Repeat("x", registry.MaxFacts+1)) },
		"facts that are no text": func(n *registry.Standing) { n.Facts = []byte("\x00") },
	} {
		worse := standingAt(m, "worse", 99)
		bad(&worse)
		if err := s.KeepStandings(t.Context(), []registry.Standing{standingAt(other, "bad", 99), worse}, time.Time{}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if err := s.KeepStandings(t.Context(), make([]registry.Standing, registry.MaxPage+1), time.Time{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("many: %v, want ErrInvalid", err)
	}
	keepStandings(t, s, time.Time{})
	stands(t, s, "after bad batches", unjudged(other), is, foreign)
	next("hostile and long", time.Time{}, true, func(n *registry.Standing) { n.Facts = []byte("'); " + strings.Repeat("x", registry.MaxFacts-4)) })
	is.Version++
	hostile := is
	hostile.State, hostile.Issue, hostile.Since = "a\x00", strings.Repeat("é", 300)+"\xff", is.Since.Add(time.Minute)
	keepStandings(t, s, time.Time{}, hostile)
	hostile.State, hostile.Issue = "a\ufffd", strings.Repeat("é", 255)
	stands(t, s, "words that can't be stored", unjudged(other), hostile, foreign)

	remove(t, s, alice, "m")
	stands(t, s, "deleted", unjudged(other), foreign)
	keepStandings(t, s, time.Time{}, is, standingAt(other, "live", 1))
	again := adopt(t, s, entry(bob, "m"), registry.AdoptionCreated)
	stands(t, s, "made again", standingAt(other, "live", 1), foreign, unjudged(again))
}

// wereIn checks the states of all sources of alice and bob at a time and since.
func wereIn(t testing.TB, s registry.Store, what string, since time.Time, want ...registry.StateChange) {
	t.Helper()
	for customer, list := range map[int64]func() ([]registry.StateChange, error){
		0:     func() ([]registry.StateChange, error) { return s.All().StateChanges(t.Context(), since) },
		alice: func() ([]registry.StateChange, error) { return s.Customer(alice).StateChanges(t.Context(), since) },
		bob:   func() ([]registry.StateChange, error) { return s.Customer(bob).StateChanges(t.Context(), since) },
	} {
		theirs := []registry.StateChange{}
		for _, h := range want {
			if customer == 0 || customer == h.CustomerID {
				theirs = append(theirs, h)
			}
		}
		got, err := list()
		if err != nil || customer == 0 && !sameStates(got, theirs) || customer != 0 && !slices.Equal(got, theirs) {
			t.Fatalf("%s, of %d:\n got %+v, %v\nwant %+v", what, customer, got, err, theirs)
		}
	}
}

// sameStates is slices.Equal, whatever the order of the connections.
func sameStates(a, b []registry.StateChange) bool {
	byConnection := func(all []registry.StateChange) []registry.StateChange {
		return slices.SortedStableFunc(slices.Values(all), func(a, b registry.StateChange) int { return int(a.ESAID - b.ESAID) })
	}
	return slices.Equal(byConnection(a), byConnection(b))
}

func stateChanges(t *testing.T, s registry.Store, c *clock) {
	m, theirs := adopt(t, s, entry(alice, "m"), registry.AdoptionCreated), adopt(t, s, entry(bob, "theirs"), registry.AdoptionCreated)
	other := adopt(t, s, entry(alice, "other"), registry.AdoptionCreated)
	enters := func(m *registry.Source, state string, second int) registry.StateChange {
		n := standingAt(m, state, second)
		n.Issue = fmt.Sprint("issue of ", second)
		keepStandings(t, s, time.Time{}, n)
		return registry.StateChange{CustomerID: m.CustomerID, ESAID: m.Connection.ID, State: state, Issue: n.Issue, At: n.Since}
	}
	first, foreign := enters(m, "pending", 0), enters(theirs, "live", 5)
	enters(m, "pending", 1)
	live := enters(m, "live", 10)
	enters(m, "live", 15)
	down, beside := enters(m, "down", 20), enters(other, "live", 7)
	all := []registry.StateChange{first, live, down, beside, foreign}
	wereIn(t, s, "all", time.Time{}, all...)
	wereIn(t, s, "up to the first end", live.At.Add(-time.Microsecond), all...)
	wereIn(t, s, "since the first end", live.At, all[1:]...)
	wereIn(t, s, "since the last", down.At.Add(time.Hour), all[2:]...)

	// A clock that was ahead: what follows counts, and what was recorded for later does not.
	ahead := enters(m, "unknown", 5000)
	wereIn(t, s, "ahead", down.At, down, ahead, beside, foreign)
	n := standingAt(m, "live", 5001)
	n.Since = at(60)
	keepStandings(t, s, time.Time{}, n)
	back := registry.StateChange{CustomerID: alice, ESAID: n.ESAID, State: "live", At: n.Since}
	wereIn(t, s, "back", down.At, down, back, beside, foreign)
	n.State = "blocked"
	n.Version++
	keepStandings(t, s, time.Time{}, n)
	back.State = "blocked"
	wereIn(t, s, "in one instant", down.At, down, back, beside, foreign)

	// Swept once it has ended for long enough, and never the last.
	c.pass(at(60).Add(registry.StatesKept - time.Microsecond).Sub(c.read()))
	sweep := func() {
		t.Helper()
		if more, err := s.Sweep(t.Context()); more || err != nil {
			t.Fatal(more, err)
		}
	}
	sweep()
	wereIn(t, s, "swept", time.Time{}, down, back, beside, foreign)
	c.pass(time.Microsecond)
	sweep()
	wereIn(t, s, "swept later", time.Time{}, back, beside, foreign)
	c.pass(10 * registry.StatesKept)
	sweep()
	wereIn(t, s, "swept long after", time.Time{}, back, beside, foreign)

	remove(t, s, alice, "m")
	wereIn(t, s, "deleted", time.Time{}, beside, foreign)
}

// statesBounded: of a source that enters state after state, the last ones are kept.
func statesBounded(t *testing.T, s registry.Store) {
	m, other := adopt(t, s, entry(alice, "m"), registry.AdoptionCreated), adopt(t, s, entry(alice, "other"), registry.AdoptionCreated)
	keepStandings(t, s, time.Time{}, standingAt(other, "live", 0))
	var batch []registry.Standing
	const many = registry.MaxStateChanges + 3
	for i := range many {
		batch = append(batch, standingAt(m, fmt.Sprint(i%2), i))
	}
	keepStandings(t, s, time.Time{}, batch[:registry.MaxPage]...)
	keepStandings(t, s, time.Time{}, batch[registry.MaxPage:]...)
	got, err := s.Customer(alice).StateChanges(t.Context(), time.Time{})
	if err != nil || len(got) != registry.MaxStateChanges+1 {
		t.Fatalf("%d states, %v", len(got), err)
	}
	for i, h := range got[:registry.MaxStateChanges] {
		if want := batch[i+3]; h.ESAID != want.ESAID || !h.At.Equal(want.Since) || h.State != want.State {
			t.Fatalf("%d: %+v, want %+v", i, h, want)
		}
	}
}

// standingConcurrent keeps what was seen of sources that are being deleted.
func standingConcurrent(t *testing.T, s registry.Store) {
	for round := range 4 {
		var all []*registry.Source
		var batch []registry.Standing
		var snapshots []registry.Snapshot
		for i := range 8 {
			m := adopt(t, s, entry(alice, fmt.Sprintf("source-%d-%d", round, i)), registry.AdoptionCreated)
			all, batch, snapshots = append(all, m), append(batch, standingAt(m, "live", 1)), append(snapshots, snapshotAt(m, 1))
		}
		slices.Reverse(batch)
		succeedTogether(t, 8, func(i int) error {
			switch i % 4 {
			case 0, 2:
				return s.KeepStandings(t.Context(), batch, time.Time{})
			case 1:
				return s.KeepSnapshots(t.Context(), snapshots, time.Time{})
			}
			_, err := s.Customer(alice).DeleteSource(t.Context(), all[i].SourceID, allowed)
			return err
		})
		var want []registry.Standing
		for i, m := range all {
			if i%4 != 3 {
				want = append(want, standingAt(m, "live", 1))
			}
		}
		stands(t, s, "at the end", want...)
		for i, m := range all {
			if i%4 != 3 {
				remove(t, s, alice, m.SourceID)
			}
		}
		wereIn(t, s, "at the end", time.Time{})
	}
}

// changedBy: an overview has the last write to each source that succeeded.
func changedBy(t *testing.T, s registry.Store, c *clock) {
	is := func(what, sourceID string, want registry.Standing) {
		t.Helper()
		page, err := s.Customer(alice).Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page {
			if row.SourceID == sourceID {
				want.CustomerID, want.ESAID = row.CustomerID, row.Connection.ID
				if !reflect.DeepEqual(row.Standing, want) {
					t.Fatalf("%s: %+v, want %+v", what, row.Standing, want)
				}
				return
			}
		}
		t.Fatalf("%s: no %q", what, sourceID)
	}
	does := func(customer int64, e registry.AuditEntry, outcome registry.AuditOutcome, learned registry.AuditResult) time.Time {
		t.Helper()
		now := c.pass(time.Second)
		id := audited(t, s, customer, e)
		c.pass(time.Second)
		if outcome != registry.AuditBegun {
			learned.Outcome, learned.Status = outcome, 200
			if err := s.Customer(customer).FinishAudit(t.Context(), id, learned); err != nil {
				t.Fatal(err)
			}
		}
		return now
	}
	// It begins before the source is there.
	began := c.pass(time.Second)
	id := audited(t, s, alice, registry.AuditEntry{Actor: "maker", Operation: "create"})
	c.pass(time.Second)
	m := makeManaged(t, s, alice, newManaged("m"))
	is("begun", "m", registry.Standing{})
	if err := s.Customer(alice).FinishAudit(t.Context(), id, registry.AuditResult{SourceID: "m", ESAID: m.Connection.ID, Outcome: registry.AuditSucceeded}); err != nil {
		t.Fatal(err)
	}
	is("made", "m", registry.Standing{ChangedBy: "maker", ChangedAt: began})

	write := registry.AuditEntry{Actor: "robot", Operation: "rename", SourceID: "m"}
	now := does(alice, write, registry.AuditSucceeded, registry.AuditResult{ESAID: m.Connection.ID})
	last := registry.Standing{ChangedBy: "robot", ChangedAt: now}
	is("written", "m", last)
	write.Actor = "another"
	for _, outcome := range []registry.AuditOutcome{registry.AuditBegun, registry.AuditRefused, registry.AuditFailed} {
		does(alice, write, outcome, registry.AuditResult{ESAID: m.Connection.ID})
		is(string(outcome), "m", last)
	}
	does(bob, write, registry.AuditSucceeded, registry.AuditResult{ESAID: m.Connection.ID})
	is("another customer's", "m", last)
	n := standingAt(m, "live", 1)
	keepStandings(t, s, time.Time{}, n)
	last.State, last.Since, last.Version, last.DocumentAt, last.ReceivedAt, last.Facts = n.State, n.Since, n.Version, n.DocumentAt, n.ReceivedAt, n.Facts
	is("judged", "m", last)

	write.Operator = true
	last.ChangedAt = does(alice, write, registry.AuditSucceeded, registry.AuditResult{})
	last.ChangedBy, last.ByOperator = "another", true
	is("by an operator, without an esaId", "m", last)
	last.ChangedBy, last.ByOperator, last.ChangedAt = registry.ActorSalesAgent, false, c.pass(time.Second)
	if _, err := s.Customer(alice).ChangeAudited(t.Context(), m.Connection.ID, registry.AuditEntry{Actor: registry.ActorSalesAgent},
		changing(func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated })); err != nil {
		t.Fatal(err)
	}
	is("by the sales agent", "m", last)

	// Another source of the sourceId has been changed by nobody.
	does(alice, registry.AuditEntry{Actor: "remover", Operation: "delete", SourceID: "m"}, registry.AuditSucceeded, registry.AuditResult{})
	remove(t, s, alice, "m")
	does(alice, registry.AuditEntry{Actor: "remover", Operation: "delete", SourceID: "m"}, registry.AuditSucceeded, registry.AuditResult{ESAID: m.Connection.ID})
	c.pass(time.Second)
	makeManaged(t, s, alice, newManaged("m"))
	does(alice, registry.AuditEntry{Actor: "late", Operation: "delete", SourceID: "m"}, registry.AuditSucceeded, registry.AuditResult{ESAID: m.Connection.ID})
	is("made again", "m", registry.Standing{})
}
