package upstream_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// operate makes a request of an operation on an ad server, and gives the document that was decoded.
func operate(r upstream.Request) func(context.Context, *upstream.Client, string) (any, error) {
	return func(ctx context.Context, c *upstream.Client, id string) (any, error) {
		var document any
		r := r
		if r.Method != http.MethodDelete {
			r.Decode = func(body io.Reader) error {
				text, err := io.ReadAll(body)
				if err == nil && !wire.ValidBody(text) || len(text) <= len("{}") {
					return fmt.Errorf("no document: %w", cmp.Or(err, io.ErrUnexpectedEOF))
				}
				document = string(text)
				return err
			}
		}
		err := c.Operate(ctx, id, r)
		return document, err
	}
}

const thing = `{"thing_id":"a"}`

// operations are calls of operations, as they differ for the client.
func operations() []madeCall {
	query := url.Values{"q": {"CANARY&limit=9"}}
	return []madeCall{
		{"listThings", operate(upstream.Request{Operation: "listThings", Method: "GET", Path: []string{"things"}, Query: query}),
			"GET /{id}/things?q=CANARY%26limit%3D9", "", 200, thing, thing, false, false},
		{"askForThings", operate(upstream.Request{Operation: "askForThings", Path: []string{"things"}, Slow: true}),
			"GET /{id}/things", "", 200, thing, thing, true, true},
		{"changeTenant", operate(upstream.Request{Operation: "changeTenant", Method: "PATCH", Body: []byte(thing)}),
			"PATCH /{id}", thing, 200, thing, thing, true, false},
		{"makeThing", operate(upstream.Request{Operation: "makeThing", Method: "POST", Path: []string{"things:make"}, Body: []byte(thing), Accept: []int{201}, Slow: true}),
			"POST /{id}/things:make", thing, 201, thing, thing, true, true},
		{"removeThing", operate(upstream.Request{Operation: "removeThing", Method: "DELETE", Path: []string{"things", "a/b"}}),
			"DELETE /{id}/things/a%2Fb", "", 204, "", nil, true, false},
	}
}

// refusing makes a write whose answer refuses it.
func refusing(status int, body string, f func(t *testing.T, r *rig, refuse func() *fault.Error)) func(t *testing.T) {
	return func(t *testing.T) {
		alone(t, upstream.Config{}, gives(status, body), func(t *testing.T, r *rig) {
			f(t, r, func() *fault.Error {
				err := r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "makeThing", Method: "POST", Path: []string{"things"},
					Body: []byte(thing), CallersPath: callersPath})
				if no := refusal(err); no == nil || no.Status != status || upstream.NotSent(err) {
					t.Fatalf("%v does not say that nothing was done", err)
				}
				return r.fault(err)
			})
		})
	}
}

// callersPath knows two members, of which one is a map.
func callersPath(path string) string {
	path = strings.TrimPrefix(path, "body.")
	switch first, rest, _ := strings.Cut(path, "."); {
	case first == "thing_id":
		return "thingId"
	case first == "some_map" && rest != "":
		return "someMap." + rest
	}
	return ""
}

