package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"esagate/upstream/upstreamtest"
)

// agent is the simulated sales agent on a scripted connection: what becomes of a call is
// up to the script. As the real one it finishes what was sent when the caller has left.
type agent struct {
	*upstreamtest.Agent
	clockBack atomic.Int64 // how long ago tenants are made

	mu      sync.Mutex
	script  map[string][]behaviour // by operation: of the next calls
	always  map[string]behaviour   // of all calls that have no script
	calls   []agentCall
	pending sync.WaitGroup
}

type agentCall struct {
	op   string
	at   time.Time
	body map[string]any
	// unclear: the caller got no answer that says whether it was done.
	unclear bool
}

// behaviour is what becomes of a call. The zero value does what is asked and answers.
type behaviour struct {
	unreachable bool          // the connection is refused
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

func newAgent() *agent {
	a := &agent{script: map[string][]behaviour{}, always: map[string]behaviour{}}
	a.Agent = upstreamtest.New(upstreamtest.Options{PublicURL: "https://agent.example/shop",
		Now: func() time.Time { return time.Now().Add(-time.Duration(a.clockBack.Load())) }})
	return a
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

// id gives the id of the only tenant.
func (a *agent) id() string { return a.TenantIDs()[0] }

// active reports whether the only tenant is.
func (a *agent) active() bool {
	t, _ := a.Tenant(a.id())
	return t.Active
}

// username gives the account of the only tenant's config.
func (a *agent) username() string {
	c, _ := a.Config(a.id())
	return c.Account()
}

// setting gives the setting of the only tenant that a change of config resets.
func (a *agent) setting() string {
	c, _ := a.Config(a.id())
	return string(c.Values["default_advertiser_id"])
}

func (a *agent) set(setting string) {
	a.SetSettings(a.id(), upstreamtest.Values{"default_advertiser_id": json.RawMessage(setting)})
}

// add makes a tenant of a source that was made an hour ago.
func (a *agent) add(id, org, source, adServer string) {
	a.clockBack.Store(int64(time.Hour))
	defer a.clockBack.Store(0)
	a.SetTenant(upstreamtest.Tenant{ID: id, ExternalOrgID: org, ExternalSource: source, Active: true,
		AdServer: upstreamtest.AdServer{Type: adServer, Configured: adServer != ""}, Status: upstreamtest.Provisioned()})
}

// operationOf gives the operation of a request.
func operationOf(r *http.Request) string {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, upstreamtest.BasePath+"/tenants"), "/")[1:]
	switch {
	case len(parts) == 0:
		return "list"
	case parts[0] == "provision":
		return "provision"
	case len(parts) == 1:
		return "tenant"
	case parts[1] == "adapters":
		return strings.ToLower(r.Method) + "-settings"
	case len(parts) == 3:
		return "test"
	case parts[1] == "adapter-config":
		return strings.ToLower(r.Method) + "-config"
	}
	return parts[1] // deactivate, reactivate, refresh
}

// RoundTrip implements http.RoundTripper.
func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	var raw []byte
	if r.Body != nil {
		raw, _ = io.ReadAll(r.Body)
	}
	op := operationOf(r)
	call := agentCall{op: op, at: time.Now()}
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
			status, body = a.do(r, raw)
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

// do has the agent do what is asked.
func (a *agent) do(r *http.Request, raw []byte) (int, string) {
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(raw))
	request.Header = r.Header.Clone()
	a.ServeHTTP(answer, request)
	if operationOf(r) == "put-config" && answer.Code == http.StatusOK {
		a.set("null") // freewheel's one setting stands in the request: here it is reset all the same
	}
	return answer.Code, answer.Body.String()
}
