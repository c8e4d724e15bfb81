package upstream_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
	"esagate/upstream/wire"
)

const credential = "CANARY-credential-77"

// provisioning is a request with credentials in it.
func provisioning() wire.ProvisionRequest {
	return wire.ProvisionRequest{
		Name: "Kiosk", ExternalOrgID: "31-8", ExternalSource: "shopfront", ContactEmail: "ops@kiosk.example",
		Adapter: wire.AdapterRequest{{Name: "type", Value: "freewheel"}, {Name: "username", Value: "ops"}, {Name: "password", Value: wire.Secret(credential)}},
	}
}

var subscription = wire.WebhookRequest{URL: "https://gate.example/webhooks/esa-sync",
	EventTypes: []string{"sync_run.failed"}, Secret: credential + "-of-more-than-32-bytes"}

// madeCall is a call of one operation, what it must send, and what it must read.
type madeCall struct {
	op      string
	call    func(ctx context.Context, c *upstream.Client, id string) (any, error)
	request string // method and URI below the API's path
	body    string // what is sent; credentials as they are
	status  int    // an answer that is a success
	answer  string
	want    any  // what is read from it
	writes  bool // is made once
	probes  bool // may take ProbeTimeout
}

func text(s string) wire.Opt[string] { return wire.Opt[string]{Value: s, Set: true} }