// TestWords has every word of contract 12.11, in an answer whose texts must not be shown.
func TestWords(t *testing.T) {
	type want struct {
		kind   fault.Kind
		reason fault.Reason
		path   string // of the issue, and of the field at fault but for "body"
		code   string // of the ad server
	}
	missing := func(r fault.Reason) want { return want{kind: fault.NotFound, reason: r} }
	taken := func(r fault.Reason) want { return want{kind: fault.Conflict, reason: r} }
	at := func(path string) want { return want{kind: fault.Validation, path: path} }
	declined := func(code string) want { return want{kind: fault.Validation, path: "body", code: code} }
	for _, c := range []struct {
		status int
		word   string
		want   want
	}{
		{404, "routing_rule_not_found", missing("MAPPING_NOT_FOUND")},
		{404, "media_buy_not_found", missing("MEDIA_BUY_NOT_FOUND")},
		{404, "wholesale_product_not_found", missing("PRODUCT_NOT_FOUND")},
		{404, "signal_mapping_not_found", missing("SIGNAL_NOT_FOUND")},
		{404, "tenant_not_found", missing("TENANT_NOT_FOUND")},
		{409, "routing_rule_duplicate", taken("MAPPING_EXISTS")},
		{409, "wholesale_product_exists", taken("PRODUCT_EXISTS")},
		{409, "inventory_profile_conflict", taken("PRODUCT_ID_TAKEN")},
		{409, "signal_mapping_exists", taken("SIGNAL_EXISTS")},
		{409, "signal_mapping_in_use", taken("SIGNAL_IN_USE")},
		{409, "tenant_inactive", taken("")},
		{403, "managed_tenant_write_blocked", taken("")},
		{400, "invalid_signal_mapping", at("body")},
		{400, "invalid_wholesale_product", at("body")},
		{400, "brand_house_required", at("brandHouse")},
		{400, "invalid_advertiser_id", at("gamAdvertiserId")},
		{400, "invalid_advertiser_name", at("name")},
		{400, "unsupported_selector_type", at("query.selectorType")},
		{400, "unsupported_signal_candidate_type", at("query.candidateType")},
		{400, "invalid_pagination", at("query.cursor")},
		{400, "signal_id_mismatch", at("signalId")},
		{400, "wholesale_product_id_mismatch", at("wholesale_product_id")},
		{400, "adapter_not_configured", want{fault.Validation, "AD_SERVER_NOT_SUPPORTED", "esaId", ""}},
		{400, "adapter_invalid_config", declined("ADAPTER_INVALID_CONFIG")},
		{400, "adapter_quota_exceeded", declined("INTERNAL_ERROR")},
		{403, "adapter_permission_denied", declined("ADAPTER_PERMISSION_DENIED")},
		{403, "adapter_quota_exceeded", declined("INTERNAL_ERROR")},
		{502, "adapter_connection_failed", declined("ADAPTER_CONNECTION_FAILED")},
		{400, "signal_mapping_exists", at("body")}, // of another status
		{409, "brand_house_required", taken("")},
	} {
		body := `{"error":"` + c.word + `","message":"Refused: password=CANARY","details":{"password":"CANARY",
			"issues":"CANARY","supported_selector_types":["CANARY is none",7],"active_references":"CANARY"}}`
		t.Run(fmt.Sprint(c.status, c.word), refusing(c.status, body, func(t *testing.T, r *rig, refuse func() *fault.Error) {
			for range 100 {
				e := refuse()
				got := want{e.Kind, e.Reason, e.Field, e.ErrorCode}
				if e.Field == "" && e.Issues != nil {
					got.path = "body"
				} else if c.want.code != "" {
					t.Fatalf("the field is %q", e.Field)
				}
				if got != c.want || len(e.Message) < 10 || !strings.HasSuffix(e.Message, ".") || e.ActiveReferences != nil {
					t.Fatalf("got %+v, want %+v: %+v", got, c.want, e)
				}
				if c.want.path != "" && !reflect.DeepEqual(e.Issues, []fault.Issue{{Path: c.want.path, Message: e.Message}}) {
					t.Fatalf("the issues are %v", e.Issues)
				}
			}
			if h := r.client.Health(); h.Breaker != "closed" || h.OpenTenants != 0 || h.KeyRefused {
				t.Errorf("%+v", h)
			}
		}))
	}
}

