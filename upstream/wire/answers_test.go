package wire_test

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/upstream/wire"
)

func some[T any](v T) wire.Opt[T] { return wire.Opt[T]{Value: v, Set: true} }

func at(s string) wire.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return wire.Time{Time: t}
}

// decoders are those of the documents that are no status, without their types.
var decoders = map[string]func([]byte) (any, error){
	"adapter config": func(b []byte) (any, error) { return wire.DecodeAdapterConfig(b) },
	"tenant":         func(b []byte) (any, error) { return wire.DecodeTenant(b) },
	"provisioned":    func(b []byte) (any, error) { return wire.DecodeProvisioned(b) },
	"test":           func(b []byte) (any, error) { return wire.DecodeTestResult(b) },
	"refresh":        func(b []byte) (any, error) { return wire.DecodeRefresh(b) },
	"history":        func(b []byte) (any, error) { return wire.DecodeSyncHistory(b) },
	"settings":       func(b []byte) (any, error) { return wire.DecodeSettings(b) },
	"webhook":        func(b []byte) (any, error) { return wire.DecodeWebhook(b) },
	"webhooks":       func(b []byte) (any, error) { return wire.DecodeWebhooks(b) },
	"event":          func(b []byte) (any, error) { return wire.DecodeEvent(b) },
}

// Tests, refreshes and histories are golden cases of package transform.
func TestDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		decoder, body string
		want          any
	}{
		"provisioned": {"provisioned",
			`{"tenant_id":"tnt_9","name":"Kiosk","external_org_id":"31-8","mcp_url":"https://a.example/mcp/","a2a_url":"https://a.example/a2a",
			  "adapter":{"type":"mock","configured":true,"connection_test_passed":true,"connection_test_error":"CANARY"},
			  "initial_principal":{"principal_id":"p","access_token":"CANARY"},"created_at":"2026-03-01T08:00:00Z"}`,
			&wire.Provisioned{TenantID: "tnt_9", ExternalOrgID: some("31-8"),
				MCPURL: some("https://a.example/mcp/"), A2AURL: some("https://a.example/a2a")}},
		"a tenant": {"tenant", `{"tenant_id":"tnt_9","external_source":"shopfront","external_org_id":null,"is_active":true,"created_at":"2026-03-01T08:00:00","contact_email":"CANARY"}`,
			&wire.Tenant{TenantID: "tnt_9", ExternalSource: some("shopfront"), IsActive: some(true), CreatedAt: at("2026-03-01T08:00:00Z")}},
		"an adapter config": {"adapter config", `{"type":"google_ad_manager","configured":true,"network_code":"7654","service_account_email":"a@b.example",
			  "service_account_key_json":"CANARY","refresh_token":{"a":"CANARY"}}`,
			&wire.AdapterConfig{Type: "google_ad_manager", Configured: true, NetworkCode: some("7654"), ServiceAccountEmail: some("a@b.example")}},
		"a subscription": {"webhook", `{"webhook_id":"wh_1","url":"https://g.example/w","is_active":true,"secret":"CANARY"}`, &wire.Webhook{WebhookID: "wh_1", URL: "https://g.example/w", IsActive: true}},
		"subscriptions": {"webhooks", `{"webhooks":[{"webhook_id":"wh_1","is_active":"yes","secret":"CANARY"},{"url":"u"},null,[1],{"webhook_id":"wh_2","url":"u","is_active":true}],"count":5}`,
			[]wire.Webhook{{WebhookID: "wh_1"}, {WebhookID: "wh_2", URL: "u", IsActive: true}}},
	} {
		if got, err := decoders[c.decoder]([]byte(c.body)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, c.want)
		}
	}
}

