package registrytest

import (
	"testing"
	"time"

	"esagate/registry"
)

// refused begins and ends a write that is refused.
func refused(t testing.TB, s registry.Store, e registry.AuditEntry, r registry.AuditResult) string {
	t.Helper()
	id := audited(t, s, alice, e)
	r.Outcome = registry.AuditRefused
	if err := s.Customer(alice).FinishAudit(t.Context(), id, r); err != nil {
		t.Fatal(err)
	}
	return id
}

// auditFolds: refused writes that are alike are one entry for each clock hour, and no others are.
func auditFolds(t *testing.T, s registry.Store, c *clock) {
	e := registry.AuditEntry{Actor: "a", Operation: "connect", SourceID: "radio", ESAID: 7, RequestID: "first"}
	r := registry.AuditResult{Status: 409, Code: "CONFLICT"}
	hour := c.read().Truncate(time.Hour).Add(time.Hour)
	c.pass(hour.Sub(c.read()))
	first := refused(t, s, e, r)
	var last time.Time
	for range 4 {
		last = c.pass(time.Minute)
		again := e
		again.RequestID = "later"
		refused(t, s, again, r)
	}
	entries := func() []registry.AuditEntry {
		t.Helper()
		return auditPages(t, s, alice, registry.AuditQuery{Take: 20}, func() {})
	}
	want := e
	want.ID, want.At, want.LastAt, want.Count = first, hour, last, 5
	want.Outcome, want.Status, want.Code = registry.AuditRefused, 409, "CONFLICT"
	if got := entries(); len(got) != 1 || got[0] != want {
		t.Fatalf("%+v, want %+v", got, want)
	}

	// Whatever differs in one of these is an entry of its own; so is one whose source was learned late.
	for n, differ := range []func(e *registry.AuditEntry, r *registry.AuditResult){
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.Actor = "b" },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.Operator = true },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.Operation = "delete" },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.SourceID = "" },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.SourceID = "video" },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.ESAID = 8 },
		func(_ *registry.AuditEntry, r *registry.AuditResult) { r.Status = 400 },
		func(_ *registry.AuditEntry, r *registry.AuditResult) { r.Code = "" },
		func(e *registry.AuditEntry, _ *registry.AuditResult) { e.Actor, e.Operation = "a\" \"", "connect" },
	} {
		e, r := e, r
		differ(&e, &r)
		refused(t, s, e, r)
		refused(t, s, e, r)
		if got := entries(); len(got) != 2+n || got[0].Count != 2 || got[0].Operator != (n == 1) {
			t.Fatalf("%d: %+v", n, got)
		}
	}
	learned := r
	learned.SourceID, learned.ESAID = "radio", 7
	refused(t, s, registry.AuditEntry{Actor: "a", Operation: "connect"}, learned)
	if got := entries(); len(got) != 10 || got[9].Count != 6 {
		t.Fatalf("learned late: %d entries, %+v", len(got), got[len(got)-1])
	}

	// What succeeds or fails is never part of another entry, nor is what another customer does.
	for _, outcome := range []registry.AuditOutcome{registry.AuditSucceeded, registry.AuditFailed} {
		for range 2 {
			if err := s.Customer(alice).FinishAudit(t.Context(), audited(t, s, alice, e), registry.AuditResult{Outcome: outcome, Status: 409, Code: "CONFLICT"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	theirs := audited(t, s, bob, e)
	if err := s.Customer(bob).FinishAudit(t.Context(), theirs, registry.AuditResult{Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT"}); err != nil {
		t.Fatal(err)
	}
	c.pass(hour.Add(time.Hour - time.Microsecond).Sub(c.read()))
	refused(t, s, e, r)
	if got := entries(); len(got) != 14 || got[13].Count != 7 || got[13].LastAt != c.read() {
		t.Fatalf("%d entries, %+v", len(got), got[len(got)-1])
	}
	c.pass(time.Microsecond)
	refused(t, s, e, r)
	if got := entries(); len(got) != 15 || got[0].Count != 1 || got[14].Count != 7 {
		t.Fatalf("an hour later: %d entries, %+v", len(got), got[0])
	}

	// An entry that is ended otherwise later takes in no others.
	if err := s.Customer(alice).FinishAudit(t.Context(), entries()[0].ID, registry.AuditResult{Outcome: registry.AuditFailed, Status: 500}); err != nil {
		t.Fatal(err)
	}
	refused(t, s, e, r)
	if got := entries(); len(got) != 16 || got[0].Outcome != registry.AuditRefused || got[1].Outcome != registry.AuditFailed {
		t.Fatalf("ended otherwise: %+v", got[:2])
	}
}

// auditFoldsTogether: of refusals at once none is lost.
func auditFoldsTogether(t *testing.T, s registry.Store, _ *clock) {
	const n = 24
	succeedTogether(t, n, func(i int) error {
		c := s.Customer(alice)
		id, err := c.BeginAudit(t.Context(), registry.AuditEntry{Actor: "a", Operation: "connect", SourceID: string(rune('a' + i%2))})
		if err == nil {
			err = c.FinishAudit(t.Context(), id, registry.AuditResult{Outcome: registry.AuditRefused, Status: 404})
		}
		return err
	})
	page, _, err := s.Customer(alice).Audit(t.Context(), registry.AuditQuery{Take: n})
	if err != nil || len(page) != 2 || page[0].Count != n/2 || page[1].Count != n/2 {
		t.Fatalf("%+v, %v", page, err)
	}
}
