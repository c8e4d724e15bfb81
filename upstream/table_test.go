package upstream_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// alone runs a client over a transport of one function, in a bubble.
func alone(t *testing.T, cfg upstream.Config, transport roundTrip, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newRigAlone(t, cfg, transport)) })
}

// newRigAlone makes a rig without an agent, for many calls: a call by a connection costs ten
// times as much.
func newRigAlone(t *testing.T, cfg upstream.Config, transport roundTrip) *rig {
	t.Helper()
	cfg.BaseURL = "http://agent.invalid/admin"
	calls := &counted{RoundTripper: transport}
	r := newRig(t, cfg, calls)
	r.calls = calls
	return r
}

// document is a status document that counts.
func document() string {
	return string(ut.Document(ut.Tenant{ID: tenant, Active: true, Status: ut.Healthy()}, time.Now()))
}

// gives is a transport that gives one answer; header holds names and values in turn.
func gives(status int, body string, header ...string) roundTrip {
	return func(*http.Request) (*http.Response, error) { return respond(status, body, header...), nil }
}

// breaks is a transport that gives an error.
func breaks(err error) roundTrip {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// hang never answers.
func hang(q *http.Request) (*http.Response, error) {
	<-q.Context().Done()
	return nil, q.Context().Err()
}

// hangConnecting never gets a connection.
func hangConnecting(q *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(q.Context()).GetConn("agent.invalid:80")
	return hang(q)
}

// Breakers that may open.
const (
	none = iota
	ofTenant
	ofAll
)

// TestErrorTable covers every row of contract 7.3 and of the table in decision 7: what a
// status read that ends so becomes, after how many attempts, and which breaker five of
// them open where no other tenant is known.
func TestErrorTable(t *testing.T) {
	const html = "<html><h1>CANARY</h1></html>"
	page := []string{"Content-Type", "text/html"}
	problem := func(code string) string {
		return `{"error":"` + code + `","message":"the password: CANARY","details":{"password":"CANARY"}}`
	}
	type want struct {
		outcome string // as metrics count it
		kind    fault.Kind
		reason  fault.Reason
		after   time.Duration
	}
	unavailable := func(outcome string, r fault.Reason) want { return want{outcome, fault.Unavailable, r, 0} }
	failed, limited := unavailable("error", fault.UpstreamError), unavailable("rate_limited", fault.UpstreamError)
	invalid := unavailable("invalid", fault.UpstreamInvalidResponse)
	refused := unavailable("unauthorized", fault.UpstreamUnauthorized)
	away, late := unavailable("unreachable", fault.UpstreamUnreachable), unavailable("timeout", fault.UpstreamTimeout)
	rejected, conflict := want{"rejected", fault.Validation, "", 0}, want{"conflict", fault.Conflict, "", 0}
	gone := want{"not_found", fault.NotFound, fault.TenantNotFound, 0}
	limited1m := want{"rate_limited", fault.Unavailable, fault.UpstreamError, time.Minute}
	limited20s := want{"rate_limited", fault.Unavailable, fault.UpstreamError, 20 * time.Second}
	failed20s := want{"error", fault.Unavailable, fault.UpstreamError, 20 * time.Second}
	typed := func(contentType string) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			return respond(200, document(), "Content-Type", contentType), nil
		}
	}
	for name, c := range map[string]struct {
		answer   roundTrip
		want     want
		text     string // that an operator reads
		attempts int
		opens    int
	}{
		"301":                   {gives(301, "", "Location", "http://evil.invalid/"), failed, "301", 1, none},
		"302 to nonsense":       {gives(302, "", "Location", "http://[CANARY"), failed, "302", 1, none},
		"400 problem":           {gives(400, problem("bad_request")), rejected, "", 1, none},
		"400 HTML":              {gives(400, html, page...), invalid, "400", 1, none},
		"401 alone":             {gives(401, `{"error":"Key is wrong"}`), refused, "401", 1, ofAll},
		"401 HTML":              {gives(401, html, page...), refused, "401", 1, ofAll},
		"403 known":             {gives(403, problem("managed_tenant_write_blocked")), conflict, "", 1, none},
		"403 unknown":           {gives(403, problem("address_not_allowed")), refused, "address_not_allowed", 1, ofAll},
		"403 HTML":              {gives(403, html, page...), refused, "403", 1, ofAll},
		"404 tenant_not_found":  {gives(404, problem("tenant_not_found")), gone, "", 1, none},
		"404 another word":      {gives(404, problem("route_not_found")), invalid, "404", 1, none},
		"404 HTML":              {gives(404, html, page...), invalid, "404", 1, none},
		"404 empty":             {gives(404, ""), invalid, "404", 1, none},
		"405":                   {gives(405, problem("method_not_allowed")), failed, "405", 1, none},
		"409 problem":           {gives(409, problem("sync_already_running")), conflict, "", 1, none},
		"409 HTML":              {gives(409, html, page...), invalid, "409", 1, none},
		"422 list":              {gives(422, `[{"loc":["name"],"msg":"m","input":"CANARY"}]`), rejected, "", 1, none},
		"422 problem":           {gives(422, problem("invalid")), rejected, "", 1, none},
		"422 HTML":              {gives(422, html, page...), invalid, "422", 1, none},
		"429":                   {gives(429, problem("slow_down")), limited, "429", 3, none},
		"429 in 20 s":           {gives(429, "", "Retry-After", "20"), limited20s, "", 1, none},
		"429 in an hour":        {gives(429, "", "Retry-After", "3600"), limited1m, "", 1, none},
		"500":                   {gives(500, problem("internal")), failed, "internal", 3, ofTenant},
		"500 HTML":              {gives(500, html, page...), failed, "500", 3, ofTenant},
		"501":                   {gives(501, ""), failed, "501", 1, ofTenant},
		"502 HTML":              {gives(502, html, page...), failed, "502", 3, ofTenant},
		"503 alone":             {gives(503, `{"error":"Not configured"}`), failed, "503", 3, ofTenant},
		"503 in 20 s":           {gives(503, "", "Retry-After", "20"), failed20s, "", 1, ofTenant},
		"504 HTML":              {gives(504, html, page...), failed, "504", 3, ofTenant},
		"a huge error":          {gives(500, strings.Repeat("CANARY", 100_000)), failed, "500", 3, ofTenant},
		"201":                   {gives(201, "{}"), invalid, "201", 1, ofTenant},
		"HTML":                  {gives(200, html, page...), invalid, "content type", 1, ofTenant},
		"text/plain":            {typed("text/plain"), invalid, "content type", 1, ofTenant},
		"no content type":       {typed(";"), invalid, "content type", 1, ofTenant},
		"almost JSON":           {typed("application/jsonx"), invalid, "content type", 1, ofTenant},
		"JSON of another kind":  {typed("image/svg+json"), invalid, "content type", 1, ofTenant},
		"no document":           {gives(200, "{}"), invalid, "", 1, ofTenant},
		"too large":             {gives(200, strings.Repeat(" ", 8<<20+1)), invalid, "too large", 1, ofTenant},
		"connection refused":    {breaks(syscall.ECONNREFUSED), away, "connection refused", 3, ofAll},
		"no such host":          {breaks(&net.DNSError{Name: "CANARY"}), away, "can't be resolved", 3, ofAll},
		"no connection in time": {hangConnecting, late, "no answer in time", 1, ofAll},
		"hung":                  {hang, late, "no answer in time", 1, ofTenant},
		"timeout":               {breaks(timeoutError{}), late, "timed out", 1, ofTenant},
		"reset":                 {breaks(syscall.ECONNRESET), away, "connection reset", 3, ofTenant},
		"closed":                {breaks(io.EOF), away, "was closed", 3, ofTenant},
		"cut short":             {breaks(io.ErrUnexpectedEOF), away, "cut short", 3, ofTenant},
		"quotes upstream":       {breaks(errors.New(`malformed "CANARY"`)), away, "the exchange failed", 1, ofTenant},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			alone(t, upstream.Config{FetchTimeout: time.Second}, func(q *http.Request) (*http.Response, error) {
				if strings.Contains(q.URL.Path, other) {
					return respond(200, document()), nil
				}
				calls.Add(1)
				return c.answer(q)
			}, func(t *testing.T, r *rig) {
				start := time.Now()
				e := r.status(tenant)
				if e == nil {
					t.Fatal("it succeeded")
				}
				if took := time.Since(start); c.attempts > 1 && took > 300*time.Millisecond { // 100 and 200 ms
					t.Errorf("the attempts took %v", took)
				}
				got := want{c.want.outcome, e.Kind, e.Reason, e.RetryAfter}
				if got != c.want || !strings.Contains(e.Error(), c.text) {
					t.Errorf("got %+v, want %+v (%v)", got, c.want, e)
				}
				r.metric("esagate.upstream.calls{operation=status,outcome="+c.want.outcome+"}", 1)
				r.metric("esagate.upstream.duration{operation=status,outcome="+c.want.outcome+"}", 1)
				if n := int(calls.Load()); n != c.attempts {
					t.Errorf("%d attempts, want %d", n, c.attempts)
				}
				for range 4 {
					r.status(tenant)
				}
				before := calls.Load()
				if got := r.refuses(tenant); got != (c.opens != none) || got && calls.Load() != before {
					t.Errorf("this tenant refused: %t, after %d calls", got, calls.Load()-before)
				}
				if got := r.refuses(other); got != (c.opens == ofAll) {
					t.Errorf("another tenant refused: %t", got)
				}
			})
		})
	}
}

