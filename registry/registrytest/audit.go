package registrytest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// audited begins an entry.
func audited(t testing.TB, s registry.Store, customer int64, e registry.AuditEntry) string {
	t.Helper()
	id, err := s.Customer(customer).BeginAudit(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// auditPages gives all entries that a query finds, in pages of its size.
func auditPages(t testing.TB, s registry.Store, customer int64, q registry.AuditQuery, between func()) (all []registry.AuditEntry) {
	t.Helper()
	for {
		page, more, err := s.Customer(customer).Audit(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if !more {
			return all
		}
		if len(page) != q.Take || len(all) > 1000 {
			t.Fatalf("%d entries of %d, and more to come; %d in all", len(page), q.Take, len(all))
		}
		q.Before = page[len(page)-1].ID
		between()
	}
}

// recordCalls are the calls about no connection of a caller's.
func recordCalls(s registry.Store) map[string]func(context.Context) error {
	c := s.Customer(alice)
	return map[string]func(context.Context) error{
		"WebhookTarget": func(ctx context.Context) error { _, err := s.WebhookTarget(ctx, "tenant-of-there"); return err },
		"BeginAudit": func(ctx context.Context) error {
			_, err := c.BeginAudit(ctx, registry.AuditEntry{Actor: "late"})
			return err
		},
		"FinishAudit": func(ctx context.Context) error {
			return c.FinishAudit(ctx, strings.Repeat("0", 32), registry.AuditResult{Outcome: registry.AuditFailed})
		},
		"Snapshot":       func(ctx context.Context) error { _, err := s.Snapshot(ctx, "tenant-of-there"); return err },
		"ForgetSnapshot": func(ctx context.Context) error { return s.ForgetSnapshot(ctx, "tenant-of-there") },
		"KeepSnapshots": func(ctx context.Context) error {
			return s.KeepSnapshots(ctx, []registry.Snapshot{{TenantID: "tenant-of-there"}}, time.Time{})
		},
		"KeepStandings": func(ctx context.Context) error {
			return s.KeepStandings(ctx, []registry.Standing{{State: "live", Since: at(0), ReceivedAt: at(0)}}, time.Time{})
		},
		"Overview":        func(ctx context.Context) error { _, err := c.Overview(ctx); return err },
		"StateChanges":    func(ctx context.Context) error { _, err := c.StateChanges(ctx, at(0)); return err },
		"AllOverview":     func(ctx context.Context) error { _, err := s.All().Overview(ctx); return err },
		"AllStateChanges": func(ctx context.Context) error { _, err := s.All().StateChanges(ctx, at(0)); return err },
		"Audit":           func(ctx context.Context) error { _, _, err := c.Audit(ctx, registry.AuditQuery{Take: 1}); return err },
		"Sweep":           func(ctx context.Context) error { _, err := s.Sweep(ctx); return err },
	}
}

// nothingRecorded: none of these calls has left anything.
func nothingRecorded(t *testing.T, s registry.Store, m *registry.Source) {
	t.Helper()
	hasCounts(t, s, m, registry.DeliveryCounts{})
	isTarget(t, s, m, "")
	if page, _, err := s.Customer(m.CustomerID).Audit(t.Context(), registry.AuditQuery{Take: 1}); err != nil || len(page) != 0 {
		t.Errorf("audit %+v, %v", page, err)
	}
}

func auditKept(t *testing.T, s registry.Store, c *clock) {
	whole := registry.AuditEntry{Actor: "storefront", Operator: true, Operation: "connect", SourceID: "radio", ESAID: 1000, RequestID: "req-1"}
	long := registry.AuditEntry{Actor: strings.Repeat("\u00e9", 300), Operation: strings.Repeat("o", 99), RequestID: strings.Repeat("r", 99),
		SourceID: strings.Repeat("s", 256), ESAID: -1}
	hostile := registry.AuditEntry{Actor: "a\x00b\xff", Operation: "'); DROP TABLE audit; --", SourceID: "\x00", ESAID: 1 << 53, RequestID: "\n"}
	given := registry.AuditEntry{ID: "mine", At: at(-1), Actor: "a", Outcome: registry.AuditSucceeded, Status: 200, Code: "X"}
	var want []registry.AuditEntry
	for _, test := range []struct{ begin, want registry.AuditEntry }{
		{whole, whole},
		{registry.AuditEntry{}, registry.AuditEntry{}},
		{long, registry.AuditEntry{Actor: strings.Repeat("\u00e9", 255), Operation: strings.Repeat("o", 64), RequestID: strings.Repeat("r", 64)}},
		{hostile, registry.AuditEntry{Actor: "a\ufffdb\ufffd", Operation: "'); DROP TABLE audit; --", RequestID: "\n"}},
		{given, registry.AuditEntry{Actor: "a"}},
	} {
		now := c.pass(time.Microsecond)
		test.want.ID, test.want.At, test.want.Outcome = audited(t, s, alice, test.begin), now, registry.AuditBegun
		test.want.Count, test.want.LastAt = 1, now
		want = append([]registry.AuditEntry{test.want}, want...)
		got, more, err := s.Customer(alice).Audit(t.Context(), registry.AuditQuery{Take: 10})
		if err != nil || more || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, %t:\n got %+v\nwant %+v", err, more, got, want)
		}
	}
}

func auditFinished(t *testing.T, s registry.Store) {
	c := s.Customer(alice)
	is := func(id string, want registry.AuditEntry) {
		t.Helper()
		page, _, err := c.Audit(t.Context(), registry.AuditQuery{Take: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.ID == id {
				want.ID, want.At, want.Count, want.LastAt = e.ID, e.At, 1, e.At
				if e != want {
					t.Fatalf("%+v, want %+v", e, want)
				}
				return
			}
		}
		t.Fatalf("%q is not there", id)
	}
	finish := func(id string, r registry.AuditResult) {
		t.Helper()
		if err := c.FinishAudit(t.Context(), id, r); err != nil {
			t.Fatal(err)
		}
	}
	known := audited(t, s, alice, registry.AuditEntry{Actor: "a", Operation: "delete", SourceID: "radio", ESAID: 7})
	unknown := audited(t, s, alice, registry.AuditEntry{Actor: "b", Operator: true, Operation: "connect"})
	finish(known, registry.AuditResult{SourceID: "video", ESAID: 8, Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT"})
	is(known, registry.AuditEntry{Actor: "a", Operation: "delete", SourceID: "radio", ESAID: 7, Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT"})
	is(unknown, registry.AuditEntry{Actor: "b", Operator: true, Operation: "connect", Outcome: registry.AuditBegun})
	finish(unknown, registry.AuditResult{SourceID: "video", ESAID: 8, Outcome: registry.AuditSucceeded, Status: 201})
	is(unknown, registry.AuditEntry{Actor: "b", Operator: true, Operation: "connect", SourceID: "video", ESAID: 8, Outcome: registry.AuditSucceeded, Status: 201})
	// Without an answer, and told of again: the later stands.
	for range 2 {
		finish(unknown, registry.AuditResult{Outcome: registry.AuditFailed, Code: "c\x00" + strings.Repeat("\u00e9", 99)})
		is(unknown, registry.AuditEntry{Actor: "b", Operator: true, Operation: "connect", SourceID: "video", ESAID: 8, Outcome: registry.AuditFailed,
			Code: "c\ufffd" + strings.Repeat("\u00e9", 62)})
	}
	for _, outcome := range []registry.AuditOutcome{"", registry.AuditBegun, "other"} {
		if err := c.FinishAudit(t.Context(), known, registry.AuditResult{Outcome: outcome}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("outcome %q: %v, want ErrInvalid", outcome, err)
		}
	}
	ended := registry.AuditResult{SourceID: "theirs", ESAID: 9, Outcome: registry.AuditFailed, Status: 500}
	for _, id := range []string{"", "x", "\x00", strings.Repeat("0", 32), strings.ToUpper(known) + "F", known[:31], known + "0", "  " + known} {
		if err := c.FinishAudit(t.Context(), id, ended); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("id %q: %v, want ErrNotFound", id, err)
		}
	}
	for _, customer := range []int64{bob, 0, -alice} {
		theirs := s.Customer(customer)
		if err := theirs.FinishAudit(t.Context(), known, ended); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("customer %d: %v, want ErrNotFound", customer, err)
		}
		for _, q := range []registry.AuditQuery{{Take: 10}, {Take: 10, SourceID: "radio"}, {Take: 10, Before: known}} {
			if page, more, err := theirs.Audit(t.Context(), q); len(page) != 0 || more || err != nil {
				t.Errorf("customer %d: %+v, %t, %v", customer, page, more, err)
			}
		}
	}
	is(known, registry.AuditEntry{Actor: "a", Operation: "delete", SourceID: "radio", ESAID: 7, Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT"})
}

// auditOfChanges: a change that no request makes is in the audit if the status changes, and
// then exactly if the change is made.
func auditOfChanges(t *testing.T, s registry.Store, c *clock) {
	m := adopt(t, s, entry(alice, "switched"), registry.AdoptionCreated)
	other := adopt(t, s, entry(alice, "taken"), registry.AdoptionCreated).Connection
	says := errors.New("refused")
	var want []registry.AuditEntry
	for _, test := range []struct {
		name    string
		change  func(c *registry.Connection)
		fails   error
		audited bool
	}{
		{"nothing", func(*registry.Connection) {}, nil, false},
		{"another field", func(c *registry.Connection) { c.LastError = "It refused." }, nil, false},
		{"the status", func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated }, nil, true},
		{"the same status", func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated }, nil, false},
		{"refused", func(c *registry.Connection) { c.Provisioning = registry.StatusActive }, says, false},
		{"not kept", func(c *registry.Connection) { c.Provisioning = "asleep" }, registry.ErrInvalid, false},
		{"rolled back", func(c *registry.Connection) {
			c.Provisioning, c.TenantID = registry.StatusActive, other.TenantID
		}, registry.ErrTenantTaken, false},
		{"and back", func(c *registry.Connection) { c.Provisioning = registry.StatusActive }, nil, true},
	} {
		e := registry.AuditEntry{
			Actor: registry.ActorSalesAgent, Operation: test.name, SourceID: "theirs", ESAID: 9, Outcome: registry.AuditFailed,
		}
		now := c.pass(time.Second)
		got, err := s.Customer(alice).ChangeAudited(t.Context(), m.Connection.ID, e, func(given *registry.Source) (*registry.Connection, error) {
			next, _ := changing(test.change)(given)
			if errors.Is(test.fails, says) {
				return next, says
			}
			return next, nil
		})
		if !errors.Is(err, test.fails) {
			t.Fatalf("%s: %v, want %v", test.name, err, test.fails)
		}
		if err == nil {
			same(t, test.name, read(t, s, alice, "switched"), got)
		}
		page, _, err := s.Customer(alice).Audit(t.Context(), registry.AuditQuery{Take: 10})
		if test.audited && len(page) > 0 {
			want = append([]registry.AuditEntry{{
				ID: page[0].ID, At: now, Actor: e.Actor, Operation: e.Operation, SourceID: "switched", ESAID: m.Connection.ID,
				Outcome: registry.AuditSucceeded, Count: 1, LastAt: now,
			}}, want...)
		}
		if err != nil || len(page) != len(want) || len(want) > 0 && !reflect.DeepEqual(page, want) {
			t.Fatalf("%s: %v:\n got %+v\nwant %+v", test.name, err, page, want)
		}
	}
}

// auditOrder: entries come newest first, however many pages they make and whatever
// begins in between, of one source or of all.
func auditOrder(t *testing.T, s registry.Store, c *clock) {
	var all []registry.AuditEntry // newest first
	begin := func(source string, pause time.Duration) {
		t.Helper()
		e := registry.AuditEntry{Actor: fmt.Sprint(len(all)), SourceID: source, At: c.pass(pause), Outcome: registry.AuditBegun, Count: 1}
		e.LastAt = e.At
		e.ID = audited(t, s, alice, e)
		audited(t, s, bob, e)
		all = append([]registry.AuditEntry{e}, all...)
	}
	for i := range 12 {
		begin([]string{"radio", "video", ""}[i%3], time.Microsecond<<(3*i)) // from microseconds to days
	}
	for _, take := range []int{1, 2, 3, 4, 5, 11, 12, 13} {
		for _, source := range []string{"", "radio", "RADIO", "\x00"} {
			var want []registry.AuditEntry
			for _, e := range all {
				if source == "" || e.SourceID == source {
					want = append(want, e)
				}
			}
			got := auditPages(t, s, alice, registry.AuditQuery{SourceID: source, Take: take}, func() { begin("radio", time.Microsecond) })
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("source %q in pages of %d:\n got %+v\nwant %+v", source, take, got, want)
			}
		}
	}
	for _, q := range []registry.AuditQuery{{Take: 0}, {Take: -5}, {Take: 0, SourceID: "radio"}} {
		if page, more, err := s.Customer(alice).Audit(t.Context(), q); len(page) != 0 || !more || err != nil {
			t.Fatalf("%+v: %d entries, %t, %v", q, len(page), more, err)
		}
	}
	for _, before := range []string{"x", "\x00", strings.Repeat("f", 31), strings.Repeat("F", 32), "' OR 1=1 --"} {
		if _, _, err := s.Customer(alice).Audit(t.Context(), registry.AuditQuery{Before: before, Take: 1}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("before %q: %v, want ErrInvalid", before, err)
		}
	}
	last := registry.AuditQuery{Before: all[len(all)-1].ID, Take: 1}
	if page, more, err := s.Customer(alice).Audit(t.Context(), last); len(page) != 0 || more || err != nil {
		t.Fatalf("before the first: %+v, %t, %v", page, more, err)
	}
}

// auditConcurrent: entries that begin in one microsecond are as many entries.
func auditConcurrent(t *testing.T, s registry.Store, _ *clock) {
	const n = 30
	ids := make([]string, n)
	succeedTogether(t, n, func(i int) (err error) {
		ids[i], err = s.Customer(alice).BeginAudit(t.Context(), registry.AuditEntry{Actor: fmt.Sprint(i)})
		if err == nil {
			err = s.Customer(alice).FinishAudit(t.Context(), ids[i], registry.AuditResult{Outcome: registry.AuditSucceeded, Status: 200 + i})
		}
		return err
	})
	seen := map[string]bool{}
	for _, e := range auditPages(t, s, alice, registry.AuditQuery{Take: 7}, func() {}) {
		seen[e.ID] = true
		if e.Actor == "" || e.Status < 200 || ids[e.Status-200] != e.ID || fmt.Sprint(e.Status-200) != e.Actor {
			t.Fatalf("%+v", e)
		}
	}
	if len(seen) != n {
		t.Fatalf("%d entries, want %d", len(seen), n)
	}
}