// TestNoWords: what upstream does not name is what it is for all calls.
func TestNoWords(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		reason fault.Reason
	}{
		"404 of a route":             {404, `{"error":"Not Found"}`, fault.UpstreamInvalidResponse},
		"404, another's word":        {404, `{"error":"webhook_not_found","message":"m"}`, fault.UpstreamInvalidResponse},
		"404, a word of another's":   {404, `{"error":"signal_mapping_exists","message":"m"}`, fault.UpstreamInvalidResponse},
		"404, an ad server's":        {404, `{"error":"adapter_config_not_found","message":"m"}`, fault.UpstreamInvalidResponse},
		"404, a page":                {404, `<h1>signal_mapping_not_found`, fault.UpstreamInvalidResponse},
		"403 of a firewall":          {403, `{"error":"blocked","message":"m"}`, fault.UpstreamError},
		"the key":                    {401, `{"error":"Key is wrong"}`, fault.UpstreamUnauthorized},
		"a success in words":         {202, `{"error":"signal_mapping_not_found","message":"m"}`, fault.UpstreamInvalidResponse},
		"a failure after the commit": {500, `{"error":"signal_mapping_not_found","message":"m"}`, fault.UpstreamError},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, upstream.Config{}, gives(c.status, c.body), func(t *testing.T, r *rig) {
				err := r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "makeThing", Method: "POST", Body: []byte(thing)})
				if e := r.fault(err); e == nil || e.Kind != fault.Unavailable || e.Reason != c.reason || upstream.NotSent(err) {
					t.Errorf("%v", err)
				}
				if mayBeDone := c.status < 300 || c.status >= 500; mayBeDone != (refusal(err) == nil) {
					t.Errorf("it says that nothing was done, or does not: %v", err)
				}
			})
		})
	}
}

func TestActiveReferences(t *testing.T) {
	const none = -9
	for number, want := range map[string]int64{
		"2": 2, "0": 0, "2.0": 2, "2e1": 20, "9007199254740991": 1<<53 - 1,
		"-1": none, "1.5": none, `"2"`: none, "null": none, "1e300": none, "[2]": none,
	} {
		body := `{"error":"signal_mapping_in_use","message":"m","details":{"active_references":` + number + `}}`
		t.Run(number, refusing(409, body, func(t *testing.T, r *rig, refuse func() *fault.Error) {
			got := int64(none)
			if n := refuse().ActiveReferences; n != nil {
				got = *n
			}
			if got != want {
				t.Errorf("%d, want %d", got, want)
			}
		}))
	}
}

// TestIssues: what upstream's own check of a body found is told one by one, by the caller's names.
func TestIssues(t *testing.T) {
	const whole = "The sales agent finds fault with this."
	issue := func(code, field, message string) string {
		return `{"code":"` + code + `","field":` + field + `,"message":"` + message + `","severity":"error","x":"CANARY"}`
	}
	var many []string
	for i := range 60 {
		many = append(many, issue("c", fmt.Sprintf(`"some_map.%d"`, i), "No."))
	}
	for name, c := range map[string]struct {
		issues []string
		want   []fault.Issue
	}{
		"a code of ours": {[]string{issue("missing_categories", `"thing_id"`, "value_type='CANARY'")},
			[]fault.Issue{{Path: "thingId", Message: "A categorical signal needs categories."}}},
		"another, treated": {[]string{issue("quota", `"some_map.a_b.0"`, "Too many: 7."), issue("quota", `"some_map.c"`, "password=CANARY")},
			[]fault.Issue{{Path: "someMap.a_b.0", Message: "Too many: 7."}, {Path: "someMap.c", Message: whole}}},
		"no field": {[]string{issue("quota", "null", "Too many."), issue("quota", `"other"`, "Too few."), issue("quota", "7", "Odd.")},
			[]fault.Issue{{Path: "body", Message: "Too many."}, {Path: "body", Message: "Too few."}, {Path: "body", Message: "Odd."}}},
		"no words in a path": {[]string{issue("quota", `"some_map.CANARY key.-1.4f7aQ2x9Lm0pW8sT3vBnKd.007"`, "No.")},
			[]fault.Issue{{Path: "someMap.?.?.?.007", Message: "No."}}},
		"a long path": {[]string{issue("quota", `"some_map`+strings.Repeat(".a", 30)+`"`, "No.")},
			[]fault.Issue{{Path: "someMap" + strings.Repeat(".a", 15), Message: "No."}}},
		"the same twice": {[]string{issue("quota", `"thing_id"`, "No."), issue("quota", `"thing_id"`, "No.")}, []fault.Issue{{Path: "thingId", Message: "No."}}},
		"odd elements":   {[]string{`7`, `null`, `{}`, `{"code":7,"message":["CANARY"]}`}, []fault.Issue{{Path: "body", Message: whole}}},
		"none":           {nil, []fault.Issue{{Path: "body", Message: "Not so."}}},
		"many":           {many, nil},
	} {
		body := `{"error":"invalid_signal_mapping","message":"Not so.","details":{"issues":[` + strings.Join(c.issues, ",") + `]}}`
		t.Run(name, refusing(400, body, func(t *testing.T, r *rig, refuse func() *fault.Error) {
			e := refuse()
			if c.want == nil && (len(e.Issues) != 50 || e.Issues[49].Path != "someMap.49") || c.want != nil && !reflect.DeepEqual(e.Issues, c.want) {
				t.Errorf("got %+v", e.Issues)
			}
			if field := e.Issues[0].Path; e.Kind != fault.Validation || e.Field != field && field != "body" {
				t.Errorf("%+v", e)
			}
		}))
	}
}

