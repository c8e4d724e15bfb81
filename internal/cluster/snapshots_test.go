package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"esagate/internal/cluster"
	"esagate/internal/redistest"
	"esagate/snapshot"
)

// shared is the snapshots in a Redis, whose exchanges must succeed.
type shared struct {
	*testing.T
	*cluster.Snapshots
}

const shareFormat = 1

func (s shared) look(key, lease string, q snapshot.Question) snapshot.Known {
	s.Helper()
	q.Lease, q.Format = lease, shareFormat
	if q.Expired == 0 {
		q.Expired = -time.Second
	}
	if q.Retried == 0 {
		q.Retried = -time.Second
	}
	k, err := s.Look(s.Context(), key, q)
	s.must(err)
	return k
}

func (s shared) publish(key, lease string, at int64, body string) snapshot.Known {
	s.Helper()
	k, err := s.Publish(s.Context(), key, snapshot.Publication{Lease: lease, At: at, Format: shareFormat, Body: []byte(body),
		Fresh: time.Hour, Lifetime: 2 * time.Hour})
	s.must(err)
	return k
}

func (s shared) end(key, lease string, f snapshot.Finding) snapshot.Known {
	s.Helper()
	f.Format = shareFormat
	k, err := s.End(s.Context(), key, lease, f)
	s.must(err)
	return k
}

func (s shared) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// TestSnapshots has the scripts run by each kind of server.
func TestSnapshots(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"in memory":        func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"Redis":            func(t *testing.T) string { return redistest.Own(t).URL() },
		"cluster of three": func(t *testing.T) string { return redistest.ClusterURL(redistest.OwnCluster(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, url(t))
			for ping(r) != nil {
				if !sleeps(t) {
					t.Fatal("it does not answer")
				}
			}
			s := shared{t, r.Snapshots()}
			t.Run("a lease has one holder until it ends", func(t *testing.T) { testLease(shared{t, s.Snapshots}) })
			t.Run("documents are kept in their order", func(t *testing.T) { testOrder(shared{t, s.Snapshots}) })
			t.Run("what was found out is kept of the holder alone", func(t *testing.T) { testFindings(shared{t, s.Snapshots}) })
			t.Run("values of others are refused", func(t *testing.T) { testForeign(shared{t, s.Snapshots}, r) })
		})
	}
}

func sleeps(t *testing.T) bool {
	select {
	case <-time.After(20 * time.Millisecond):
		return true
	case <-t.Context().Done():
		return false
	}
}

func testLease(s shared) {
	if k := s.look("lease", "", snapshot.Question{}); k.Held || k.Waits || k.There {
		s.Fatalf("at first: %+v", k)
	}
	if k := s.look("lease", "one", snapshot.Question{}); !k.Held {
		s.Fatalf("not given: %+v", k)
	}
	if k := s.look("lease", "two", snapshot.Question{}); k.Held || !k.Waits {
		s.Fatalf("given twice: %+v", k)
	}
	s.must(s.Renew(s.Context(), "lease", "one"))
	s.end("lease", "two", snapshot.Finding{})
	if k := s.look("lease", "two", snapshot.Question{}); k.Held {
		s.Fatal("another's lease was ended")
	}
	if k := s.end("lease", "one", snapshot.Finding{}); !k.Tell {
		s.Error("who waits is not told")
	}
	if k := s.look("lease", "two", snapshot.Question{}); !k.Held {
		s.Fatal("not given after its end")
	}
	if _, err := s.Publish(s.Context(), "lease", snapshot.Publication{Lease: "two", Format: shareFormat, Body: make([]byte, 1<<20+1)}); err == nil {
		s.Error("it is shared however large")
	}
	if k := s.look("lease", "three", snapshot.Question{}); !k.Held {
		s.Error("what can't be shared keeps the lease")
	}
}