func TestDocumentsThatDoNotCount(t *testing.T) {
	needs := map[string][]string{
		"adapter config": {`{"type":"CANARY"}`, `{"type":1,"configured":true}`, `{"type":"CANARY","configured":"no"}`},
		"tenant":         {`{"tenant_id":""}`, `{"tenant_id":4}`},
		"provisioned":    {`{"tenant_id":null}`, `{"tenant_id":""}`, `{"tenant_id":["CANARY"]}`, `{"id":"CANARY"}`},
		"test":           {`{"success":"true"}`, `{"error":"CANARY"}`, `{"success":null}`},
		"refresh":        {`{"message":"CANARY"}`, `{"sync_run_ids":["CANARY"]}`, `{"sync_run_ids":{},"sync_run_ids":null}`, `{"started_at":"CANARY"}`},
		"history":        {`{"count":0}`, `{"runs":{"a":"CANARY"}}`, `{"runs":[],"runs":null}`},
		"webhook":        {`{"url":"CANARY"}`, `{"webhook_id":7}`},
		"webhooks":       {`{"count":0}`, `{"webhooks":null}`, `{"webhooks":[{"webhook_id":"a"}],"webhooks":7}`},
		"settings":       {`{"a":1,"a":"CANARY"}`, "{\"a\":\"CANARY\xff\"}", `{"a":"` + strings.Repeat("CANARY", 11_000) + `"}`},
	}
	for name, decode := range decoders {
		if name != "settings" && name != "event" {
			needs[name] = append(needs[name], `{}`)
		}
		for _, body := range append(needs[name], ``, `null`, `[]`, `"CANARY"`, `<html>CANARY`, `{"CANARY`, `{"CANARY":[}`, `{} CANARY`, `[{"a":1}]`) {
			got, err := decode([]byte(body))
			var invalid *wire.InvalidError
			if !errors.As(err, &invalid) {
				t.Errorf("%s: %.60s: %v", name, body, err)
				continue
			}
			if strings.Contains(err.Error(), "CANARY") || !reflect.ValueOf(got).IsZero() {
				t.Errorf("%s: %.60s: %v, %v", name, body, got, err)
			}
		}
	}
}

func TestSettings(t *testing.T) {
	const body = ` {"type":"springserve","default_demand_partner_id":12,"demand_class":"tag","enable_key_value_targeting":true,
		"rate_currency":"EUR","default_advertiser_id":"a7","campaign_name_template":"{po}","token":"CANARY","later":[{"x":1}]} `
	raw := []byte(body)
	s, err := wire.DecodeSettings(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if string(s.Raw) != body {
		t.Error("not as upstream gave them, or kept in its buffer")
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "settings", s, "value", *s)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %x %d", s, *s, s, *s, s), log.String()} {
		if strings.Contains(shown, "CANARY") || strings.Contains(shown, "434") || strings.Contains(shown, "a7") {
			t.Errorf("shown: %s", shown)
		}
	}
	if !wire.ValidSettings([]byte(`{}`)) || wire.ValidSettings([]byte(`{"a":1} {}`)) || wire.ValidSettings(nil) {
		t.Error("what may be written is not what may be read")
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"tenant_id":"a","adapter":{"connection_test_passed":true},"success":false,` +
		`"details":{"vendor_fault":{"vendor_status":1,"vendor_message":"x"}}}`))
	f.Add([]byte(`{"success":true,"capability_checks":[{"capability":"a","status":"b","details":{}}],"sync_run_ids":{"a":"b"},"started_at":"2026-03-01T08:00:00Z"}`))
	f.Add([]byte(`{"runs":[{"sync_id":"a","sync_type":"b","status":"c","duration_seconds":1e2}],"webhooks":[{"webhook_id":"a","is_active":true}]}`))
	f.Add([]byte(`{"tenant_id":"x","type":"y","configured":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, decode := range decoders {
			got, err := decode(body)
			var invalid *wire.InvalidError
			if err != nil && (!errors.As(err, &invalid) || !reflect.ValueOf(got).IsZero()) {
				t.Fatalf("%s: %v, %v", name, got, err)
			}
			if err == nil && name != "webhooks" && reflect.ValueOf(got).IsZero() {
				t.Fatalf("%s: neither a document nor an error", name)
			}
		}
	})
}
