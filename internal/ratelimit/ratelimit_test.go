package ratelimit_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/ratelimit"
)

func bubble(t *testing.T, limits ratelimit.Limits, f func(t *testing.T, l *ratelimit.Limiter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, ratelimit.New(limits)) })
}

// describe writes a verdict as its headers say it.
func describe(v ratelimit.Verdict) string {
	if v.Policy == nil {
		return "no limit"
	}
	return fmt.Sprint(v.Refused, " ", v.RateLimit(), " of ", v.Policy[0])
}

func expect(t *testing.T, v ratelimit.Verdict, want string) {
	t.Helper()
	if got := describe(v); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBucketsFill(t *testing.T) {
	for _, c := range []struct {
		limit  ratelimit.Limit
		policy string
		first  string
		empty  string // after all of the burst
		wait   time.Duration
	}{
		{ratelimit.Limit{Rate: 500, Burst: 1000}, `q=1000;w=2`, `r=999;t=1`, `r=0;t=1`, 2 * time.Millisecond},
		{ratelimit.Limit{Rate: 10, Burst: 50}, `q=50;w=5`, `r=49;t=1`, `r=0;t=1`, 100 * time.Millisecond},
		{ratelimit.Limit{Rate: 100_000, Burst: 1}, `q=1;w=1`, `r=0;t=1`, `r=0;t=1`, 10 * time.Microsecond},
		{ratelimit.Limit{Rate: 0.02, Burst: 2}, `q=2;w=100`, `r=1;t=50`, `r=0;t=50`, 50 * time.Second},
		{ratelimit.Limit{Rate: 0.3, Burst: 1}, `q=1;w=4`, `r=0;t=4`, `r=0;t=4`, 3333333334 * time.Nanosecond},
	} {
		bubble(t, ratelimit.Limits{Writes: c.limit}, func(t *testing.T, l *ratelimit.Limiter) {
			of := ` of "writes";` + c.policy
			expect(t, l.Write(1), `false "writes";`+c.first+of)
			for range c.limit.Burst - 1 {
				l.Write(1)
			}
			expect(t, l.Write(1), `true "writes";`+c.empty+of)
			for range 100 { // each is let through just when it is due
				early := c.wait / 1000 // the bucket counts in nanoseconds
				time.Sleep(c.wait - early)
				if v := l.Write(1); !v.Refused {
					t.Fatalf("%v: let through early", c.limit)
				}
				time.Sleep(early)
				if v := l.Write(1); v.Refused {
					t.Fatalf("%v: refused when it was due", c.limit)
				}
			}
			time.Sleep(time.Hour)
			expect(t, l.Write(1), `false "writes";`+c.first+of)
			expect(t, l.Read(1), "no limit")
		})
	}
}

// As many attempts as may be wrong are under way at once; those that were not wrong cost nothing.
func TestAttempts(t *testing.T) {
	client, other := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2")
	bubble(t, ratelimit.Limits{WrongKeys: ratelimit.Limit{Rate: 1, Burst: 3}}, func(t *testing.T, l *ratelimit.Limiter) {
		begin := func(client netip.Addr, wait time.Duration) ratelimit.Attempt {
			t.Helper()
			a, got, ok := l.Attempt(client)
			if ok != (wait == 0) || got != wait {
				t.Errorf("got %v, %v, want %v", ok, got, wait)
			}
			return a
		}
		for range 100 {
			begin(client, 0).End(false)
		}
		a, b, c := begin(client, 0), begin(client, 0), begin(client, 0)
		begin(client, time.Second)
		a.End(false)
		a = begin(client, 0)
		begin(client, time.Second)
		a.End(true)
		b.End(true)
		begin(client, time.Second)
		c.End(true)
		time.Sleep(400 * time.Millisecond)
		begin(client, 600*time.Millisecond)
		begin(other, 0).End(true)
		time.Sleep(600 * time.Millisecond)
		begin(client, 0).End(true)
		begin(client, time.Second)
		l.SetLimits(ratelimit.Limits{})
		begin(client, 0).End(true)
	})
}

// However many customers and addresses there are, what is remembered has a bound; and one that
// comes again and again is not forgotten for others that come once.
func TestMemoryIsBounded(t *testing.T) {
	l := ratelimit.New(ratelimit.Limits{Reads: ratelimit.Limit{Rate: 1e-9, Burst: 1}, WrongKeys: ratelimit.Limit{Rate: 1e-9, Burst: 1}})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	l.Read(0)
	before := heap()
	const many = 200_000
	for i := range int64(many) {
		l.Read(1 + i)
		a := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 16), byte(i >> 8), byte(i)})
		if a, _, ok := l.Attempt(a); ok {
			a.End(true)
		}
		if i%100 == 0 {
			if v := l.Read(0); !v.Refused {
				t.Fatalf("forgotten after %d others", i)
			}
		}
	}
	// 20,000 buckets of some 300 bytes; 400,000 would be over 100 MB.
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("the heap has grown by %d MB", grown>>20)
	}
	runtime.KeepAlive(l)
}

// However many ask at once, and whatever becomes of the limits, no more than the burst is let through.
func TestManyAtOnce(t *testing.T) {
	limits := ratelimit.Limits{Reads: ratelimit.Limit{Rate: 1e-9, Burst: 100}, WrongKeys: ratelimit.Limit{Rate: 1e-9, Burst: 100}}
	l := ratelimit.New(limits)
	client := netip.MustParseAddr("198.51.100.1")
	var reads, wrong atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 500 {
				if i%50 == 0 {
					l.SetLimits(limits)
				}
				if v := l.Read(1); !v.Refused {
					reads.Add(1)
				}
				if a, _, ok := l.Attempt(client); ok {
					a.End(true)
					wrong.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if reads.Load() != 100 || wrong.Load() != 100 {
		t.Errorf("let through %d reads and %d wrong keys, want 100 each", reads.Load(), wrong.Load())
	}
}

func BenchmarkRead(b *testing.B) {
	l := ratelimit.New(ratelimit.Limits{Reads: ratelimit.Limit{Rate: 1e9, Burst: 1e9}})
	b.ReportAllocs()
	for b.Loop() {
		if v := l.Read(4711); v.Refused || v.RateLimit() == "" {
			b.Fatal("refused")
		}
	}
}
