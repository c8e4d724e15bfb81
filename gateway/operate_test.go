package gateway_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// writes are the operations that change a managed source, on the one of the world.
func writes() [][3]string {
	const at = "/api/v2/storefront/inventory-sources/" + source
	return [][3]string{
		{"POST", esaPath, `{"type":"mock"}`},
		{"POST", esaPath + "/service-account", ""},
		{"PUT", at + "/ad-server", `{"type":"google_ad_manager","networkCode":"90817263"}`},
		{"PATCH", at + "/ad-server", `{"type":"google_ad_manager","networkCode":"90817263"}`},
		{"PUT", at + "/adapter-config", `{"type":"google_ad_manager","networkCode":"90817263"}`},
		{"POST", at + "/test-connection", ""},
		{"POST", at + "/refresh", ""},
		{"POST", at + "/deactivate", ""},
		{"POST", at + "/reactivate", ""},
		{"POST", esaPath + "/1000/test-connection", ""},
		{"POST", esaPath + "/1000/refresh", ""},
		{"POST", esaPath + "/1000/deactivate", ""},
		{"POST", esaPath + "/1000/reactivate", ""},
		{"POST", esaPath + "/1000/capabilities/reporting/recheck", ""},
	}
}

func TestWritesNeedWriteAccessAndAnOwnManagedSource(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		w.get(sourcesPath+"/harbour-direct/sync-history").failure(t, 404, "NOT_FOUND")
		for _, op := range writes() {
			w.writeAs(readKey, op[0], op[1], op[2]).failure(t, 403, "FORBIDDEN")
			if agent := strings.Replace(op[1], source, "harbour-direct", 1); agent != op[1] {
				w.write(op[0], agent, op[2]).failure(t, 404, "NOT_FOUND")
			}
			if op[1] != esaPath && op[1] != esaPath+"/service-account" {
				w.writeAs(otherKey, op[0], op[1], op[2]).failure(t, 404, "NOT_FOUND")
				w.write(op[0], op[1]+"?verbose=1", op[2]).failure(t, 400, "VALIDATION_ERROR")
			}
		}
		w.writeAs(readKey, "POST", sourcesPath, agentBody()).failure(t, 403, "FORBIDDEN")
		w.writeAs(readKey, "PUT", sourcesPath+"/"+unplanned, `{"name":"x"}`).failure(t, 403, "FORBIDDEN")
		w.writeAs(readKey, "DELETE", sourcesPath+"/"+unplanned, "").failure(t, 403, "FORBIDDEN")
		w.writeAs("nobody's", "POST", sourcesPath, agentBody()).failure(t, 401, "UNAUTHORIZED")
		if s := readSource(t, w.get(sourcesPath+"/"+unplanned), 200); s.Name != "Not yet" || w.agent.Calls("") != 0 {
			w.Errorf("refused writes changed %+v, or made %d calls", s, w.agent.Calls(""))
		}
		for _, op := range writes() {
			if a := w.write(op[0], op[1], op[2]); a.status >= 300 {
				w.Errorf("%s %s: %d %s", op[0], op[1], a.status, a.body)
			}
		}
	})
}

func TestRepeatableRequests(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const at = "/api/v2/storefront/inventory-sources/" + source
		first := w.write("POST", at+"/refresh", "", "Idempotency-Key", "r")
		w.pass(2 * time.Minute) // upstream would start others
		again := w.write("POST", at+"/refresh", "", "Idempotency-Key", "r")
		if string(first.body) != string(again.body) || first.status != 200 {
			w.Errorf("%s and %s", first.body, again.body)
		}
		w.write("POST", at+"/deactivate", "", "Idempotency-Key", "r").failure(t, 409, "CONFLICT")
		w.write("POST", at+"/refresh", "", "Idempotency-Key", "two words").failure(t, 400, "VALIDATION_ERROR")
		// What failed is done when it is asked for again.
		w.agent.SetDown(true)
		w.write("POST", at+"/test-connection", "", "Idempotency-Key", "t").failure(t, 503, "SERVICE_UNAVAILABLE")
		w.agent.SetDown(false)
		w.pass(time.Minute)
		if a := w.write("POST", at+"/test-connection", "", "Idempotency-Key", "t"); a.status != 200 {
			w.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestServiceAccountAndRecheck(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		if a := w.write("POST", esaPath+"/service-account", ""); string(a.body) != `{"serviceAccountEmail":"sa@operator.example"}` {
			w.Errorf("%s", a.body)
		}
		if a := w.writeAs(otherKey, "POST", esaPath+"/service-account", ""); string(a.body) != `{"serviceAccountEmail":null}` {
			w.Errorf("%s", a.body)
		}
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			a := w.write(method, esaPath+"/service-account", "")
			if a.failure(t, 405, "METHOD_NOT_ALLOWED"); a.header.Get("Allow") != "POST" {
				w.Errorf("%s: Allow %q", method, a.header.Get("Allow"))
			}
		}
		w.write("POST", esaPath+"/service-account", "garbage").failure(t, 400, "BAD_REQUEST")
		w.writeAs(otherKey, "POST", esaPath, `{"type":"google_ad_manager","networkCode":"1"}`).failure(t, 409, "CONFLICT")
		id := w.connectionID(esaOf)
		a := w.write("POST", esaPath+"/"+id+"/capabilities/forecasting/recheck", "")
		if !strings.Contains(string(a.body), `"capabilityState":"unknown","status":"not_probeable","probePerformed":false`) {
			w.Errorf("%s", a.body)
		}
		w.write("POST", esaPath+"/"+id+"/capabilities/juggling/recheck", "").failure(t, 400, "VALIDATION_ERROR")
		w.write("POST", esaPath+"/9/capabilities/reporting/recheck", "").failure(t, 404, "NOT_FOUND")
	})
}

