package growth_test

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"
	"time"

	"esagate/bench/growth"
)

//go:embed measured.json
var measured []byte

// TestModelMeetsMeasurements holds the model against what real fleets did (go run ./bench -only growth -write).
func TestModelMeetsMeasurements(t *testing.T) {
	var points []growth.Point
	if err := json.Unmarshal(measured, &points); err != nil {
		t.Fatal(err)
	}
	if len(points) < 4 {
		t.Fatalf("%d points", len(points))
	}
	for _, p := range points {
		f := growth.Fleet{Replicas: p.Replicas, Sources: p.Sources, Reads: p.Reads, Zipf: p.Zipf, Redis: p.Redis,
			Call: time.Duration(p.CallSeconds * float64(time.Second)), Fresh: 5 * time.Second, Poll: 5 * time.Minute, Polls: 4}
		r := f.Rates()
		for _, c := range []struct {
			name           string
			computed, real float64
			within         float64
		}{
			{"calls", r.Calls, p.Measured.Calls, 0.1},
			{"operations of Redis", r.RedisOps, p.Measured.RedisOps, 0.25},
			{"bytes of Redis", r.RedisBytes, p.Measured.RedisBytes, 0.25},
			{"rows", r.RowWrites, p.Measured.RowWrites, 0.25},
		} {
			t.Logf("%d replicas, %d sources, Redis %t: %s: %.1f computed, %.1f measured", p.Replicas, p.Sources, p.Redis, c.name, c.computed, c.real)
			if math.Abs(c.computed-c.real) > c.within*c.real {
				t.Errorf("%d replicas, %d sources, Redis %t: %s: %.1f computed, %.1f measured", p.Replicas, p.Sources, p.Redis, c.name, c.computed, c.real)
			}
		}
		if m := p.Measured; m.DatabaseConnections > r.DatabaseConnections || m.RedisConnections > r.RedisConnections {
			t.Errorf("%d replicas: %.0f connections to the database and %.0f to Redis, at most %.0f and %.0f computed", p.Replicas,
				m.DatabaseConnections, m.RedisConnections, r.DatabaseConnections, r.RedisConnections)
		}
	}
}

// TestGrowth holds what must be so whatever the figures are.
func TestGrowth(t *testing.T) {
	fleet := func(replicas, sources int, reads float64, redis bool) growth.Rates {
		return growth.Fleet{Replicas: replicas, Sources: sources, Reads: reads, Zipf: 1, Redis: redis, Call: 100 * time.Millisecond, Fresh: 5 * time.Second}.Rates()
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > want/1000 {
			t.Errorf("%s: %v, expected %v", what, got, want)
		}
	}
	near("one source that is read all the time: a call in fresh and the time of the call", fleet(1, 1, 1e6, false).Calls, 1/5.1)
	near("the same at seven replicas, each alone", fleet(7, 1, 1e6, false).Calls, 7/5.1)
	near("and together", fleet(7, 1, 1e6, true).Calls, 1/5.1)
	near("sources that are seldom read: a call for each read", fleet(3, 10_000, 0.001, false).Calls, 0.001)
	one, many := fleet(1, 10_000_000, 1e5, true), fleet(1000, 10_000_000, 1e5, true)
	if one.Calls != many.Calls || one.RedisOps >= many.RedisOps || one.DatabaseConnections*1000 != many.DatabaseConnections {
		t.Errorf("one replica %+v, a thousand %+v", one, many)
	}
}

// TestPicker: numbers spread evenly give a Zipf law.
func TestPicker(t *testing.T) {
	pick, got := growth.Picker(4, 1), map[int]int{}
	for i := range 25_000 {
		got[pick(float64(i)/25_000)]++
	}
	for i, want := range []int{12_000, 6000, 4000, 3000} {
		if math.Abs(float64(got[i]-want)) > 2 {
			t.Errorf("source %d is picked %d times, expected %d", i, got[i], want)
		}
	}
}