func TestSupportedWords(t *testing.T) {
	for name, c := range map[string]struct{ word, details, want string }{
		"selectors": {"unsupported_selector_type", `"supported_selector_types":["ad_unit","placement"]`,
			"The ad server has no selectors of this type, but of these: ad_unit, placement."},
		"candidates": {"unsupported_signal_candidate_type", `"supported_candidate_types":["audience","a CANARY","4f7aQ2x9Lm0pW8sT3vBnKd",7,null]`,
			"The ad server has no candidates of this type, but of these: audience."},
		"none": {"unsupported_selector_type", `"supported_selector_types":[]`, "The ad server has no selectors of this type."},
		"many": {"unsupported_selector_type", `"supported_selector_types":["a"` + strings.Repeat(`,"a"`, 40) + `]`,
			"The ad server has no selectors of this type, but of these: a" + strings.Repeat(", a", 19) + "."},
	} {
		body := `{"error":"` + c.word + `","message":"m","details":{` + c.details + `}}`
		t.Run(name, refusing(400, body, func(t *testing.T, r *rig, refuse func() *fault.Error) {
			if e := refuse(); e.Message != c.want {
				t.Errorf("got %s", e.Message)
			}
		}))
	}
}

// TestLocationsOfAnOperation: a 422 speaks of the body that was sent, in which names of ad-server configs are none.
func TestLocationsOfAnOperation(t *testing.T) {
	const other = "The sales agent does not accept the request as the gateway makes it."
	body := `[{"loc":["thing_id"],"msg":"Too long","input":"CANARY"},{"loc":["body","some_map","a b",3],"msg":"Odd"},{"loc":["network_code"],"msg":"m"}]`
	t.Run("with names", refusing(422, body, func(t *testing.T, r *rig, refuse func() *fault.Error) {
		want := []fault.Issue{{Path: "thingId", Message: "Too long"}, {Path: "someMap.?.3", Message: "Odd"}, {Path: "body", Message: other}}
		if e := refuse(); !reflect.DeepEqual(e.Issues, want) {
			t.Errorf("got %+v", e.Issues)
		}
	}))
	alone(t, upstream.Config{}, gives(422, body), func(t *testing.T, r *rig) {
		err := r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "changeTenant", Method: "PATCH", Body: []byte(thing)})
		if e := r.fault(err); e == nil || !reflect.DeepEqual(e.Issues, []fault.Issue{{Path: "body", Message: other}}) {
			t.Errorf("without names: %+v", e)
		}
	})
}