func TestSyncHistory(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for i := range 25 {
			w.agent.FinishRun(tenant, "custom_targeting", i)
			w.pass(time.Minute)
		}
		w.agent.FailRun(tenant, "inventory", "")
		const at = "/api/v2/storefront/inventory-sources/" + source + "/sync-history"
		type page struct {
			Runs []struct {
				SyncID, SyncType, Status string
				ErrorSummary             *string
			}
			Count      int
			NextCursor *string
		}
		first := decode[page](t, w.get(at), 200)
		if len(first.Runs) != 20 || first.NextCursor == nil || first.Runs[0].SyncType != "inventory" || first.Runs[0].Status != "failed" {
			w.Fatalf("%+v", first)
		}
		if text := first.Runs[0].ErrorSummary; text == nil || strings.Contains(*text, "Traceback") {
			w.Errorf("%v", text)
		}
		second := decode[page](t, w.get(at+"?cursor="+*first.NextCursor), 200)
		if len(second.Runs) == 0 || second.Runs[0].SyncID == first.Runs[0].SyncID {
			w.Errorf("%+v", second)
		}
		for _, query := range []string{"syncType=customTargeting&limit=3", "syncType=custom_targeting&status=completed&limit=3", "status=success&limit=3&syncType=customTargeting"} {
			p := decode[page](t, w.get(at+"?"+query), 200)
			if len(p.Runs) != 3 || p.Runs[0].SyncType != "customTargeting" || p.Runs[0].Status != "success" {
				w.Errorf("%s: %+v", query, p)
			}
		}
		for query, path := range map[string]string{
			"limit=0": "query.limit", "limit=501": "query.limit", "limit=%2B1": "query.limit",
			"status=done": "query.status", "syncType=a%20b": "query.syncType", "cursor=": "query.cursor",
			"cursor=" + strings.Repeat("x", 1025): "query.cursor", "take=5": "query",
		} {
			if e := w.get(at+"?"+query).failure(t, 400, "VALIDATION_ERROR"); len(e.Details.Issues) != 1 || e.Details.Issues[0].Path != path {
				w.Errorf("%s: %+v", query, e)
			}
		}
		if a := w.get(at + "?cursor=garbage"); a.status != 200 { // upstream's own business
			w.Errorf("%d %s", a.status, a.body)
		}
		w.agent.SetDown(true)
		w.get(at+"?limit=19").failure(t, 503, "SERVICE_UNAVAILABLE")
	})
}

func TestHistoriesInAStatus(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for i := range 12 {
			w.pass(time.Minute)
			if i < 10 {
				w.agent.FinishRun(tenant, "inventory", i)
			} else {
				w.agent.FailRun(tenant, "inventory", "the ad server is asleep")
			}
		}
		type document struct {
			Syncs map[string]struct {
				History struct {
					RecentRunCount, RecentFailureCount, ConsecutiveFailureCount int
					LatestError                                                 *string
					RecentRuns                                                  []struct{ SyncID string }
				}
			}
		}
		plain := decode[document](t, w.get(statusOf), 200).Syncs["inventory"].History
		if plain.RecentRunCount != 0 || plain.RecentRuns != nil {
			w.Errorf("not asked for: %+v", plain)
		}
		h := decode[document](t, w.get(statusOf+"?includeSyncHistory=true&syncHistoryLimit=3"), 200).Syncs["inventory"].History
		if h.RecentRunCount != 10 || h.RecentFailureCount != 2 || h.ConsecutiveFailureCount != 2 || len(h.RecentRuns) != 3 || h.LatestError == nil {
			w.Errorf("%+v", h)
		}
		calls := w.agent.Calls("")
		for limit := range 10 {
			got := decode[document](t, w.get(statusOf+"?includeSyncHistory=true&syncHistoryLimit="+strconv.Itoa(limit+1)), 200).Syncs["inventory"].History
			if len(got.RecentRuns) != limit+1 {
				w.Errorf("limit %d: %d runs", limit+1, len(got.RecentRuns))
			}
		}
		if w.agent.Calls("") != calls {
			w.Error("histories are not kept")
		}
		// Without them the zeros stay, and the status is answered.
		w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteSyncHistory, Status: 500})
		w.write("POST", strings.TrimSuffix(statusOf, "/status")+"/refresh", "")
		w.pass(20 * time.Minute)
		h = decode[document](t, w.get(statusOf+"?includeSyncHistory=true"), 200).Syncs["inventory"].History
		if h.RecentRunCount != 0 {
			w.Errorf("from nowhere: %+v", h)
		}
	})
}