// everyCall is every call but the read of a status.
func everyCall() []madeCall {
	history := `{"runs":[{"sync_id":"run_5","sync_type":"inventory","status":"failed","error_summary":"quota"}],"count":1,"next_cursor":"c2"}`
	list := `{"count":2,"tenants":[{"tenant_id":"tnt_a","external_org_id":"31-9","external_source":"shopfront"},` +
		`{"tenant_id":"tnt_b","external_org_id":"31-8","external_source":"shopfront","is_active":true}]}`
	key := credential + "-of-more-than-32-bytes"
	nothing := func(err error) (any, error) { return nil, err }
	return append(operations(), []madeCall{
		{"provision", func(ctx context.Context, c *upstream.Client, _ string) (any, error) {
			return c.Provision(ctx, provisioning())
		},
			"POST /provision", `{"name":"Kiosk","external_org_id":"31-8","external_source":"shopfront","contact_email":"ops@kiosk.example",` +
				`"adapter":{"type":"freewheel","username":"ops","password":"` + credential + `"}}`,
			201, `{"tenant_id":"tnt_new","mcp_url":"https://a.example/mcp/","initial_principal":{"access_token":"CANARY"},"adapter":{"connection_test_passed":true}}`,
			&wire.Provisioned{TenantID: "tnt_new", MCPURL: text("https://a.example/mcp/")}, true, true},
		{"put_adapter_config", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return nothing(c.PutAdapterConfig(ctx, id, wire.AdapterRequest{{Name: "type", Value: "google_ad_manager"}, {Name: "network_code", Value: "55"}, {Name: "service_account_key_json", Value: wire.Secret(credential)}}))
		}, "PUT /{id}/adapter-config", `{"type":"google_ad_manager","network_code":"55","service_account_key_json":"` + credential + `"}`,
			200, `{"type":"google_ad_manager","configured":true,"service_account_key_json":"CANARY"}`, nil, true, true},
		{"test_connection", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return c.TestConnection(ctx, id)
		},
			"POST /{id}/adapter-config/test-connection", "", 200, `{"success":false,"error_code":"invalid_credentials"}`,
			&wire.TestResult{ErrorCode: text("invalid_credentials")}, true, true},
		{"put_adapter_settings", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return nothing(c.PutAdapterSettings(ctx, id, "springserve", []byte(`{"demand_class":"tag","x":[1]}`)))
		}, "PUT /{id}/adapters/springserve/config", `{"demand_class":"tag","x":[1]}`, 200, `{}`, nil, true, true},
		{"refresh", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.Refresh(ctx, id) },
			"POST /{id}/refresh", "", 202, `{"sync_run_ids":{"advertisers":"run_1"}}`,
			&wire.Refresh{SyncRunIDs: wire.Members[string]{{Name: "advertisers", Value: "run_1"}}}, true, false},
		{"deactivate", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.Deactivate(ctx, id) },
			"POST /{id}/deactivate", "", 200, `{"tenant_id":"{id}"}`, &wire.Tenant{TenantID: "tnt.x_y"}, true, false},
		{"reactivate", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.Reactivate(ctx, id) },
			"POST /{id}/reactivate", "", 200, `{"tenant_id":"{id}"}`, &wire.Tenant{TenantID: "tnt.x_y"}, true, false},
		{"create_webhook", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return c.CreateWebhook(ctx, id, subscription)
		}, "POST /{id}/webhooks", `{"url":"https://gate.example/webhooks/esa-sync","event_types":["sync_run.failed"],"secret":"` + key + `"}`,
			201, `{"webhook_id":"wh_9","url":"u","is_active":true,"secret":"CANARY"}`, &wire.Webhook{WebhookID: "wh_9", URL: "u", IsActive: true}, true, false},
		{"delete_webhook", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return nothing(c.DeleteWebhook(ctx, id, "wh/9"))
		}, "DELETE /{id}/webhooks/wh%2F9", "", 204, "", nil, true, false},
		{"adapter_config", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.AdapterConfig(ctx, id) },
			"GET /{id}/adapter-config", "", 200, `{"type":"mock","configured":true,"api_key":"CANARY"}`,
			&wire.AdapterConfig{Type: "mock", Configured: true}, false, false},
		{"tenant", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.Tenant(ctx, id) },
			"GET /{id}", "", 200, `{"tenant_id":"{id}","external_org_id":"31-8"}`,
			&wire.Tenant{TenantID: "tnt.x_y", ExternalOrgID: text("31-8")}, false, false},
		{"webhooks", func(ctx context.Context, c *upstream.Client, id string) (any, error) { return c.Webhooks(ctx, id) },
			"GET /{id}/webhooks", "", 200, `{"webhooks":[{"webhook_id":"wh_9","url":"u"}],"count":1}`, []wire.Webhook{{WebhookID: "wh_9", URL: "u"}}, false, false},
		{"adapter_settings", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			s, err := c.AdapterSettings(ctx, id, "free/wheel")
			if err != nil {
				return nil, err
			}
			return string(s.Raw), nil
		}, "GET /{id}/adapters/free%2Fwheel/config", "", 200, `{"default_advertiser_id":"a7"}`, `{"default_advertiser_id":"a7"}`, false, false},
		{"sync_history", func(ctx context.Context, c *upstream.Client, id string) (any, error) {
			return c.SyncHistory(ctx, id, upstream.HistoryQuery{SyncType: "inventory", Cursor: "CANARY&limit=9", Limit: 7})
		}, "GET /{id}/sync-history?cursor=CANARY%26limit%3D9&limit=7&sync_type=inventory", "", 200, history, &wire.SyncHistory{
			Runs:  []wire.SyncRun{{SyncID: "run_5", SyncType: "inventory", Status: "failed", ErrorSummary: text("quota")}},
			Count: wire.Opt[int64]{Value: 1, Set: true}, NextCursor: text("c2"),
		}, false, false},
		{"find_tenant", func(ctx context.Context, c *upstream.Client, _ string) (any, error) {
			return c.FindTenant(ctx, "shopfront", "31-8")
		}, "GET ?external_source=shopfront", "", 200, list, &wire.Tenant{TenantID: "tnt_b", ExternalOrgID: text("31-8"),
			ExternalSource: text("shopfront"), IsActive: wire.Opt[bool]{Value: true, Set: true}}, false, false},
	}...)
}

// toTenant is the answer to a call about the usual tenant.
func (m madeCall) toTenant() string { return strings.ReplaceAll(m.answer, "{id}", tenant) }

// each runs a subtest for every call that is picked.
func each(t *testing.T, picked func(madeCall) bool, f func(t *testing.T, m madeCall)) {
	t.Helper()
	for _, m := range everyCall() {
		if picked(m) {
			t.Run(m.op, func(t *testing.T) { f(t, m) })
		}
	}
}

func every(madeCall) bool { return true }

// aboutTenant leaves out the calls that name no tenant.
func aboutTenant(m madeCall) bool { return m.op != "provision" && m.op != "find_tenant" }

