package ratelimit_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"esagate/internal/cluster"
	"esagate/internal/ratelimit"
)

func TestCountsInRedis(t *testing.T) {
	server := miniredis.RunT(t)
	now := time.Now()
	server.SetTime(now)
	r, err := cluster.Open(cluster.Options{URL: "redis://" + server.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	count, limit := ratelimit.OnRedis(r), ratelimit.Limit{Rate: 0.3, Burst: 10}
	holds := func(key string, n, taken int, left float64) {
		t.Helper()
		gotTaken, gotLeft, err := count(context.Background(), key, limit, n)
		if err != nil || gotTaken != taken || math.Abs(gotLeft-left) > 1e-3 {
			t.Errorf("%d: took %d, %v left, %v; want %d, %v", n, gotTaken, gotLeft, err, taken, left)
		}
	}
	holds("writes:1", 3, 3, 7)
	holds("writes:1", 1, 1, 6)
	holds("writes:2", 1, 1, 9)
	now = now.Add(5 * time.Second)
	server.SetTime(now)
	holds("writes:1", 3, 3, 4.5)
	holds("writes:1", 6, 4, 0)
	holds("writes:1", 1, 0, 0)
	now = now.Add(time.Second)
	server.SetTime(now)
	holds("writes:1", 1, 0, 0.3)
	for _, id := range []string{"1", "2"} {
		key := "rate:esagate:limit:{writes:" + id + "}"
		if left := server.TTL(key); left <= 0 || left > 35*time.Second {
			t.Errorf("%s lives for %v", key, left)
		}
	}
	server.SetTime(now.Add(-time.Hour)) // a clock that was set back
	if _, _, err := count(context.Background(), "writes:1", limit, 1); err == nil {
		t.Error("a count that this limit can't have is taken over")
	}
	server.SetTime(now)
	if err := server.Set("rate:esagate:limit:{writes:1}", "1e300"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := count(context.Background(), "writes:1", limit, 1); err == nil {
		t.Error("somebody else's value is taken over")
	}
	server.Close()
	if _, _, err := count(context.Background(), "writes:1", limit, 1); err == nil {
		t.Error("it counts although Redis is away")
	}
}
