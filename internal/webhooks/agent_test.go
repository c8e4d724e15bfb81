package webhooks_test

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"esagate/upstream/upstreamtest"
)

// agent is the simulated sales agent behind a transport on which calls can be watched,
// held up and cut off.
type agent struct {
	*upstreamtest.Agent
	next http.RoundTripper

	mu    sync.Mutex
	calls []string
	// before is called with each request, as "POST webhooks". An error is what the
	// connection fails with; with late, after the request has had its effect.
	before func(call string) error
	late   bool
	old    bool // it is of a build that knows only the old names of events
}

// RoundTrip implements http.RoundTripper.
func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/tenant-management/tenants/"), "/")
	call := r.Method + " " + path
	a.mu.Lock()
	before, late := a.before, a.late
	a.mu.Unlock()
	var failed error
	if before != nil {
		if failed = before(call); failed != nil && !late {
			return nil, failed
		}
	}
	a.mu.Lock()
	a.calls = append(a.calls, call)
	a.mu.Unlock()
	if a.old && call == "POST webhooks" {
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		renamed := strings.ReplaceAll(string(body), `"sync.`, `"sync_run.`)
		if renamed == string(body) {
			const refusal = `[{"type":"literal_error","loc":["event_types",0],"msg":"no such event","input":"CANARY"}]`
			return &http.Response{
				StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(refusal)), Request: r,
			}, nil
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(renamed)), int64(len(renamed))
	}
	resp, err := a.next.RoundTrip(r)
	if failed != nil && err == nil {
		_ = resp.Body.Close()
		return nil, failed
	}
	return resp, err
}

// beforeCreate has something happen before each subscription is made.
func (a *agent) beforeCreate(do func() error) {
	a.before = func(call string) error {
		if call != "POST webhooks" {
			return nil
		}
		return do()
	}
}

// set changes how the transport behaves.
func (a *agent) set(change func(*agent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// asked gives the calls since asked was last called.
func (a *agent) asked() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	calls := strings.Join(a.calls, ", ")
	a.calls = nil
	return calls
}

// active gives a tenant's active subscriptions.
func (a *agent) active(tenant string) (active []upstreamtest.Subscription) {
	for _, s := range a.Subscriptions(tenant) {
		if s.Active {
			active = append(active, s)
		}
	}
	return active
}
