package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// agent is a sales agent in memory, for one test: it does what it is asked, unless the
// script says otherwise. As a real one it goes on with what it was asked when whoever
// asked has left.
type agent struct {
	t *testing.T

	mu      sync.Mutex
	tenants []*agentTenant
	script  map[string][]behaviour // by operation: of the next calls
	always  map[string]behaviour   // of all calls that have no script
	calls   []agentCall
	pending sync.WaitGroup
}

type agentTenant struct {
	ID       string `json:"tenant_id"`
	Org      string `json:"external_org_id"`
	Source   string `json:"external_source"`
	Active   bool   `json:"is_active"`
	Created  string `json:"created_at,omitempty"`
	adapter  map[string]any
	settings map[string]string // by type, JSON
}

type agentCall struct {
	op   string
	at   time.Time
	body map[string]any
	raw  string
	// unclear: whoever asked was not given an answer that says whether it was done.
	unclear bool
}

// behaviour is how a call goes. The zero value does what is asked, and says so.
type behaviour struct {
	unreachable bool          // nobody can be connected to
	before      time.Duration // passes before anything is done
	nothing     bool          // it is not done
	after       time.Duration // passes before the answer
	cut         bool          // the connection is lost in place of an answer
	status      int           // of another answer
	body        string
}

func refuse(status int, body string) behaviour {
	return behaviour{nothing: true, status: status, body: body}
}

func newAgent(t *testing.T) *agent {
	return &agent{t: t, script: map[string][]behaviour{}, always: map[string]behaviour{}}
}

// next says how the next calls of an operation go, one after the other.
func (a *agent) next(op string, b ...behaviour) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script[op] = append(a.script[op], b...)
}

// all says how calls go that have no script.
func (a *agent) all(op string, b behaviour) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.always[op] = b
}

// made gives the calls of an operation.
func (a *agent) made(op string) (calls []agentCall) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c.op == op {
			calls = append(calls, c)
		}
	}
	return calls
}

// asked counts all calls.
func (a *agent) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}

func (a *agent) tenant(id string) *agentTenant {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.find(id)
}

func (a *agent) find(id string) *agentTenant {
	for _, t := range a.tenants {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (a *agent) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.tenants)
}

// add makes a tenant that was there before, for an hour.
func (a *agent) add(id, org string, adapter map[string]any) *agentTenant {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := &agentTenant{ID: id, Org: org, Source: "shop", Active: true, Created: created(time.Now().Add(-time.Hour)),
		adapter: adapter, settings: map[string]string{}}
	a.tenants = append(a.tenants, t)
	return t
}

// created is a time as upstream writes it, without a zone.
func created(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.999999") }

// operationOf gives the operation of a request, with the tenant and the type in its
// path.
func operationOf(r *http.Request) (op, id, kind string) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/tenant-management/tenants"), "/")[1:]
	switch {
	case len(parts) == 0:
		return "list", "", ""
	case parts[0] == "provision":
		return "provision", "", ""
	case len(parts) == 1:
		return "tenant", parts[0], ""
	case parts[1] == "adapters":
		return strings.ToLower(r.Method) + "-settings", parts[0], parts[2]
	case len(parts) == 3:
		return "test", parts[0], ""
	case parts[1] == "adapter-config":
		return strings.ToLower(r.Method) + "-config", parts[0], ""
	}
	return parts[1], parts[0], "" // deactivate, reactivate, refresh
}