// TestFailuresOfOperations: what others, or a caller's words, may be the cause of opens no breaker, and takes no retry
// from the reads of statuses.
func TestFailuresOfOperations(t *testing.T) {
	slow := upstream.Request{Operation: "listThings", Path: []string{"things"}, Slow: true}
	uncounted := upstream.Request{Operation: "listThings", Path: []string{"things"}, Uncounted: true}
	for name, c := range map[string]struct {
		request  upstream.Request
		answer   roundTrip
		attempts int // of one call
	}{
		"slow, 500":                {slow, gives(500, ""), 1},
		"slow, 503":                {slow, gives(503, "", "Retry-After", "1"), 1},
		"slow, no document":        {slow, gives(200, "{"), 1},
		"slow, no connection":      {slow, breaks(syscall.ECONNREFUSED), 1},
		"uncounted, 500":           {uncounted, gives(500, `{"error":"internal_error"}`), 1},
		"uncounted, 502":           {uncounted, gives(502, "<h1>"), 1},
		"uncounted, no connection": {uncounted, breaks(syscall.ECONNREFUSED), 3},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			alone(t, upstream.Config{}, func(q *http.Request) (*http.Response, error) {
				if strings.HasSuffix(q.URL.Path, "/status") {
					return respond(200, document()), nil
				}
				calls++
				return c.answer(q)
			}, func(t *testing.T, r *rig) {
				for i := range 100 {
					c.request.Decode = func(body io.Reader) error { _, err := wire.DecodeSettings(nil); return err }
					err := r.client.Operate(t.Context(), tenant, c.request)
					if e := r.fault(err); e == nil || e.Kind != fault.Unavailable || e.Reason == fault.CircuitOpen {
						t.Fatalf("%v", err)
					}
					if i == 0 && calls != c.attempts {
						t.Errorf("%d attempts, want %d", calls, c.attempts)
					}
				}
				if c.attempts == 1 {
					r.metric("esagate.upstream.retries{operation=listThings}", 0)
				}
				r.works(tenant, other)
				if h := r.client.Health(); h.Breaker != "closed" || h.OpenTenants != 0 || h.KeyRefused {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}

// TestOutagesOutliveOperations: operations that fail do not end what reads of statuses have seen.
func TestOutagesOutliveOperations(t *testing.T) {
	alone(t, upstream.Config{Attempts: 1}, gives(500, ""), func(t *testing.T, r *rig) {
		for range 4 {
			r.must(tenant, fault.UpstreamError)
			_ = r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "listThings", Uncounted: true})
		}
		r.must(tenant, fault.UpstreamError)
		r.must(tenant, fault.CircuitOpen)
	})
}

func TestASlowOperationThatHangs(t *testing.T) {
	alone(t, upstream.Config{FetchTimeout: time.Second}, hang, func(t *testing.T, r *rig) {
		for _, method := range []string{"GET", "POST"} {
			start := time.Now()
			err := r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "makeThing", Method: method, Body: []byte(thing), Slow: true})
			if e := r.fault(err); e == nil || e.Reason != fault.UpstreamTimeout || time.Since(start) != 75*time.Second || upstream.NotSent(err) {
				t.Errorf("%s: %v after %v", method, err, time.Since(start))
			}
		}
		r.metric("esagate.upstream.calls{operation=makeThing,outcome=timeout}", 2)
	})
}

// TestBodiesOfOperations: what the sales agent can't parse it would read as an empty object, and answer with a success.
func TestBodiesOfOperations(t *testing.T) {
	alone(t, upstream.Config{}, neverAsked(t), func(t *testing.T, r *rig) {
		for _, body := range []string{"", "[]", `{"a":1`, `{"a":1} {}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", "null", "{'a':1}"} {
			for _, method := range []string{"POST", "PUT", "PATCH"} {
				err := r.client.Operate(t.Context(), tenant, upstream.Request{Operation: "makeThing", Method: method, Body: []byte(body)})
				if e := r.fault(err); e == nil || e.Kind != fault.Internal || !upstream.NotSent(err) {
					t.Errorf("%s %q: %v", method, body, err)
				}
			}
		}
	})
}
