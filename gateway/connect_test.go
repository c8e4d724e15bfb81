package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

const (
	esaPath   = "/api/v2/storefront/esa"
	auditPath = "/api/v2/storefront/audit"
)

func (w *world) connection(a answer, status int) *connection {
	w.Helper()
	return decode[connection](w, a, status)
}

// connected makes a source with a SpringServe login and gives its sourceId.
func (w *world) connected(name string) (sourceID string, c *connection) {
	w.Helper()
	a := w.write("POST", esaPath, fmt.Sprintf(`{"type":"springserve","email":"%s@harbour.example","password":"CANARY-pass","name":"%s"}`, name, name))
	return name, w.connection(a, 201)
}

func TestConnecting(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.write("POST", esaPath, `{"type":"google_ad_manager","networkCode":"77120045","name":"Harbour Video"}`, "Idempotency-Key", "one")
		c := w.connection(a, 201)
		if c.ProvisioningStatus != "active" || c.TenantID == nil || c.AdServer["networkCode"] != "77120045" ||
			c.ServiceAccountEmail == nil || *c.ServiceAccountEmail != "sa@operator.example" {
			w.Fatalf("%s", a.body)
		}
		if got := a.header.Get("Location"); got != esaPath+"/"+c.ID {
			w.Errorf("Location %q", got)
		}
		if sent, _ := w.agent.LastConfig(); !strings.Contains(sent.Values.Text("service_account_key_json"), "CANARY-service-account-key") {
			w.Error("the operator's key did not reach the sales agent")
		}
		again := w.write("POST", esaPath, `{"type":"google_ad_manager","networkCode":"77120045","name":"Harbour Video"}`, "Idempotency-Key", "one")
		if string(again.body) != string(a.body) || again.header.Get("Location") != a.header.Get("Location") || w.agent.Provisions() != 1 {
			w.Errorf("a repetition: %d %s, %d provisionings", again.status, again.body, w.agent.Provisions())
		}
		if other := w.write("POST", esaPath, `{"type":"google_ad_manager","networkCode":"1"}`, "Idempotency-Key", "one"); other.status != 409 {
			w.Errorf("another body under the same key: %d", other.status)
		}
		// The source is one of the customer's, by both addresses, and no other customer's.
		byID := w.get(esaPath + "/" + c.ID)
		bySource := w.get("/api/v2/storefront/inventory-sources/harbour-video/esa")
		if string(byID.body) != string(bySource.body) || byID.status != 200 {
			w.Errorf("by id %s, by source %s", byID.body, bySource.body)
		}
		if a := w.writeAs(otherKey, "POST", esaPath+"/"+c.ID+"/deactivate", ""); a.status != 404 {
			w.Errorf("another customer deactivates: %d", a.status)
		}
	})
}

// TestARefusedConnectCanBeCorrected goes from a wrong login to a live source.
func TestARefusedConnectCanBeCorrected(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{RunTakes: time.Second}}, func(w *world) {
		a := w.write("POST", esaPath, `{"type":"springserve","email":"ops@harbour.example","password":"wrong","name":"Harbour"}`)
		c := w.connection(a, 201)
		if c.ProvisioningStatus != "failed" || c.TenantID != nil || c.LastErrorCode == nil || *c.LastErrorCode != "ADAPTER_INVALID_CREDENTIALS" {
			w.Fatalf("%s", a.body)
		}
		at := "/api/v2/storefront/inventory-sources/harbour"
		for _, op := range []string{"/test-connection", "/refresh", "/deactivate", "/reactivate"} {
			w.write("POST", at+op, "").failure(t, 409, "CONFLICT")
		}
		w.write("PUT", at+"/adapter-config", `{"type":"springserve","email":"ops@harbour.example","password":"CANARY-2"}`).failure(t, 409, "CONFLICT")
		if page := decode[struct{ Runs []any }](t, w.get(at+"/sync-history"), 200); len(page.Runs) != 0 {
			w.Error("runs of a source without a tenant")
		}
		c = w.connection(w.write("PATCH", at+"/ad-server", `{"type":"springserve","email":"ops@harbour.example","password":"CANARY-3","rateCurrency":"EUR"}`), 200)
		if c.ProvisioningStatus != "active" || c.LastErrorCode != nil || c.AdServer["rateCurrency"] != "EUR" {
			w.Fatalf("after mending: %+v", c)
		}
		test := decode[struct {
			Success   bool
			ErrorCode *string
		}](t, w.write("POST", at+"/test-connection", ""), 200)
		if !test.Success || test.ErrorCode != nil {
			w.Errorf("the test: %+v", test)
		}
		w.pass(time.Second)
		refresh := decode[struct {
			Status     string
			SyncRunIDs map[string]string
		}](t, w.write("POST", esaPath+"/"+c.ID+"/refresh", ""), 200)
		if refresh.Status != "started" || refresh.SyncRunIDs["customTargeting"] == "" {
			w.Errorf("the refresh: %+v", refresh)
		}
		w.pass(10 * time.Second)
		s := w.get(at + "/status").snapshot(t)
		if !s.Operational.IsLive || s.Syncs["inventory"].Status != "success" {
			w.Errorf("it is not live: %+v", s.Operational)
		}
	})
}

