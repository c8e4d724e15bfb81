package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// secretForms are a secret as programs print it.
var secretForms = []string{
	"password=CANARY1", "password: CANARY1", "password -> CANARY1", "password => CANARY1", "--password CANARY1", "<password>CANARY1</password>",
	`<field name="password" value="CANARY1"/>`, "password&#61;CANARY1", "&quot;password&quot;&colon;&quot;CANARY1&quot;", "&lt;password&gt;CANARY1&lt;/password&gt;",
	"password%3DCANARY1", "%70assword%3ACANARY1", `\u0070assword: CANARY1`, `password\u003dCANARY1`, "password\uff1dCANARY1", "\uff50\uff41\uff53\uff53word\uff1a CANARY1",
	"pass\u200bword: CANARY1", "Authorization: Basic CANARY1", "X-Api-Key: CANARY1", "Cookie: sid=CANARY1", "scott/CANARY1@orcl", "scott:CANARY1@db", "host=db password=CANARY1",
	`{'password': 'CANARY1'}`, `{b'token': b'CANARY1'}`, `{"body": "{\"password\": \"CANARY1\"}"}`, "-----BEGIN PRIVATE KEY-----\\nCANARY1", "eyJhbGciOi.CANARY1.x",
	"HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /oauth?code=CANARY1", "Traceback (most recent call last):\n  password: CANARY1",
}

// TestSecretsInFreeText has the sales agent write a secret, in every form, into every text that is free.
func TestSecretsInFreeText(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.connected("harbour")
		for _, form := range secretForms {
			raw, err := json.Marshal(form)
			w.must(err)
			answers := map[upstreamtest.Route]upstreamtest.Fault{
				upstreamtest.RouteStatus: {Body: `{"adapter":{"type":"google_ad_manager","connected":true,"last_test_error":TEXT},"fetched_at":"NOW",
					"syncs":{"inventory":{"status":"failed","error":TEXT,"issue":{"code":"c","category":"auth","message":TEXT}}},
					"workflows":{"by_kind":{TEXT:1}},"setup_tasks":{"items":[{"id":"a","name":TEXT,"description":TEXT,"configure_path":TEXT}]}}`},
				upstreamtest.RouteSyncHistory: {Body: `{"runs":[{"sync_id":"s1","sync_type":"inventory","status":"failed","started_at":"2026-01-02T03:04:05Z","error_summary":TEXT}],"next_cursor":TEXT}`},
				upstreamtest.RouteTestConnection: {Body: `{"success":false,"error":TEXT,"error_code":"invalid_credentials","tested_at":"2026-01-02T03:04:05Z",
					"details":{"adapter_type":TEXT,"remediation":TEXT,"vendor_fault":{"vendor":TEXT,"phase":TEXT,"vendor_message":TEXT}},
					"capability_checks":[{"capability":"reporting","status":"failed","message":TEXT,"remediation":TEXT}]}`},
				upstreamtest.RouteRefresh:          {Status: 202, Body: `{"sync_run_ids":{"inventory":TEXT,TEXT:"s1"},"started_at":"2026-01-02T03:04:05Z"}`},
				upstreamtest.RoutePutAdapterConfig: {Status: 422, Body: `[{"loc":["body","adapter","email"],"msg":TEXT,"input":TEXT},{"loc":["body",TEXT],"msg":TEXT}]`},
				upstreamtest.RouteDeactivate:       {Status: 500, Body: `{"error":TEXT,"error_id":TEXT,"message":TEXT}`},
			}
			ask := map[upstreamtest.Route]func(){
				upstreamtest.RouteStatus:      func() { w.get(statusOf + "?includeSyncHistory=true") },
				upstreamtest.RouteSyncHistory: func() { w.get(historyOf) },
				upstreamtest.RouteTestConnection: func() {
					w.write("POST", sourcesPath+"/"+source+"/test-connection", "")
					w.get(sourcesPath + "/" + source + "/esa")
				},
				upstreamtest.RouteRefresh: func() { w.write("POST", sourcesPath+"/"+source+"/refresh", "") },
				upstreamtest.RoutePutAdapterConfig: func() {
					w.write("PUT", sourcesPath+"/harbour/adapter-config", `{"type":"springserve","email":"ops@harbour.example","password":"x"}`)
				},
				upstreamtest.RouteDeactivate: func() { w.write("POST", sourcesPath+"/"+source+"/deactivate", "") },
			}
			for route, f := range answers {
				f.Only = route
				if strings.HasPrefix(form, "eyJ") { // so may a cursor: only who made it can read it
					f.Body = strings.Replace(f.Body, `"next_cursor":TEXT`, `"next_cursor":null`, 1)
				}
				f.Body = strings.NewReplacer("TEXT", string(raw), "NOW", time.Now().UTC().Format(time.RFC3339)).Replace(f.Body)
				w.agent.Fault("", f)
				ask[route]()
				w.agent.Fault("", upstreamtest.Fault{})
			}
			w.pass(2 * time.Minute) // so that the next form is asked for
			_, _ = w.seen.Write(w.do("GET", "/metrics").body)
			if strings.Contains(w.seen.String()+w.logs.String(), "CANARY") {
				w.Fatalf("%q came out", form)
			}
		}
	})
}

