package upstream_test

import (
	"net/http"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

func TestRetryAfter(t *testing.T) {
	// A bubble's clock begins at this moment.
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	const none = -1
	type row struct {
		status int
		value  string
		waited time.Duration // until the second attempt; none: there was none
		says   time.Duration // the error's RetryAfter then
	}
	runEach(t, map[string]row{
		"seconds":               {429, "2", 2 * time.Second, 0},
		"a date":                {503, began.Add(2 * time.Second).Format(http.TimeFormat), 2 * time.Second, 0},
		"longer than readers":   {429, "4", none, 4 * time.Second},
		"past the deadline":     {429, "10", none, 10 * time.Second},
		"a date past it":        {429, began.Add(30 * time.Second).Format(http.TimeFormat), none, 30 * time.Second},
		"an hour":               {503, "3600", none, time.Minute},
		"a year":                {429, began.AddDate(1, 0, 0).Format(http.TimeFormat), none, time.Minute},
		"beyond all numbers":    {429, "99999999999999999999999", none, time.Minute},
		"a 502 is not believed": {502, "4", 0, 0},
		"nonsense":              {429, "soon", 0, 0},
		"negative":              {429, "-5", 0, 0},
		"zero":                  {429, "0", 0, 0},
		"past":                  {429, began.Add(-time.Hour).Format(http.TimeFormat), 0, 0},
	}, upstream.Config{}, func(t *testing.T, r *rig, c row) {
		r.agent.Script(tenant, ut.Fault{Status: c.status, RetryAfter: c.value})
		start := time.Now()
		e := r.status(tenant)
		took := time.Since(start)
		switch {
		case c.waited == none:
			if e == nil || e.RetryAfter != c.says || took != 0 || r.agent.Calls(tenant) != 1 {
				t.Errorf("after %v and %d attempts: %v, retry after %v", took, r.agent.Calls(tenant), e, e.RetryAfter)
			}
			r.metric("esagate.upstream.retries_refused{reason=deadline}", 1)
		case e != nil:
			t.Errorf("%v", e)
		case c.waited == 0 && took > 100*time.Millisecond, c.waited > 0 && took != c.waited:
			t.Errorf("waited %v, want %v", took, c.waited)
		}
	})
}

// lenient is a config whose breakers never open.
var lenient = upstream.BreakerConfig{ConsecutiveFailures: 1 << 30, MinimumRequests: 1 << 30}

const statusRetries = "esagate.upstream.retries{operation=status}"

func TestTheRetryBudget(t *testing.T) {
	run(t, upstream.Config{Breaker: lenient}, func(t *testing.T, r *rig) {
		retries := func(reads int) (n int) {
			t.Helper()
			before := r.metrics()[statusRetries]
			r.fails(reads, tenant, fault.UpstreamError)
			return int(r.metrics()[statusRetries] - before)
		}
		for range 300 { // writes do not count
			if err := r.client.DeleteWebhook(t.Context(), tenant, "wh"); err != nil {
				t.Fatal(err)
			}
		}
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		if n := retries(20); n != 10 {
			t.Errorf("%d retries at once, want 10", n)
		}
		r.metric("esagate.upstream.retries_refused{reason=budget}", 15) // 5 reads had 2 retries each
		time.Sleep(9400 * time.Millisecond)                             // they took up to 1.5 s
		if n := retries(5); n != 0 {
			t.Errorf("%d more within 10 s", n)
		}
		time.Sleep(3 * time.Second)
		if n := retries(20); n != 10 {
			t.Errorf("%d retries once the first are older than 10 s, want 10", n)
		}
	})
}

func TestTheRetryBudgetGrowsWithReads(t *testing.T) {
	run(t, upstream.Config{Breaker: lenient}, func(t *testing.T, r *rig) {
		for range 300 {
			r.works(tenant)
		}
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(50, tenant, fault.UpstreamError)
		if n := int(r.metrics()[statusRetries]); n < 30 || n > 35 { // 10 % of 300 to 350 reads
			t.Errorf("%d retries", n)
		}
	})
}