func TestValidationErrors(t *testing.T) {
	const (
		ours    = "The sales agent does not accept this value."
		whole   = "The sales agent does not accept the request as the gateway makes it."
		request = "The sales agent does not accept the request."
		config  = "The ad server does not accept its configuration."
	)
	type want struct {
		body    string
		message string
		issues  []fault.Issue
	}
	one := func(message, body string) want {
		return want{body, message, []fault.Issue{{Path: "body", Message: message}}}
	}
	for name, c := range map[string]want{
		"a list": {
			`[{"loc":["freewheel","username"],"msg":"Value error, both or none","input":{"password":"CANARY"}},
			  {"loc":["freewheel","CANARY key"],"msg":"password=CANARY"},
			  {"loc":["freewheel","network_id"],"msg":"Not so:\nCANARY"},{"loc":["network_code"],"msg":"password=CANARY"}]`,
			"The request is not valid.",
			[]fault.Issue{
				{Path: "username", Message: "Value error, both or none"},
				{Path: "body", Message: whole},
				{Path: "networkId", Message: "Not so:"},
				{Path: "networkCode", Message: ours},
			},
		},
		"paths as callers know them": {
			`[{"loc":["springserve","default_demand_partner_id"],"msg":"a"},
			  {"loc":["body","adapter","google_ad_manager","network_code"],"msg":"b"},
			  {"loc":["adapter","broadstreet","api_key"],"msg":"c"},
			  {"loc":["name"],"msg":"d"},
			  {"loc":["query","limit"],"msg":"e"},
			  {"loc":["mock"],"msg":"f"},
			  {"loc":["springserve","floors",2,"last_24h_of"],"msg":"g"}]`,
			"The request is not valid.",
			[]fault.Issue{
				{Path: "defaultDemandPartnerId", Message: "a"}, {Path: "networkCode", Message: "b"}, {Path: "apiKey", Message: "c"},
				{Path: "name", Message: "d"}, {Path: "limit", Message: "e"}, {Path: "body", Message: whole},
			},
		},
		"fields that the gateway fills in": {
			`[{"loc":["google_ad_manager","service_account_key_json"],"msg":"Not a key: CANARY"},
			  {"loc":["google_ad_manager","service_account_email"],"msg":"CANARY"},{"loc":["external_org_id"],"msg":"CANARY"},
			  {"loc":[],"msg":"CANARY"},{"loc":["mock","username",0],"msg":"CANARY"},{"loc":["hunter2"],"msg":"CANARY"},{"loc":["networkCode"],"msg":"CANARY"}]`,
			whole,
			[]fault.Issue{{Path: "body", Message: whole}},
		},
		"a sentence":                   one("Name is taken", `{"error":"invalid_request","message":"Name is taken"}`),
		"an ad server's sentence":      {`{"error":"adapter_invalid_config","message":"Network is missing"}`, "Network is missing", nil},
		"a sentence with a secret":     one(request, `{"error":"invalid_request","message":"Refused: token=CANARY"}`),
		"an ad server's with a secret": {`{"error":"adapter_invalid_config","message":"Refused: token=CANARY"}`, config, nil},
		"no sentence":                  one(request, `{"error":"invalid_request"}`),
		"no sentence, an ad server's":  {`{"error":"adapter_connection_failed"}`, config, nil},
		"no code that is known":        one(request, `{"error":"adapter_exploded"}`),
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
				return respond(422, c.body), nil
			}, func(t *testing.T, r *rig) {
				e := r.status(tenant)
				if e == nil || e.Message != c.message || !reflect.DeepEqual(e.Issues, c.issues) {
					t.Errorf("got %+v", e)
				}
			})
		})
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout CANARY" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
