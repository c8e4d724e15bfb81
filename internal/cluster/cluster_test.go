package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"esagate/internal/cluster"
)

func open(t *testing.T, url string) *cluster.Redis {
	t.Helper()
	r, err := cluster.Open(cluster.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func ping(r *cluster.Redis) error {
	return r.Do(context.Background(), func(ctx context.Context, c redis.UniversalClient) error { return c.Ping(ctx).Err() })
}

// TestRedisAway: exchanges fail while Redis is away, without asking it, and a probe notices its return.
func TestRedisAway(t *testing.T) {
	server := miniredis.RunT(t)
	changes := make(chan bool, 2)
	r, err := cluster.Open(cluster.Options{URL: "redis://" + server.Addr(), Changed: func(there bool, _ error) { changes <- there }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := ping(r); err != nil || !r.Available() {
		t.Fatal(err)
	}
	server.Close()
	for range 4 {
		if err := ping(r); !errors.Is(err, cluster.ErrAway) {
			t.Fatalf("away: %v", err)
		}
	}
	if r.Available() || <-changes {
		t.Error("it counts as there")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if !<-changes || !r.Available() {
		t.Error("it counts as away")
	}
}

// TestHints: a hint reaches the other replicas, and not the one that sends it.
func TestHints(t *testing.T) {
	server := miniredis.RunT(t)
	r := open(t, "redis://"+server.Addr())
	replica := func() (*cluster.Hints, chan cluster.Hint, chan struct{}) {
		h := cluster.NewHints(r.Hints(), slog.New(slog.DiscardHandler))
		got, listening := make(chan cluster.Hint, 8), make(chan struct{}, 1)
		h.On(cluster.HintSource, func(hint cluster.Hint) { got <- hint })
		h.OnListening(func() { listening <- struct{}{} })
		h.Start()
		t.Cleanup(func() { h.Close(context.Background()) })
		return h, got, listening
	}
	a, gotA, listeningA := replica()
	b, gotB, listeningB := replica()
	<-listeningA
	<-listeningB
	want := cluster.Hint{Kind: cluster.HintSource, Customer: 7, Key: "meadow"}
	a.Send(want)
	if got := <-gotB; got != want {
		t.Errorf("%+v", got)
	}
	back := cluster.Hint{Kind: cluster.HintSource, Customer: 8}
	b.Send(back)
	if got := <-gotA; got != back { // not its own
		t.Errorf("%+v", got)
	}
}
