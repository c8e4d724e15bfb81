package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
)

// TestWritesAreOneAttempt: what a read would be tried again for, a write is not. The
// reads beside them are.
func TestWritesAreOneAttempt(t *testing.T) {
	failures := map[string]roundTrip{
		"429":       func(*http.Request) (*http.Response, error) { return respond(429, "", "Retry-After", "1"), nil },
		"500":       func(*http.Request) (*http.Response, error) { return respond(500, ""), nil },
		"502":       func(*http.Request) (*http.Response, error) { return respond(502, ""), nil },
		"503":       func(*http.Request) (*http.Response, error) { return respond(503, ""), nil },
		"reset":     func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET },
		"closed":    func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"cut short": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
	}
	each(t, every, func(t *testing.T, m made) {
		for name, fails := range failures {
			calls := 0
			alone(t, upstream.Config{Breaker: lenient}, func(q *http.Request) (*http.Response, error) {
				calls++
				return fails(q)
			}, func(t *testing.T, r *rig) {
				_, err := m.call(t.Context(), r.client, tenant)
				if e := r.fault(err); e == nil || e.Kind != fault.Unavailable || upstream.NotSent(err) {
					t.Errorf("%s: %v", name, err)
				}
				want := 3
				if m.writes {
					want = 1
				}
				if calls != want {
					t.Errorf("%s: %d attempts, want %d", name, calls, want)
				}
			})
		}
	})
}

// hang answers nobody.
func hang(q *http.Request) (*http.Response, error) {
	<-q.Context().Done()
	return nil, q.Context().Err()
}

func TestHowLongACallMayTake(t *testing.T) {
	each(t, every, func(t *testing.T, m made) {
		alone(t, upstream.Config{FetchTimeout: 9 * time.Second, ProbeTimeout: 70 * time.Second}, hang, func(t *testing.T, r *rig) {
			want := 9 * time.Second
			switch {
			case m.probes:
				want = 70 * time.Second
			case m.op == "find_tenant":
				want = time.Minute
			}
			start := time.Now()
			_, err := m.call(t.Context(), r.client, tenant)
			if e := r.fault(err); e == nil || e.Reason != fault.UpstreamTimeout || upstream.NotSent(err) || time.Since(start) != want {
				t.Errorf("%v after %v, want %v", err, time.Since(start), want)
			}
			r.metric("esagate.upstream.calls{operation="+m.op+",outcome=timeout}", 1)

			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			start = time.Now()
			if _, err := m.call(ctx, r.client, tenant); err == nil || time.Since(start) != 2*time.Second {
				t.Errorf("with a sooner deadline of its own: %v after %v", err, time.Since(start))
			}
		})
	})
}

func TestTheProbeTimeoutIs75Seconds(t *testing.T) {
	alone(t, upstream.Config{}, hang, func(t *testing.T, r *rig) {
		start := time.Now()
		if _, err := r.client.Provision(t.Context(), provisioning()); err == nil || time.Since(start) != 75*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// opened reports whether the whole upstream's breaker refuses a call of a tenant that
// nothing has been asked of.
func opened(r *rig) bool {
	_, err := r.client.Tenant(context.Background(), "tnt_fresh")
	e := r.fault(err)
	return e != nil && e.Reason == fault.CircuitOpen
}

// TestWhichFailuresOfWritesCount: five in a row, for the whole upstream's breaker.
func TestWhichFailuresOfWritesCount(t *testing.T) {
	answer := func(status int, body string) roundTrip {
		return func(*http.Request) (*http.Response, error) { return respond(status, body), nil }
	}
	for name, c := range map[string]struct {
		answer roundTrip
		opens  bool
	}{
		"unreachable": {func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }, true},
		"502":         {answer(502, ""), true},
		"503":         {answer(503, ""), true},
		"504":         {answer(504, ""), true},
		"the key":     {answer(401, ""), true},
		"500":         {answer(500, ""), false},
		"400":         {answer(400, `{"error":"adapter_invalid_config","message":"m"}`), false},
		"409":         {answer(409, `{"error":"external_org_id_conflict","message":"m"}`), false},
		"422":         {answer(422, `[{"loc":["mock"],"msg":"m"}]`), false},
		"404":         {answer(404, `{"error":"tenant_not_found","message":"m"}`), false},
		"429":         {answer(429, ``), false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, writes, func(t *testing.T, m made) {
				alone(t, upstream.Config{}, c.answer, func(t *testing.T, r *rig) {
					for range 5 {
						_, err := m.call(t.Context(), r.client, tenant)
						if e := r.fault(err); e != nil && e.Reason == fault.CircuitOpen {
							t.Fatal("it opened early")
						}
					}
					if got := opened(r); got != c.opens {
						t.Errorf("opened: %v", got)
					}
					if c.opens {
						_, err := m.call(t.Context(), r.client, tenant)
						if e := r.fault(err); e == nil || e.Reason != fault.CircuitOpen || !upstream.NotSent(err) {
							t.Errorf("while it is open: %v", err)
						}
					}
					r.metric("esagate.upstream.open_tenant_breakers{}", 0)
				})
			})
		})
	}
}

// A deadline of 75 s is longer than the window of what is counted, 30 s.
func TestLongCallsThatTimeOutAreCounted(t *testing.T) {
	alone(t, upstream.Config{}, hang, func(t *testing.T, r *rig) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _, _ = r.client.Provision(context.Background(), provisioning()) })
		}
		all.Wait()
		if !opened(r) {
			t.Error("five timeouts of 75 s opened nothing")
		}
	})
}