func TestRequestsAndAnswers(t *testing.T) {
	each(t, every, func(t *testing.T, m madeCall) {
		var sent, kind, body string
		id := "tnt/x?y" // no word, and escaped all the same
		if strings.Contains(m.answer, "{id}") {
			id = "tnt.x_y"
		}
		alone(t, upstream.Config{}, func(q *http.Request) (*http.Response, error) {
			sent, kind = q.Method+" "+strings.TrimPrefix(q.URL.RequestURI(), "/admin/api/v1/tenant-management/tenants"), q.Header.Get("Content-Type")
			if q.Body != nil {
				b, _ := io.ReadAll(q.Body)
				body = string(b)
			}
			if q.GetBody != nil {
				t.Error("a transport could send the body twice")
			}
			for name, want := range map[string]string{
				"X-Tenant-Management-API-Key": key, "Accept": "application/json", "User-Agent": "esagate",
			} {
				if got := q.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			return respond(m.status, strings.ReplaceAll(m.answer, "{id}", id)), nil
		}, func(t *testing.T, r *rig) {
			got, err := m.call(t.Context(), r.client, id)
			if err != nil {
				t.Fatal(r.fault(err))
			}
			if m.want != nil && !reflect.DeepEqual(got, m.want) {
				t.Errorf("got  %+v\nwant %+v", got, m.want)
			}
			if want := strings.Replace(m.request, "{id}", url.PathEscape(id), 1); sent != want {
				t.Errorf("requested %s, want %s", sent, want)
			}
			if body != m.body || (kind == "application/json") != (m.body != "") {
				t.Errorf("sent %s as %q, want %s", body, kind, m.body)
			}
			r.metric("esagate.upstream.calls{operation="+m.op+",outcome=ok}", 1)
			spans := r.spans.GetSpans()
			if len(spans) != 1 || spans[0].Name != "sales agent "+m.op {
				t.Errorf("spans: %v", spans)
			}
		})
	})
}

// neverAsked is a transport that nothing is given.
func neverAsked(t *testing.T) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return respond(200, "{}"), nil
	}
}

func TestImpossibleIDs(t *testing.T) {
	each(t, aboutTenant, func(t *testing.T, m madeCall) {
		alone(t, upstream.Config{}, neverAsked(t), func(t *testing.T, r *rig) {
			for _, id := range []string{"", ".", "..", strings.Repeat("x", 256)} {
				_, err := m.call(t.Context(), r.client, id)
				if e := r.fault(err); e == nil || e.Kind != fault.NotFound || e.Reason != fault.TenantNotFound || !upstream.NotSent(err) {
					t.Errorf("%.5q: %v", id, err)
				}
			}
			for _, id := range []string{"", "..", strings.Repeat("x", 256)} {
				_, err := r.client.AdapterSettings(t.Context(), tenant, id)
				if e := r.fault(err); e == nil || e.Kind != fault.NotFound || e.Reason != "" {
					t.Errorf("the settings of %.5q: %v", id, err)
				}
				err = r.client.DeleteWebhook(t.Context(), tenant, id)
				if e := r.fault(err); e == nil || e.Kind != fault.NotFound || e.Reason != "" || !upstream.NotSent(err) {
					t.Errorf("the webhook %.5q: %v", id, err)
				}
			}
		})
	})
}

// No caller of the gateway can cause these.
func TestRequestsThatCannotBeMade(t *testing.T) {
	alone(t, upstream.Config{}, neverAsked(t), func(t *testing.T, r *rig) {
		_, noAdapter := r.client.Provision(t.Context(), wire.ProvisionRequest{})
		_, noOrg := r.client.FindTenant(t.Context(), "shopfront", "")
		for name, err := range map[string]error{
			"no adapter":         noAdapter,
			"no config":          r.client.PutAdapterConfig(t.Context(), tenant, nil),
			"no organisation":    noOrg,
			"settings: a list":   r.client.PutAdapterSettings(t.Context(), tenant, "freewheel", []byte(`[]`)),
			"settings: twice":    r.client.PutAdapterSettings(t.Context(), tenant, "freewheel", []byte(`{"a":1,"a":2}`)),
			"settings: none":     r.client.PutAdapterSettings(t.Context(), tenant, "freewheel", nil),
			"settings: too much": r.client.PutAdapterSettings(t.Context(), tenant, "freewheel", []byte(`{"a":"`+strings.Repeat("x", 64<<10)+`"}`)),
		} {
			if e := r.fault(err); e == nil || e.Kind != fault.Internal || !upstream.NotSent(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
