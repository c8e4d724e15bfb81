package webhooks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// hook is a subscription as the sales agent keeps it.
type hook struct {
	ID     string   `json:"webhook_id"`
	URL    string   `json:"url"`
	Events []string `json:"event_types"`
	Active bool     `json:"is_active"`
	At     string   `json:"created_at"`

	secret string
}

// agent is a sales agent that keeps webhooks and nothing else.
type agent struct {
	mu    sync.Mutex
	hooks map[string][]hook // by tenant
	made  int
	calls []string
	gone  bool // no tenant is known
	away  bool // nothing is answered
	// before is called with each request before it is answered; an error is what the
	// connection fails with, after the request has had its effect if late is set.
	before func(call string) error
	late   bool
}

// RoundTrip implements http.RoundTripper.
func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/tenant-management/tenants/")
	tenant, path, _ := strings.Cut(rest, "/")
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
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
	status, answer := http.StatusNotFound, any(map[string]string{"error": "tenant_not_found", "message": "no"})
	switch {
	case a.away:
		return nil, errors.New("nobody is there")
	case !ok || a.gone:
	default:
		status, answer = a.answer(call, tenant, body)
	}
	if failed != nil {
		return nil, failed
	}
	text, err := json.Marshal(answer)
	if status == http.StatusNoContent {
		text = nil
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(text))), Request: r, ProtoMajor: 1, ProtoMinor: 1}, err
}

func (a *agent) answer(call, tenant string, body []byte) (int, any) {
	id, deletes := strings.CutPrefix(call, "DELETE webhooks/")
	switch {
	case call == "GET webhooks":
		return http.StatusOK, map[string]any{"webhooks": append([]hook{}, a.hooks[tenant]...), "count": len(a.hooks[tenant])}
	case call == "POST webhooks":
		var req struct {
			URL    string   `json:"url"`
			Events []string `json:"event_types"`
			Secret string   `json:"secret"`
		}
		if err := json.Unmarshal(body, &req); err != nil || len(req.Secret) < 32 {
			return http.StatusUnprocessableEntity, []any{}
		}
		a.made++
		h := hook{ID: fmt.Sprint("wh-", a.made), URL: req.URL, Events: req.Events, Active: true, At: "2000-01-01T00:00:00Z", secret: req.Secret}
		a.hooks[tenant] = append(a.hooks[tenant], h)
		return http.StatusCreated, struct {
			hook
			Secret string `json:"secret"`
		}{h, "CANARY"}
	case deletes:
		for i, h := range a.hooks[tenant] {
			if h.ID == id {
				a.hooks[tenant] = slices.Delete(a.hooks[tenant], i, i+1)
				return http.StatusNoContent, nil
			}
		}
		return http.StatusNotFound, map[string]string{"error": "webhook_not_found", "message": "no"}
	}
	return http.StatusMethodNotAllowed, nil
}

// set changes how the agent behaves.
func (a *agent) set(change func(*agent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// asked gives the calls since it was last asked.
func (a *agent) asked() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	calls := strings.Join(a.calls, ", ")
	a.calls = nil
	return calls
}

// of gives a tenant's subscriptions.
func (a *agent) of(tenant string) []hook {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.hooks[tenant])
}