// TestWordsOfTheSalesAgent: ids, cursors, paths and addresses that are no words are taken for malformed, and an answer
// without the id that it is about can't be used.
func TestWordsOfTheSalesAgent(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		type page struct {
			Runs       []struct{ SyncID string }
			NextCursor *string
		}
		history := func(id, cursor string) *page {
			run, _ := json.Marshal(id)
			next, _ := json.Marshal(cursor)
			w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteSyncHistory, Body: `{"runs":[{"sync_id":` + string(run) +
				`,"sync_type":"inventory","status":"success","started_at":"2026-01-02T03:04:05Z"}],"next_cursor":` + string(next) + `}`})
			w.pass(2 * time.Minute) // the last page is stale by then, so the reader waits for a new one
			return decode[page](w, w.get(historyOf), 200)
		}
		for _, bad := range []string{"../x", "..", "a b", `a"b`, "a'b", "a\nb", "a<b>", "é", "a\\b", "a\u200b"} {
			if p := history(bad, bad); len(p.Runs) != 0 || p.NextCursor != nil {
				w.Errorf("%q: %+v", bad, p)
			}
		}
		for _, good := range []string{"eyJvZmZzZXQiOiAyfQ==", "2026-03-09T14:00:00+00:00|sync_9f8e"} {
			if p := history("sync_9f8e", good); len(p.Runs) != 1 || p.NextCursor == nil || *p.NextCursor != good {
				w.Errorf("%q: %+v", good, p)
			}
		}
		w.agent.Fault("", upstreamtest.Fault{})
		for _, bad := range []string{"../other", "tnt x", `tnt\"x`, "tnt/x", "tnt?x=1", ""} {
			w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteProvision, Status: 201, Body: `{"tenant_id":"` + bad + `","mcp_url":"https://a.example/mcp/"}`})
			e := w.write("POST", esaPath, `{"type":"springserve","email":"ops@harbour.example","password":"x"}`).failure(w, 503, "SERVICE_UNAVAILABLE")
			if e.Details.Reason != "UPSTREAM_INVALID_RESPONSE" {
				w.Errorf("%q: %+v", bad, e)
			}
		}
		w.agent.Fault("", upstreamtest.Fault{})

		var kinds strings.Builder
		for i := range 500 {
			kinds.WriteString(`"kind_` + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + `":1,`)
		}
		body := `{"adapter":{"type":"google_ad_manager","connected":true},"fetched_at":"NOW","workflows":{"by_kind":{` + kinds.String() +
			`"` + strings.Repeat("k", 129) + `":1,"a\u0007b":1,"Änderung prüfen":2}}}`
		w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteStatus, Body: strings.ReplaceAll(body, "NOW", time.Now().UTC().Format(time.RFC3339))})
		w.pass(20 * time.Minute)
		got := decode[struct {
			Workflows struct{ ByKind map[string]int64 }
		}](w, w.get(statusOf), 200).Workflows.ByKind
		if len(got) != 200 || got["kind_a"] != 1 || got[strings.Repeat("k", 129)] != 0 {
			w.Errorf("%d kinds", len(got))
		}
	})
}
