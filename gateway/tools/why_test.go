package tools

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"esagate/api"
)

// TestWhy: what keeps a source from selling is said once, the worst first, with what helps.
func TestWhy(t *testing.T) {
	const (
		source = `{"sourceId":"a","executionType":"MANAGED_SALES_AGENT","status":"ACTIVE","authenticationType":null,"authConfigured":false}`
		agent  = `{"sourceId":"a","executionType":"AGENT","status":"STATUS","authenticationType":"AUTH","authConfigured":false}`
		good   = `{"provisioningStatus":"active","lastError":null,"lastErrorCode":null}`
		live   = `{"operational":{"isLive":true,"discoveryDegraded":false,"deliveryDegraded":false,"summary":"Live.","issues":[]},"fetchedAt":"2026-01-02T03:04:05Z","setupTasks":{"items":[]}}`
		down   = `{"operational":{"isLive":false,"summary":"Not live.","issues":[
			{"code":"STATUS_STALE","severity":"warning","message":"Old.","affects":[]},
			{"code":"SETUP_BLOCKED","severity":"critical","message":"Blocked.","affects":["setup"]},
			{"code":"SYNC_INVENTORY_FAILED","severity":"critical","message":"Failed.","affects":["discovery"],"configurePath":"/x"}]},
			"fetchedAt":"2026-01-02T03:04:05Z","products":{"activeCount":0,"draftCount":2,"archivedCount":0},"setupTasks":{"items":[
			{"id":"w","name":"W","severity":"warning","scope":"publisher","description":"D.","isComplete":false,"configurePath":null},
			{"id":"b","name":"B","severity":"blocker","scope":"platform","description":"D.","isComplete":false,"configurePath":"/y"},
			{"id":"done","name":"Done","severity":"info","scope":"platform","description":"D.","isComplete":true,"configurePath":null}]}}`
	)
	for name, it := range map[string]struct{ source, connection, status, want string }{
		"live":     {source, good, live, `true Live.`},
		"blocked":  {source, good, down, `false Not live. setup_task b blocker|products NO_ACTIVE_PRODUCT blocker|issue SYNC_INVENTORY_FAILED critical|issue STATUS_STALE warning|setup_task w warning`},
		"no tasks": {source, good, strings.ReplaceAll(down, `"isComplete":false`, `"isComplete":true`), `false Not live. products NO_ACTIVE_PRODUCT blocker|issue SETUP_BLOCKED critical|issue SYNC_INVENTORY_FAILED critical|issue STATUS_STALE warning`},
		"failed": {source, `{"provisioningStatus":"failed","lastError":"No such network.","lastErrorCode":"ADAPTER_NETWORK_NOT_FOUND"}`, live,
			`true Live. connection ADAPTER_NETWORK_NOT_FOUND blocker`},
		"deactivated":   {source, `{"provisioningStatus":"deactivated","lastError":null,"lastErrorCode":null}`, live, `true Live. connection deactivated blocker`},
		"failed a test": {source, `{"provisioningStatus":"active","lastError":"No.","lastErrorCode":"ADAPTER_PERMISSION_DENIED"}`, live, `true Live. connection ADAPTER_PERMISSION_DENIED warning`},

		"an agent":              {strings.NewReplacer("STATUS", "ACTIVE", "AUTH", "OAUTH").Replace(agent), "", "", `true The agent's source is active.`},
		"a new agent":           {strings.NewReplacer("STATUS", "PENDING", "AUTH", "NO_AUTH").Replace(agent), "", "", `false The agent's source is not active yet. source PENDING blocker`},
		"without consent":       {strings.NewReplacer("STATUS", "PENDING", "AUTH", "OAUTH").Replace(agent), "", "", `false The agent's source is not active yet. source PENDING blocker`},
		"a disabled agent":      {strings.NewReplacer("STATUS", "DISABLED", "AUTH", "OAUTH").Replace(agent), "", "", `false The agent's source is disabled. source DISABLED blocker`},
		"a status that is away": {source, good, "", "503"},
	} {
		ask := func(_ context.Context, r *Request) (*Answer, error) {
			document := map[string]string{"/s": it.source, "/s/esa": it.connection, "/s/status": it.status}[r.Target]
			if r.Target == "/api/v2/storefront/overview?take=1" {
				document = `{"agentIssues":[{"sourceId":"b","name":"B","customerId":7,"code":"AGENT_UNAUTHORIZED","severity":"critical","message":"It refuses.","since":"2026-01-02T03:04:05Z"}]}`
			}
			if document == "" || r.Method != http.MethodGet || r.Header.Get("Esagate-Customer") != "7" {
				return &Answer{Status: 503, Document: []byte(`{}`)}, nil
			}
			return &Answer{Status: 200, Document: []byte(document)}, nil
		}
		w, refused, err := explain(t.Context(), ask, &Request{Target: "/s", Header: http.Header{"Esagate-Customer": {"7"}}})
		got := "503"
		if refused == nil && err == nil {
			got = map[bool]string{true: "true ", false: "false "}[w.Live] + w.Summary
			var reasons []string
			for _, r := range w.Reasons {
				reasons = append(reasons, r.Kind+" "+r.Code+" "+r.Severity)
				if r.Message == "" || r.Kind == "connection" && r.Next == "" {
					t.Errorf("%s: %+v", name, r)
				}
			}
			got = strings.TrimSpace(got + " " + strings.Join(reasons, "|"))
			if !strings.Contains(string(api.Encode(w)), `"reasons":[`) {
				t.Errorf("%s: %s", name, api.Encode(w))
			}
		}
		if got != it.want || err != nil {
			t.Errorf("%s: %s %v\nwant %s", name, got, err, it.want)
		}
	}
}
