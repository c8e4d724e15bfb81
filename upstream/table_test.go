package upstream_test

import (
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
)

// alone runs a client over a transport of one function, in a bubble.
func alone(t *testing.T, cfg upstream.Config, transport roundTrip, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.BaseURL, cfg.APIKey = "http://agent.invalid", key
		r := newRig(t, cfg, transport)
		defer func() {
			r.client.Close()
			r.assertNoSecrets()
		}()
		f(t, r)
	})
}

// TestErrorTable covers every row of contract 7.3.
func TestErrorTable(t *testing.T) {
	const html = "<html><h1>CANARY</h1></html>"
	page := []string{"Content-Type", "text/html"}
	problem := func(code string) string {
		return `{"error":"` + code + `","message":"the password: CANARY","details":{"password":"CANARY"}}`
	}
	type want struct {
		kind   fault.Kind
		reason fault.Reason
		after  time.Duration
	}
	unavailable := func(r fault.Reason) want { return want{fault.Unavailable, r, 0} }
	for name, c := range map[string]struct {
		status int
		body   string
		header []string
		want   want
	}{
		"301":                  {301, "", []string{"Location", "http://evil.invalid/"}, unavailable(fault.UpstreamError)},
		"302 to nonsense":      {302, "", []string{"Location", "http://[CANARY"}, unavailable(fault.UpstreamError)},
		"400 problem":          {400, problem("bad_request"), nil, want{fault.Validation, "", 0}},
		"400 HTML":             {400, html, page, unavailable(fault.UpstreamInvalidResponse)},
		"401 alone":            {401, `{"error":"Key is wrong"}`, nil, unavailable(fault.UpstreamUnauthorized)},
		"401 HTML":             {401, html, page, unavailable(fault.UpstreamUnauthorized)},
		"403 known":            {403, problem("managed_tenant_write_blocked"), nil, want{fault.Conflict, "", 0}},
		"403 unknown":          {403, problem("address_not_allowed"), nil, unavailable(fault.UpstreamUnauthorized)},
		"403 HTML":             {403, html, page, unavailable(fault.UpstreamUnauthorized)},
		"404 tenant_not_found": {404, problem("tenant_not_found"), nil, want{fault.NotFound, fault.TenantNotFound, 0}},
		"404 another word":     {404, problem("route_not_found"), nil, unavailable(fault.UpstreamInvalidResponse)},
		"404 HTML":             {404, html, page, unavailable(fault.UpstreamInvalidResponse)},
		"404 empty":            {404, "", nil, unavailable(fault.UpstreamInvalidResponse)},
		"405":                  {405, problem("method_not_allowed"), nil, unavailable(fault.UpstreamError)},
		"409 problem":          {409, problem("sync_already_running"), nil, want{fault.Conflict, "", 0}},
		"409 HTML":             {409, html, page, unavailable(fault.UpstreamInvalidResponse)},
		"422 list":             {422, `[{"loc":["mock","name"],"msg":"Too long","input":"CANARY"}]`, nil, want{fault.Validation, "", 0}},
		"422 problem":          {422, problem("invalid"), nil, want{fault.Validation, "", 0}},
		"422 HTML":             {422, html, page, unavailable(fault.UpstreamInvalidResponse)},
		"429":                  {429, problem("slow_down"), nil, unavailable(fault.UpstreamError)},
		"429 in 20 s":          {429, "", []string{"Retry-After", "20"}, want{fault.Unavailable, fault.UpstreamError, 20 * time.Second}},
		"429 in an hour":       {429, "", []string{"Retry-After", "3600"}, want{fault.Unavailable, fault.UpstreamError, time.Minute}},
		"500":                  {500, problem("internal"), nil, unavailable(fault.UpstreamError)},
		"500 HTML":             {500, html, page, unavailable(fault.UpstreamError)},
		"501":                  {501, "", nil, unavailable(fault.UpstreamError)},
		"502 HTML":             {502, html, page, unavailable(fault.UpstreamError)},
		"503 alone":            {503, `{"error":"Not configured"}`, nil, unavailable(fault.UpstreamError)},
		"503 in 20 s":          {503, "", []string{"Retry-After", "20"}, want{fault.Unavailable, fault.UpstreamError, 20 * time.Second}},
		"504 HTML":             {504, html, page, unavailable(fault.UpstreamError)},
		"201":                  {201, document(), nil, unavailable(fault.UpstreamInvalidResponse)},
		"a huge error":         {500, strings.Repeat("CANARY", 100_000), nil, unavailable(fault.UpstreamError)},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
				return respond(c.status, c.body, c.header...), nil
			}, func(t *testing.T, r *rig) {
				e := r.status(tenant)
				if e == nil {
					t.Fatal("it succeeded")
				}
				if got := (want{e.Kind, e.Reason, e.RetryAfter}); got != c.want {
					t.Errorf("got %+v, want %+v (%v)", got, c.want, e)
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

func TestTransportFailures(t *testing.T) {
	timeout := timeoutError{}
	for name, c := range map[string]struct {
		err    error
		reason fault.Reason
		calls  int
		text   string // that an operator reads
	}{
		"refused":         {syscall.ECONNREFUSED, fault.UpstreamUnreachable, 3, "connection refused"},
		"reset":           {syscall.ECONNRESET, fault.UpstreamUnreachable, 3, "connection reset"},
		"no such host":    {&net.DNSError{Err: "no such host", Name: "CANARY"}, fault.UpstreamUnreachable, 3, "can't be resolved"},
		"dial timeout":    {timeout, fault.UpstreamTimeout, 1, "timed out"},
		"quotes upstream": {errors.New(`malformed HTTP response "CANARY"`), fault.UpstreamUnreachable, 1, "the exchange failed"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
				calls++
				return nil, c.err
			}, func(t *testing.T, r *rig) {
				e := r.must(tenant, c.reason)
				if calls != c.calls || !strings.Contains(e.Error(), c.text) {
					t.Errorf("%d attempts, want %d: %v", calls, c.calls, e)
				}
			})
		})
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout CANARY" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
