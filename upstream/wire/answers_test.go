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
}

func TestDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		decoder, body string
		want          any
	}{
		"provisioned": {"provisioned",
			`{"tenant_id":"tnt_9","name":"Kiosk","external_org_id":"31-8","mcp_url":"https://a.example/mcp/","a2a_url":"https://a.example/a2a",
			  "adapter":{"type":"mock","configured":true,"connection_test_passed":true,"connection_test_error":"CANARY"},
			  "initial_principal":{"principal_id":"p","access_token":"CANARY"},"created_at":"2026-03-01T08:00:00Z"}`,
			&wire.Provisioned{TenantID: "tnt_9", MCPURL: some("https://a.example/mcp/"), A2AURL: some("https://a.example/a2a")}},
		"provisioned, the least": {"provisioned", `{"tenant_id":"tnt_9","adapter":[],"mcp_url":7}`, &wire.Provisioned{TenantID: "tnt_9"}},
		"provisioned, twice": {"provisioned", `{"tenant_id":"a","tenant_id":"b","mcp_url":"/mcp/","mcp_url":null}`,
			&wire.Provisioned{TenantID: "b"}},
		"a tenant": {"tenant", `{"tenant_id":"tnt_9","external_source":"shopfront","external_org_id":null,"is_active":true,"created_at":"2026-03-01T08:00:00","contact_email":"CANARY"}`,
			&wire.Tenant{TenantID: "tnt_9", ExternalSource: some("shopfront"), IsActive: some(true), CreatedAt: at("2026-03-01T08:00:00Z")}},
		"a tenant that is inactive": {"tenant", `{"tenant_id":"tnt_1","external_org_id":"4-9","is_active":false,"more":{}}`,
			&wire.Tenant{TenantID: "tnt_1", ExternalOrgID: some("4-9"), IsActive: some(false)}},
		"an adapter config": {"adapter config", `{"type":"google_ad_manager","configured":true,"network_code":"7654","service_account_email":"a@b.example",
			  "service_account_key_json":"CANARY","refresh_token":{"a":"CANARY"}}`,
			&wire.AdapterConfig{Type: "google_ad_manager", Configured: true, NetworkCode: some("7654"), ServiceAccountEmail: some("a@b.example")}},
		"a test that passed": {"test",
			`{"success":true,"error":null,"error_code":null,"details":null,"tested_at":"2026-03-01T08:00:00Z",
			  "capability_checks":[{"capability":"read_ads","status":"passed"},{"status":"passed"},{"capability":"write_ads","status":7},"CANARY",null,
			  {"capability":"write_ads","status":"not_checked","message":"By a write alone.","error_code":"invalid_config","remediation":"r","details":{"adapter_type":"mock","secret":"CANARY"}}]}`,
			&wire.TestResult{Success: true, TestedAt: at("2026-03-01T08:00:00Z"), CapabilityChecks: []wire.CapabilityCheck{
				{Capability: "read_ads", Status: "passed"},
				{Capability: "write_ads", Status: "not_checked", Message: some("By a write alone."), ErrorCode: some("invalid_config"),
					Remediation: some("r"), Details: wire.Details{AdapterType: some("mock")}},
			}}},
		"a test that failed": {"test",
			`{"success":false,"error":"NO_NETWORK","error_code":"network_not_found","remediation":"customer_rotates_token",
			  "details":{"adapter_type":"freewheel","remediation":"x","vendor_fault":{"fault_string":"[NO_NETWORK]","request":"CANARY"},"input":{"password":"CANARY"}}}`,
			&wire.TestResult{Error: some("NO_NETWORK"), ErrorCode: some("network_not_found"), Remediation: some("customer_rotates_token"),
				Details: wire.Details{AdapterType: some("freewheel"), Remediation: some("x"), VendorFault: wire.VendorFault{FaultString: some("[NO_NETWORK]")}}}},
		"a test, odd details": {"test", `{"success":false,"details":"CANARY","capability_checks":{"a":1}}`, &wire.TestResult{}},
		"details, twice": {"test", `{"success":false,"details":{"adapter_type":"mock"},"details":{"vendor_fault":{"fault_string":"x"},"vendor_fault":null}}`,
			&wire.TestResult{}},
		"a refresh": {"refresh", `{"sync_run_ids":{"inventory":"run_1","odd":7,"":"run_2","inventory":"run_3"},"started_at":"2026-03-01T08:00:00Z"}`,
			&wire.Refresh{SyncRunIDs: wire.Members[string]{{Name: "inventory", Value: "run_3"}, {Value: "run_2"}}, StartedAt: at("2026-03-01T08:00:00Z")}},
		"a refresh that runs": {"refresh", `{"error":"sync_already_running","message":"CANARY","sync_run_ids":{},"running_sync_types":["inventory",7,"reporting"]}`,
			&wire.Refresh{AlreadyRunning: true, SyncRunIDs: wire.Members[string]{}, RunningSyncTypes: []string{"inventory", "reporting"}}},
		"a history": {"history",
			`{"runs":[{"sync_id":"run_1","sync_type":"inventory","status":"success","started_at":"2026-03-01T08:00:00Z","completed_at":"2026-03-01T08:03:00Z",
			  "duration_seconds":180,"items_processed":12,"items_failed":0,"error_summary":null,"log":"CANARY"},
			  {"sync_id":"run_2","sync_type":"inventory"},7,{"sync_type":"inventory","status":"failed"},
			  {"sync_id":"run_3","sync_type":"reporting","status":"failed","duration_seconds":1.5,"error_summary":"quota"}],
			  "count":5,"next_cursor":"c2"}`,
			&wire.SyncHistory{Count: some(int64(5)), NextCursor: some("c2"), Runs: []wire.SyncRun{
				{SyncID: "run_1", SyncType: "inventory", Status: "success", StartedAt: at("2026-03-01T08:00:00Z"), CompletedAt: at("2026-03-01T08:03:00Z"),
					DurationSeconds: some(int64(180)), ItemsProcessed: some(int64(12)), ItemsFailed: some(int64(0))},
				{SyncID: "run_3", SyncType: "reporting", Status: "failed", ErrorSummary: some("quota")},
			}}},
		"no history":     {"history", `{"runs":[],"next_cursor":null}`, &wire.SyncHistory{}},
		"a subscription": {"webhook", `{"webhook_id":"wh_1","url":"https://g.example/w","is_active":true,"secret":"CANARY"}`, &wire.Webhook{WebhookID: "wh_1", URL: "https://g.example/w", IsActive: true}},
		"subscriptions": {"webhooks", `{"webhooks":[{"webhook_id":"wh_1","is_active":"yes","secret":"CANARY"},{"url":"u"},null,[1],{"webhook_id":"wh_2","url":"u","is_active":true}],"count":5}`,
			[]wire.Webhook{{WebhookID: "wh_1"}, {WebhookID: "wh_2", URL: "u", IsActive: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decoders[c.decoder]([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if shown := fmt.Sprintf("%+v %#v", got, got); strings.Contains(shown, "CANARY") {
				t.Errorf("it holds what should not have been read: %s", shown)
			}
		})
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
		if name != "settings" {
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
	f.Add([]byte(`{"tenant_id":"a","adapter":{"connection_test_passed":true},"success":false,"details":{"vendor_fault":{"fault_string":"x"}}}`))
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