// RoundTrip implements http.RoundTripper.
func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	var raw []byte
	if r.Body != nil {
		raw, _ = io.ReadAll(r.Body)
	}
	op, id, kind := operationOf(r)
	call := agentCall{op: op, at: time.Now(), raw: string(raw)}
	_ = json.Unmarshal(raw, &call.body)
	a.mu.Lock()
	b := a.always[op]
	if s := a.script[op]; len(s) > 0 {
		b, a.script[op] = s[0], s[1:]
	}
	if b.unreachable {
		a.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	call.unclear = b.cut || b.status >= 500 || b.nothing && b.status == 0
	a.calls = append(a.calls, call)
	at := len(a.calls) - 1
	a.mu.Unlock()
	answers := make(chan *http.Response, 1)
	a.pending.Go(func() {
		time.Sleep(b.before)
		var status int
		var body string
		if !b.nothing {
			a.mu.Lock()
			status, body = a.do(op, id, kind, call, r.URL.Query().Get("external_source"))
			a.mu.Unlock()
		}
		time.Sleep(b.after)
		if b.status != 0 {
			status, body = b.status, b.body
		}
		if status == 0 || b.cut {
			answers <- nil
			return
		}
		answers <- &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
	})
	select {
	case resp := <-answers:
		if resp == nil {
			return nil, io.ErrUnexpectedEOF
		}
		return resp, nil
	case <-r.Context().Done():
		a.mu.Lock()
		a.calls[at].unclear = true
		a.mu.Unlock()
		return nil, r.Context().Err()
	}
}

const noTenant = `{"error":"tenant_not_found","message":"no such tenant"}`

// do does what is asked; a.mu is held.
func (a *agent) do(op, id, kind string, c agentCall, source string) (int, string) {
	encode := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			a.t.Error(err)
		}
		return string(b)
	}
	switch op {
	case "list":
		list := []*agentTenant{}
		for _, t := range a.tenants {
			if source == "" || t.Source == source {
				list = append(list, t)
			}
		}
		return 200, encode(map[string]any{"tenants": list})
	case "provision":
		org := fmt.Sprint(c.body["external_org_id"])
		for _, t := range a.tenants {
			if t.Org == org {
				return 409, encode(map[string]any{"error": "external_org_id_conflict", "message": "taken", "details": map[string]any{"tenant_id": t.ID}})
			}
		}
		adapter, _ := c.body["adapter"].(map[string]any)
		t := &agentTenant{ID: fmt.Sprintf("tnt_%d", len(a.tenants)+1), Org: org, Source: fmt.Sprint(c.body["external_source"]),
			Active: true, Created: created(time.Now()), adapter: adapter, settings: map[string]string{}}
		a.tenants = append(a.tenants, t)
		return 201, encode(map[string]any{"tenant_id": t.ID, "external_org_id": org, "mcp_url": "https://agent.example/shop/mcp/",
			"a2a_url": "https://elsewhere.example/a2a", "initial_principal": map[string]any{"access_token": "CANARY-principal"}})
	}
	t := a.find(id)
	if t == nil {
		return 404, noTenant
	}
	switch op {
	case "tenant":
		return 200, encode(t)
	case "get-config":
		if t.adapter == nil {
			return 200, `{"type":null,"configured":false}`
		}
		return 200, encode(map[string]any{"type": t.adapter["type"], "configured": true})
	case "put-config":
		t.adapter = c.body
		t.settings = map[string]string{} // all that the request does not name is reset
		return 200, encode(map[string]any{"type": c.body["type"], "configured": true})
	case "get-settings":
		if s, ok := t.settings[kind]; ok {
			return 200, s
		}
		return 404, `{"error":"adapter_config_not_found","message":"none"}`
	case "put-settings":
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(c.raw)) != nil {
			return 400, `{"error":"bad","message":"bad"}`
		}
		t.settings[kind] = compact.String()
		return 200, c.raw
	case "test":
		return 200, `{"success":true,"capability_checks":[],"tested_at":"2000-01-01T00:00:00Z"}`
	case "refresh":
		return 202, `{"sync_run_ids":{"inventory":"run_1"},"started_at":"2000-01-01T00:00:00Z"}`
	case "deactivate", "reactivate":
		t.Active = op == "reactivate"
		return 200, encode(t)
	}
	a.t.Errorf("an unexpected call: %s", op)
	return 500, "{}"
}