func TestChangingTheConfigOfATenant(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		_, _ = w.connected("harbour")
		at := "/api/v2/storefront/inventory-sources/harbour"
		refused := w.write("PUT", at+"/adapter-config", `{"type":"springserve","email":"ops@harbour.example","password":"wrong"}`).failure(t, 400, "VALIDATION_ERROR")
		if refused.Details.ErrorCode != "ADAPTER_INVALID_CREDENTIALS" {
			w.Errorf("details: %+v", refused.Details)
		}
		c := w.connection(w.get(at+"/esa"), 200)
		if c.AdServer["email"] != "harbour@harbour.example" || c.LastErrorCode == nil || c.ProvisioningStatus != "active" {
			w.Errorf("after a refusal: %+v", c)
		}
		w.write("PUT", at+"/ad-server", `{"type":"broadstreet","networkId":"9","apiKey":"CANARY-k"}`).failure(t, 409, "CONFLICT")
		c = w.connection(w.write("PUT", at+"/adapter-config", `{"type":"springserve","apiToken":"CANARY-token"}`), 200)
		if c.AdServer["email"] != nil || c.LastErrorCode != nil {
			w.Errorf("after another kind of credentials: %+v", c)
		}
		for range 2 { // both are idempotent
			c = w.connection(w.write("POST", at+"/deactivate", ""), 200)
			if c.ProvisioningStatus != "deactivated" || c.DeactivatedAt == nil {
				w.Errorf("deactivated: %+v", c)
			}
		}
		w.write("POST", at+"/refresh", "").failure(t, 409, "CONFLICT")
		for range 2 {
			if c = w.connection(w.write("POST", esaPath+"/"+c.ID+"/reactivate", ""), 200); c.ProvisioningStatus != "active" || c.DeactivatedAt != nil {
				w.Errorf("reactivated: %+v", c)
			}
		}
		if e := w.write("DELETE", at, "").failure(t, 409, "CONFLICT"); !strings.Contains(e.Message, "deactivate") {
			w.Errorf("%q", e.Message)
		}
		w.agent.RemoveTenant(*c.TenantID)
		w.connection(w.write("POST", at+"/deactivate", ""), 200)
		if e := w.write("POST", at+"/reactivate", "").failure(t, 404, "NOT_FOUND"); e.Details.Reason != "TENANT_NOT_FOUND" {
			w.Errorf("%+v", e.Details)
		}
		if a := w.write("DELETE", at, ""); a.status != 204 {
			w.Errorf("delete: %d %s", a.status, a.body)
		}
	})
}

func TestConnectWhileTheSalesAgentIsAway(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetDown(true)
		const body = `{"type":"springserve","email":"ops@harbour.example","password":"CANARY-1","sourceId":"pier"}`
		e := w.write("POST", esaPath, body, "Idempotency-Key", "k").failure(t, 503, "SERVICE_UNAVAILABLE")
		if e.Details.ESAID == "" || e.Details.SourceID != "pier" || e.Details.Reason == "" {
			w.Fatalf("%+v", e.Details)
		}
		c := w.connection(w.get(esaPath+"/"+e.Details.ESAID), 200)
		if c.ProvisioningStatus != "failed" || *c.LastErrorCode != "INTERNAL_ERROR" {
			w.Errorf("%+v", c)
		}
		again := w.write("POST", esaPath, body, "Idempotency-Key", "k").failure(t, 503, "SERVICE_UNAVAILABLE")
		if again.Details.ESAID != e.Details.ESAID || again.Details.SourceID != "pier" {
			w.Errorf("asked again at once: %+v", again.Details)
		}
		w.agent.SetDown(false)
		w.pass(3 * time.Minute)
		c = w.connection(w.write("POST", esaPath, body, "Idempotency-Key", "k"), 201)
		if c.ID != e.Details.ESAID || c.ProvisioningStatus != "active" || w.agent.Provisions() != 1 {
			w.Errorf("asked again with the same key: %+v, %d provisionings", c, w.agent.Provisions())
		}
	})
}

func TestAConnectThatTakesLongEndsInTheBackground(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{ProbeTakes: 40 * time.Second}}, func(w *world) {
		a := w.write("POST", esaPath, `{"type":"springserve","apiToken":"CANARY-t","name":"Slow"}`)
		c := w.connection(a, 201)
		if a.took != 25*time.Second || c.ProvisioningStatus != "provisioning" {
			w.Fatalf("after %s: %+v", a.took, c)
		}
		if a := w.write("PUT", "/api/v2/storefront/inventory-sources/slow/ad-server", `{"type":"springserve","apiToken":"CANARY-t"}`); a.status != 409 || a.header.Get("Retry-After") == "" {
			w.Errorf("another save meanwhile: %d %v", a.status, a.header)
		}
		w.write("DELETE", "/api/v2/storefront/inventory-sources/slow", "").failure(t, 409, "CONFLICT")
		w.pass(20 * time.Second)
		if c = w.connection(w.get(esaPath+"/"+c.ID), 200); c.ProvisioningStatus != "active" || w.agent.Provisions() != 1 {
			w.Errorf("%+v, %d provisionings", c, w.agent.Provisions())
		}
	})
}
