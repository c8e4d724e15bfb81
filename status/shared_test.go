package status_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"esagate/api"
	"esagate/internal/cluster"
	"esagate/internal/events"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	ut "esagate/upstream/upstreamtest"
)

// inCluster runs a test in a world whose process shares a Redis with a second one.
func inCluster(t *testing.T, wrap func(registry.Store) registry.Store, body func(w *world, second process)) {
	t.Helper()
	inWorld(t, wrap, func(w *world) {
		server := miniredis.NewMiniRedis()
		server.ClockTTL(true)
		defer time.Sleep(2 * time.Second) // the clients' dialing ends with its next try, a second later
		defer server.Close()
		w.shares = func() (*cluster.Redis, *cluster.Hints) {
			r, err := cluster.Open(cluster.Options{URL: "redis://127.0.0.1",
				Dial: func(context.Context, string, string) (net.Conn, error) { return server.Dial() }})
			w.must(err)
			return r, cluster.NewHints(r.Hints(), slog.New(slog.DiscardHandler))
		}
		w.restart()
		second := w.start()
		w.pass(time.Second) // hints come
		body(w, second)
		w.stop(second)
		w.shares = nil
		w.restart()
	})
}

// read reads the source's status at a replica.
func (w *world) read(p process) (status.Answer, error) {
	w.Helper()
	src, err := p.directory.ManagedSource(w.Context(), customer, sourceID)
	w.must(err)
	return p.status.Get(w.Context(), src, 0)
}

// TestReplicasShareStatuses: what one replica has read is another's answer to the byte, for which nobody is asked and
// nothing is written.
func TestReplicasShareStatuses(t *testing.T) {
	writes := &writesCounted{}
	inCluster(t, func(s registry.Store) registry.Store { return countingStore{s, writes} }, func(w *world, second process) {
		calls := 0
		one, err := w.read(w.process)
		w.must(err)
		w.pass(time.Second)
		src, err := second.directory.ManagedSource(w.Context(), customer, sourceID)
		w.must(err)
		w.must(second.status.Refresh(w.Context(), src)) // as for those who follow it
		two, err := w.read(second)
		w.must(err)
		if string(one.Body().Plain) != string(two.Body().Plain) || two.State != snapshot.Hit || two.Age < time.Second {
			w.Errorf("%s\nat another replica\n%s, %+v", one.Body().Plain, two.Body().Plain, two.Read)
		}
		if n := w.calls(&calls); n != 1 {
			w.Errorf("%d calls", n)
		}
		w.pass(2 * time.Second)
		if s, p := writes.snapshots.Load(), writes.standings.Load(); s != 1 || p != 1 {
			w.Errorf("%d snapshots and %d standings were written", s, p)
		}
		if row := w.overview(second); row.State != transform.StateLive {
			w.Errorf("the other replica says %s", row.State)
		}
	})
}

// TestWriteElsewhereIsKeptOnce: how a source stands after a write is kept by the replica that wrote.
func TestWriteElsewhereIsKeptOnce(t *testing.T) {
	writes := &writesCounted{}
	inWorld(t, func(s registry.Store) registry.Store { return countingStore{s, writes} }, func(w *world) {
		w.follow = true
		w.restart()
		second := w.start()
		defer w.stop(second)
		for _, p := range []process{w.process, second} {
			_, err := w.read(p)
			w.must(err)
		}
		w.pass(2 * time.Minute)
		writes.standings.Store(0)
		w.change(func(c *registry.Connection) { c.Provisioning, c.DeactivatedAt = registry.StatusDeactivated, time.Now() })
		w.pass(5 * time.Second)
		if n := writes.standings.Load(); n != 1 {
			w.Errorf("%d standings were written", n)
		}
		if row := w.overview(second); row.State != transform.StateDeactivated {
			w.Errorf("the other replica says %s", row.State)
		}
	})
}

type writesCounted struct{ snapshots, standings, syncs atomic.Int32 }

// TestReplicasWriteAsOne: replicas that take turns write of a tenant once a minute together, what it says that is new at
// once.
func TestReplicasWriteAsOne(t *testing.T) {
	writes := &writesCounted{}
	inCluster(t, func(s registry.Store) registry.Store { return countingStore{s, writes} }, func(w *world, second process) {
		w.tenant(steady())
		began := time.Now()
		both := []process{w.process, second}
		written := func() [3]int32 {
			return [3]int32{writes.snapshots.Swap(0), writes.standings.Swap(0), writes.syncs.Swap(0)}
		}
		turns := func(d time.Duration) [3]int32 {
			w.Helper()
			calls := 0
			w.calls(&calls)
			for i := range int(d / (7 * time.Second)) {
				src, err := both[i%2].directory.ManagedSource(w.Context(), customer, sourceID)
				w.must(err)
				w.must(both[i%2].status.Refresh(w.Context(), src))
				w.pass(7 * time.Second)
			}
			if n := w.calls(&calls); n != int(d/(7*time.Second)) {
				w.Errorf("%d calls", n)
			}
			return written()
		}
		turns(2 * time.Minute)
		if n := turns(10 * time.Minute); min(n[0], n[1]) < 9 || n[2] < 4 || max(n[0], n[1], n[2]) > 11 {
			w.Errorf("%v writes in ten minutes", n)
		}
		for range 4 { // at whatever moment of the minute: a standing each, and no more of the rest than else
			before := w.overview(w.process).State
			next := steady()
			for i := range next.Streams { // the same runs: others would be written too
				next.Streams[i].RunAgo += time.Since(began)
			}
			if before == transform.StateLive {
				next.Refused = "no access"
			}
			w.tenant(next)
			if n := turns(14 * time.Second); n[1] < 1 || n[1] > 2 || n[0] > 1 {
				w.Errorf("%v writes as it has changed", n)
			}
			if now := w.overview(second).State; now == before {
				w.Errorf("it stayed %s", now)
			}
		}
	})
}