// What began before the breaker opened is old news once it has closed again.
func TestOldNewsIsNotCounted(t *testing.T) {
	var down atomic.Bool
	alone(t, upstream.Config{Attempts: 1}, func(q *http.Request) (*http.Response, error) {
		switch {
		case q.Method == http.MethodPost:
			return hang(q)
		case down.Load():
			return respond(502, ""), nil
		}
		return respond(200, document()), nil
	}, func(t *testing.T, r *rig) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _, _ = r.client.Provision(context.Background(), provisioning()) })
		}
		synctest.Wait()
		down.Store(true)
		r.fails(5, tenant, fault.UpstreamError)
		if !opened(r) {
			t.Fatal("not open")
		}
		down.Store(false)
		sleep(pause)
		r.works(tenant)
		all.Wait()
		r.works(tenant)
	})
}

// Nor may it take the probe's turn, when it ends as the breaker is due for one.
func TestOldNewsIsNoProbe(t *testing.T) {
	alone(t, upstream.Config{Attempts: 1}, func(q *http.Request) (*http.Response, error) {
		if q.Method == http.MethodPost {
			return hang(q)
		}
		return respond(502, ""), nil
	}, func(t *testing.T, r *rig) {
		// A probe comes at least 1 ms after the 30 s for which a breaker stays open.
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second+500*time.Microsecond)
		defer cancel()
		var late sync.WaitGroup
		late.Go(func() { _, _ = r.client.Provision(ctx, provisioning()) })
		synctest.Wait()
		r.fails(5, tenant, fault.UpstreamError)
		late.Wait()
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 2)
	})
}

// Retries are a share of the reads; writes allow none.
func TestWritesAddNothingToTheRetryBudget(t *testing.T) {
	reads := 0
	alone(t, upstream.Config{Breaker: lenient}, func(q *http.Request) (*http.Response, error) {
		if q.Method == http.MethodDelete {
			return respond(204, ""), nil
		}
		reads++
		return respond(502, ""), nil
	}, func(t *testing.T, r *rig) {
		for range 300 {
			if err := r.client.DeleteWebhook(t.Context(), tenant, "wh"); err != nil {
				t.Fatal(err)
			}
		}
		r.fails(20, tenant, fault.UpstreamError)
		if reads != 30 {
			t.Errorf("%d retries, want 10", reads-20)
		}
	})
}

func TestCallersThatLeaveAreNotCounted(t *testing.T) {
	each(t, writes, func(t *testing.T, m made) {
		alone(t, upstream.Config{}, hang, func(t *testing.T, r *rig) {
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				_, err := m.call(ctx, r.client, tenant)
				if r.fault(err) == nil || !errors.Is(err, context.Canceled) || upstream.NotSent(err) {
					t.Fatal(err)
				}
			}
			r.metric("esagate.upstream.calls{operation="+m.op+",outcome=canceled}", 20)
			r.metric("esagate.upstream.breaker_state{breaker=upstream}", 0)
		})
	})
}

// A breaker that opened by calls which name no tenant has nobody to ask for, unless
// some other call named one; it must find out all the same that upstream is well again.
func TestABreakerOpenedWithoutATenantIsProbed(t *testing.T) {
	t.Run("nobody was named", func(t *testing.T) { probedWithoutATenant(t, false, "/esagate-probe/status") })
	t.Run("somebody was named", func(t *testing.T) { probedWithoutATenant(t, true, "/"+tenant+"/status") })
}

func probedWithoutATenant(t *testing.T, named bool, want string) {
	var down atomic.Bool
	var asked atomic.Pointer[string]
	alone(t, upstream.Config{}, func(q *http.Request) (*http.Response, error) {
		if down.Load() {
			return respond(503, ""), nil
		}
		asked.Store(&q.URL.Path)
		return respond(404, `{"error":"tenant_not_found","message":"m"}`), nil
	}, func(t *testing.T, r *rig) {
		if named {
			_, _ = r.client.Tenant(t.Context(), tenant)
		}
		down.Store(true)
		for range 5 {
			if _, err := r.client.Provision(t.Context(), provisioning()); err == nil {
				t.Fatal("no error")
			}
		}
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 2)
		down.Store(false)
		sleep(pause)
		if path := asked.Load(); path == nil || !strings.HasSuffix(*path, want) {
			t.Errorf("the probe asked for %v", path)
		}
		if got := r.recoveries(); len(got) != 1 || got[0] != "" || opened(r) {
			t.Errorf("recovered: %q", got)
		}
	})
}

func TestKeyRefusalsOfWritesAreNoted(t *testing.T) {
	var good atomic.Bool
	alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
		if good.Load() {
			return respond(204, ""), nil
		}
		return respond(401, `{"error":"Key is wrong"}`), nil
	}, func(t *testing.T, r *rig) {
		if err := r.client.DeleteWebhook(t.Context(), tenant, "wh"); r.fault(err).Reason != fault.UpstreamUnauthorized {
			t.Errorf("%v", err)
		}
		r.metric("esagate.upstream.key_refusals{}", 1)
		if !r.client.Health().KeyRefused {
			t.Error("health does not say so")
		}
		good.Store(true)
		if err := r.client.DeleteWebhook(t.Context(), tenant, "wh"); err != nil || r.client.Health().KeyRefused {
			t.Errorf("%v", err)
		}
	})
}