func testOrder(s shared) {
	const micros = 1_764_552_540_123_456 // more digits than Lua writes by itself
	s.look("order", "one", snapshot.Question{})
	k := s.publish("order", "one", micros, "newer")
	if !k.Stored || k.Tell || k.Stamp.At != micros || k.Stamp.Received < micros/2 {
		s.Fatalf("published: %+v", k)
	}
	got := s.look("order", "two", snapshot.Question{})
	if got.Held || string(got.Body) != "newer" || got.Stamp != k.Stamp || got.Age < 0 || got.Age > time.Minute || got.Fresh > time.Hour ||
		got.Fresh < 59*time.Minute {
		s.Fatalf("found: %+v", got)
	}
	if got = s.look("order", "two", snapshot.Question{Have: k.Stamp}); !got.There || got.Body != nil {
		s.Errorf("sent again: %+v", got)
	}
	if got = s.publish("order", "", micros-1, "older"); got.Stored || string(got.Body) != "newer" {
		s.Errorf("after an older one: %+v", got)
	}
	if got = s.publish("order", "", micros+1, "newest"); got.Stored {
		s.Error("a fresh one was replaced without the lease")
	}
	if got = s.look("order", "three", snapshot.Question{Epoch: 1}); !got.Held {
		s.Error("a document of an earlier epoch keeps the lease back")
	}
	if got = s.publish("order", "three", micros+1, "newest"); !got.Stored || !got.Tell {
		s.Errorf("by the holder: %+v", got)
	}
}

func testFindings(s shared) {
	failed := snapshot.Finding{Failure: &snapshot.SharedFailure{Error: []byte("down"), Left: time.Minute, Again: true}}
	s.look("found", "one", snapshot.Question{})
	s.end("found", "two", failed)
	if k := s.look("found", "", snapshot.Question{}); k.Failure != nil {
		s.Fatal("another's failure is kept")
	}
	s.end("found", "one", failed)
	k := s.look("found", "two", snapshot.Question{})
	if f := k.Failure; k.Held || f == nil || string(f.Error) != "down" || !f.Again || f.Slow || f.Left > time.Minute || f.Left < 59*time.Second {
		s.Fatalf("%+v, %+v", k, k.Failure)
	}
	if k = s.look("found", "two", snapshot.Question{Retried: time.Nanosecond}); !k.Held {
		s.Error("a failure from before keeps the lease back")
	}
	s.end("found", "two", snapshot.Finding{Gone: []byte("gone"), GoneFor: time.Minute})
	if k = s.look("found", "three", snapshot.Question{}); k.Held || string(k.Gone) != "gone" || k.GoneFor < 59*time.Second {
		s.Errorf("%+v", k)
	}
}

// testForeign: what somebody else has written at our keys is no document, and gives way to one.
func testForeign(s shared, r *cluster.Redis) {
	s.must(r.Do(s.Context(), func(ctx context.Context, c redis.UniversalClient) error {
		return c.HSet(ctx, r.Key("snapshot", "words"), "a", "noon", "r", "yesterday", "f", "1", "d", "x").Err()
	}))
	if k := s.look("words", "one", snapshot.Question{}); !k.Held || k.Stamp.At != 0 {
		s.Errorf("%+v", k)
	}
	if k := s.publish("words", "one", 7, "ours"); !k.Stored {
		s.Errorf("%+v", k)
	}
	s.must(r.Do(s.Context(), func(ctx context.Context, c redis.UniversalClient) error {
		return c.Set(ctx, r.Key("snapshot", "string"), "x", time.Minute).Err()
	}))
	if k := s.look("string", "one", snapshot.Question{}); !k.Held || k.There {
		s.Errorf("%+v", k)
	}
	s.must(inTime(func() error {
		return r.Do(s.Context(), func(ctx context.Context, c redis.UniversalClient) error {
			return c.HSet(ctx, r.Key("snapshot", "large"), "a", "7", "d", make([]byte, 1<<20+1)).Err()
		})
	}))
	if k := s.look("large", "", snapshot.Question{}); !k.There || k.Body != nil {
		s.Errorf("a body of %d bytes", len(k.Body))
	}
	s.must(r.Do(s.Context(), func(ctx context.Context, c redis.UniversalClient) error {
		return c.Set(ctx, r.Key("lease", "held"), "x", 0).Err()
	}))
	if k := s.look("held", "one", snapshot.Question{}); !k.Waits {
		s.Errorf("%+v", k)
	}
	s.must(r.Do(s.Context(), func(ctx context.Context, c redis.UniversalClient) error {
		left, err := c.PTTL(ctx, r.Key("lease", "held")).Result()
		if left <= 0 || left > time.Second {
			s.Errorf("a lease lasts %s more", left)
		}
		return err
	}))
}