// countingStore counts the rows of snapshots and standings that are written.
type countingStore struct {
	registry.Store
	of *writesCounted
}

func (s countingStore) KeepSnapshots(ctx context.Context, batch []registry.Snapshot, lapsed time.Time) error {
	s.of.snapshots.Add(int32(len(batch)))
	return s.Store.KeepSnapshots(ctx, batch, lapsed)
}

func (s countingStore) KeepStandings(ctx context.Context, batch []registry.Standing, lapsed time.Time) error {
	s.of.standings.Add(int32(len(batch)))
	return s.Store.KeepStandings(ctx, batch, lapsed)
}

func (s countingStore) Customer(id int64) registry.CustomerStore {
	return countingCustomer{s.Store.Customer(id), s.of}
}

// countingCustomer counts what is written of syncs.
type countingCustomer struct {
	registry.CustomerStore
	of *writesCounted
}

func (s countingCustomer) ObserveInventorySync(ctx context.Context, esaID int64, signal registry.InventorySync) (*registry.Source, error) {
	s.of.syncs.Add(1)
	return s.CustomerStore.ObserveInventorySync(ctx, esaID, signal)
}

// TestReplicasShareRefusals: each says what the one that asked was told.
func TestReplicasShareRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		fault  ut.Fault
		kind   fault.Kind
		reason fault.Reason
	}{
		"an error":       {ut.Fault{Status: http.StatusInternalServerError}, fault.Unavailable, fault.UpstreamError},
		"another answer": {ut.Fault{Body: "{}"}, fault.Unavailable, fault.UpstreamInvalidResponse},
		"our key":        {ut.Fault{Status: http.StatusUnauthorized}, fault.Unavailable, fault.UpstreamUnauthorized},
		"no such tenant": {ut.Fault{Status: http.StatusNotFound, Code: "tenant_not_found"}, fault.NotFound, fault.TenantNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, nil, func(w *world, second process) {
				w.agent.Fault(tenantID, test.fault)
				calls, said := 0, ""
				for _, p := range []process{w.process, second} {
					_, err := w.read(p)
					f := fault.As(err)
					if f == nil || f.Kind != test.kind || f.Reason != test.reason || said != "" && f.Message != said {
						w.Fatalf("%+v", f)
					}
					said = f.Message
				}
				if n := w.calls(&calls); n != 1 {
					w.Errorf("%d calls", n)
				}
			})
		})
	}
}

// TestEventsOfOtherReplicasDocuments: a stream gets what a document says that another replica has read, also before its own
// copy is old.
func TestEventsOfOtherReplicasDocuments(t *testing.T) {
	inCluster(t, nil, func(w *world, second process) {
		w.tenant(steady())
		w.refresh()
		there := listener{w, second.hub.Subscribe(events.Subscription{Customer: customer, Sources: []string{sourceID}})}
		defer there.Close()
		w.pass(time.Second)
		there.next()
		if _, err := w.client.Refresh(w.Context(), tenantID); err != nil {
			t.Fatal(err)
		}
		w.agent.FinishRun(tenantID, "inventory", 4711)
		calls := 0
		w.calls(&calls)
		w.status.Expire(tenantID)
		w.refresh()
		w.pass(time.Second)
		if names := there.names(); !slices.Contains(names, api.EventSyncCompleted) || !slices.Contains(names, api.EventStatusChanged) {
			w.Errorf("%v", names)
		}
		if n := w.calls(&calls); n != 1 {
			w.Errorf("%d calls", n)
		}
	})
}

// TestWhatStandsInRedisIsJudged: what is no document, or one of a time to come, is none, and keeps no document away.
func TestWhatStandsInRedisIsJudged(t *testing.T) {
	for name, forge := range map[string]func(good []byte, at, later string) []byte{
		"nothing of ours":   func([]byte, string, string) []byte { return []byte("<html>") },
		"no status":         func([]byte, string, string) []byte { return []byte(`{"format":1,"at":"2026-01-01T00:00:00Z"}`) },
		"of a time to come": func(good []byte, at, later string) []byte { return bytes.ReplaceAll(good, []byte(at), []byte(later)) },
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, nil, func(w *world, second process) {
				first, err := w.read(w.process)
				w.must(err)
				redis := second.redis.Snapshots()
				good, err := redis.Look(w.Context(), tenantID, snapshot.Question{Format: 1, Expired: -time.Second, Retried: -time.Second})
				w.must(err)
				at := first.Status.FetchedAt.Time
				later := at.Add(time.Hour)
				forged := forge(good.Body, at.Format(time.RFC3339Nano), later.Format(time.RFC3339Nano))
				kept, err := redis.Publish(w.Context(), tenantID, snapshot.Publication{At: later.UnixMicro(), Format: 1, Epoch: 1 << 40,
					Body: forged, Fresh: time.Hour, Lifetime: 2 * time.Hour})
				if w.must(err); !kept.Stored {
					w.Fatalf("%+v", kept)
				}
				w.pass(2 * freshness)
				for i := range 2 {
					got, err := w.read(second)
					w.must(err)
					w.pass(2 * freshness) // the refresh of a copy that was kept is put off
					if is := got.Status.FetchedAt.Time; is.Equal(later) || i > 0 && !is.After(at) {
						w.Errorf("served %s", is)
					}
				}
			})
		})
	}
}
