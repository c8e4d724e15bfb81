package clustertest_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLimitsAreShared: a customer, and an address that guesses keys, are let through as often at three replicas as
// at one; while Redis is away, as often at each.
func TestLimitsAreShared(t *testing.T) {
	const rate, burst = 60, 100
	for _, limit := range []string{"READS", "WRONG_KEYS"} {
		t.Setenv("ESAGATE_LIMITS_"+limit+"_RATE", strconv.Itoa(rate))
		t.Setenv("ESAGATE_LIMITS_"+limit+"_BURST", strconv.Itoa(burst))
	}
	w, _, links := onRedis(t, 3)
	for _, c := range []struct {
		name, key string
		let       int // what comes of a request that is let through
		at        int // requests at once, at each replica
		pause     time.Duration
	}{
		{"reads", key, http.StatusOK, 2, 2 * time.Millisecond},
		{"wrong keys", "no-such-key-of-anybody-1234567", http.StatusUnauthorized, 40, 50 * time.Millisecond}, // looked up four times a second
	} {
		for _, l := range links {
			l.mend()
		}
		w.redis(false)
		time.Sleep(3 * time.Second) // all buckets are full
		for _, away := range []bool{false, true} {
			most := 2.5 // well below 3, also where exchanges with Redis have no answer in time on a busy machine
			if away {
				for _, l := range links {
					l.cut()
				}
				w.redis(true)
				time.Sleep(3 * time.Second)
				most = 3.1
			}
			let, took := w.flood(c.key, c.let, c.at, c.pause, 4*time.Second)
			allowed := burst + rate*took.Seconds()
			t.Logf("%s, Redis away %v: %d let through in %v, %.2f of one replica's limit", c.name, away, let, took, float64(let)/allowed)
			if got := float64(let) / allowed; got > most || got < 0.5 {
				t.Errorf("%s, Redis away %v: %d let through, %.2f of the limit", c.name, away, let, got)
			}
		}
	}
}

// flood asks all replicas for more than may be, and counts what was let through.
func (w *world) flood(key string, want, atOnce int, pause, lasts time.Duration) (let int, took time.Duration) {
	w.t.Helper()
	var n, refused atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for _, r := range w.replicas {
		for range atOnce {
			all.Go(func() {
				for i := 0; time.Since(began) < lasts; i++ {
					req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, *r.base.Load()+sources+"/"+source(i%tenants)+"/status", nil)
					if err != nil {
						w.t.Error(err)
						return
					}
					req.Header.Set("Authorization", "Bearer "+key)
					resp, err := http.DefaultClient.Do(req)
					if err != nil {
						w.t.Error(err)
						return
					}
					_ = resp.Body.Close()
					rest, after := resp.Header.Get("RateLimit"), resp.Header.Get("Retry-After")
					switch resp.StatusCode {
					case want:
						n.Add(1)
					case http.StatusTooManyRequests:
						refused.Add(1)
						if s, _ := strconv.Atoi(after); s < 1 || rest != "" && !strings.Contains(rest, ";r=0;") {
							w.t.Errorf("refused with RateLimit %q, Retry-After %q", rest, after)
						}
						time.Sleep(pause)
					default:
						w.t.Errorf("%d", resp.StatusCode)
						return
					}
				}
			})
		}
	}
	all.Wait()
	if refused.Load() == 0 {
		w.t.Error("nothing was refused")
	}
	return int(n.Load()), time.Since(began)
}