func TestWritesExpireSnapshotsInEveryReplica(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		other := w.replica()
		defer other.stop()
		w.get(statusOf)
		other.get(statusOf)
		before := w.agent.Calls(tenant)
		if w.get(statusOf); w.agent.Calls(tenant) != before {
			w.Fatal("a fresh copy was not served")
		}
		w.write("POST", strings.TrimSuffix(statusOf, "/status")+"/test-connection", "")
		if a := w.get(statusOf); w.agent.Calls(tenant) != before+1 || a.header.Get("Age") != "0" {
			w.Errorf("after a test the copy is served: %d calls", w.agent.Calls(tenant)-before)
		}
		w.pass(2 * time.Second) // so long a replica may know a connection from memory
		if other.get(statusOf); w.agent.Calls(tenant) != before+2 {
			w.Errorf("the other replica serves its copy: %d calls", w.agent.Calls(tenant)-before)
		}
	})
}

func TestAudit(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		type entry struct {
			ID, Actor, Operation, Outcome string
			SourceID, ESAID, ErrorCode    *string
			RequestID                     *string
			Status                        *int
		}
		type page struct {
			Entries    []entry
			NextCursor *string
		}
		w.write("POST", esaPath, `{"type":"springserve","email":"a@b.example","password":"CANARY-pw","sourceId":"pier"}`, "X-Request-Id", "call-1")
		w.write("POST", esaPath, `{"type":"springserve","email":"a@b.example"}`)
		w.write("PUT", sourcesPath+"/"+source, `{"name":"Another name"}`)
		w.agent.SetDown(true)
		w.write("POST", "/api/v2/storefront/inventory-sources/pier/refresh", "")
		read := func(path string) *page { return decode[page](t, w.writeAs(writeKey, "GET", path, ""), 200) }
		all := read(auditPath)
		if len(all.Entries) != 4 || all.NextCursor != nil {
			w.Fatalf("%+v", all)
		}
		want := []string{
			"refreshInventorySourceEsa failed 503 SERVICE_UNAVAILABLE pier",
			"updateInventorySource succeeded 200  " + source,
			"connectEsa refused 400 VALIDATION_ERROR ",
			"connectEsa succeeded 201  pier",
		}
		for i, e := range all.Entries {
			got := fmt.Sprintf("%s %s %d %s %s", e.Operation, e.Outcome, *e.Status, orNothing(e.ErrorCode), orNothing(e.SourceID))
			if got != want[i] || e.Actor != "writer" {
				w.Errorf("entry %d: %s by %s, want %s", i, got, e.Actor, want[i])
			}
		}
		if last := all.Entries[3]; *last.RequestID != "call-1" || last.ESAID == nil {
			w.Errorf("%+v", last)
		}
		half := read(auditPath + "?limit=3")
		rest := read("/audit?limit=3&cursor=" + *half.NextCursor)
		if len(half.Entries) != 3 || len(rest.Entries) != 1 || rest.Entries[0].ID != all.Entries[3].ID {
			w.Errorf("%+v then %+v", half, rest)
		}
		if one := read(auditPath + "?sourceId=pier"); len(one.Entries) != 2 {
			w.Errorf("%+v", one)
		}
		if a := w.writeAs(otherKey, "GET", auditPath, ""); string(a.body) != `{"entries":[],"nextCursor":null}` {
			w.Errorf("a stranger reads %s", a.body)
		}
		w.get(auditPath).failure(t, 403, "FORBIDDEN")
		for _, query := range []string{"limit=0", "limit=201", "sourceId=", "cursor=", "cursor=garbage", "skip=1"} {
			w.writeAs(writeKey, "GET", auditPath+"?"+query, "").failure(t, 400, "VALIDATION_ERROR")
		}
	})
}

// Refused writes that are alike are one entry of the audit, however many there are.
func TestAuditOfRefusals(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		type page struct {
			Entries []struct {
				Operation, At, LastAt string
				RequestID             *string
				Count                 int
			}
		}
		for range 40 {
			w.write("PUT", sourcesPath+"/"+source, `{"name":""}`)
		}
		w.pass(time.Second)
		w.write("PUT", sourcesPath+"/"+source, `{"name":7}`, "X-Request-Id", "last")
		w.write("PUT", sourcesPath+"/"+source, `{"name":"Good"}`)
		got := decode[page](t, w.writeAs(writeKey, "GET", auditPath, ""), 200).Entries
		if len(got) != 2 || got[0].Count != 1 || got[0].At != got[0].LastAt {
			t.Fatalf("%+v", got)
		}
		if e := got[1]; e.Count != 41 || e.LastAt <= e.At || *e.RequestID == "last" {
			t.Errorf("%+v", e)
		}
	})
}

func orNothing(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
