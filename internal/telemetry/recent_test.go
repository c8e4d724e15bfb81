package telemetry_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"esagate/internal/telemetry"
)

// recent gives what counts in a process that has just started.
func recent(t testing.TB) (*telemetry.Recent, *telemetry.Instruments) {
	t.Helper()
	in, err := telemetry.NewInstruments(noop.NewMeterProvider())
	must(t, err)
	return in.Recent, in
}

func TestRecentForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, in := recent(t)
		if got := r.Figures(); got != (telemetry.Figures{}) {
			t.Fatalf("before anything: %+v", got)
		}
		for i := range 200 {
			r.Read(time.Now(), i == 0)
		}
		for range 10 {
			r.Call(40 * time.Millisecond)
		}
		for _, outcome := range []string{"recorded", "duplicate", "ignored", "test", "invalid", "busy", "mismatch"} {
			in.Delivery(outcome)
		}
		time.Sleep(20 * time.Second)
		got := r.Figures()
		if got.Over != 20*time.Second || got.CallsPerSecond != .5 || got.StaleShare != .005 || got.Taken != 4 || got.Refused != 3 {
			t.Errorf("%+v", got)
		}
		if got.CallP95 < 40*time.Millisecond || got.CallP95 > 44*time.Millisecond {
			t.Errorf("p95 of calls of 40 ms is %s", got.CallP95)
		}
		time.Sleep(280 * time.Second) // 5 minutes in all
		r.Read(time.Now(), false)
		if got := r.Figures(); got.Over != 5*time.Minute || got.CallsPerSecond == 0 || got.StaleShare != 1./201 {
			t.Errorf("after 5 minutes: %+v", got)
		}
		time.Sleep(10 * time.Second)
		got = r.Figures()
		if got.Over != 5*time.Minute || got.CallsPerSecond != 0 || got.CallP95 != 0 || got.StaleShare != 0 || got.Taken != 4 {
			t.Errorf("after 5 minutes and a slot: %+v", got)
		}
		time.Sleep(24*time.Hour + 5*time.Minute)
		if got := r.Figures(); got.Taken != 0 || got.Refused != 0 || got.DeliveriesOver > 24*time.Hour+10*time.Minute || got.StaleShare != 0 {
			t.Errorf("a day later: %+v", got)
		}
	})
}

// TestP95 holds the time of calls against sorting them.
func TestP95(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(20) {
			r, _ := recent(t)
			random := rand.New(rand.NewPCG(seed, 1))
			var all []time.Duration
			for range 1 + random.IntN(300) {
				took := time.Duration(float64(time.Millisecond) * math.Pow(10, 5*random.Float64()))
				all = append(all, took)
				r.Call(took)
			}
			slices.Sort(all)
			exact := all[int(math.Ceil(.95*float64(len(all))))-1]
			if got := r.Figures().CallP95; got < exact && got < 100*time.Second || float64(got) > 1.11*float64(exact) {
				t.Errorf("p95 of %d calls is %s, want about %s", len(all), got, exact)
			}
		}
		r, _ := recent(t)
		r.Call(-time.Second)
		r.Call(math.MaxInt64)
		if got := r.Figures().CallP95; got < time.Minute {
			t.Errorf("p95 is %s", got)
		}
	})
}

// TestRecentLosesNothing: slots change while many count, and a reader looks.
func TestRecentLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, in := recent(t)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 100 {
					came := time.Now()
					time.Sleep(900 * time.Millisecond)
					r.Read(came, true)
					r.Call(time.Second)
					in.Delivery("recorded")
					r.Figures()
				}
			})
		}
		all.Wait()
		got := r.Figures()
		if calls := got.CallsPerSecond * got.Over.Seconds(); math.Round(calls) != 800 || got.StaleShare != 1 || got.Taken != 800 {
			t.Errorf("%v calls of 800: %+v", calls, got)
		}
	})
}

func BenchmarkRecentRead(b *testing.B) {
	r, _ := recent(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r.Read(time.Now(), false)
		}
	})
}
