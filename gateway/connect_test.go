package gateway_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/registry"
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
		sent, _ := w.agent.Config(*c.TenantID)
		if !strings.Contains(sent.Values.Text("service_account_key_json"), "CANARY-service-account-key") {
			w.Error("the operator's key did not reach the sales agent")
		}
		again := w.write("POST", esaPath, `{"type":"google_ad_manager","networkCode":"77120045","name":"Harbour Video"}`, "Idempotency-Key", "one")
		if string(again.body) != string(a.body) || again.header.Get("Location") != a.header.Get("Location") || w.agent.Provisions() != 1 {
			w.Errorf("a repetition: %d %s, %d provisionings", again.status, again.body, w.agent.Provisions())
		}
		if other := w.write("POST", esaPath, `{"type":"google_ad_manager","networkCode":"1"}`, "Idempotency-Key", "one"); other.status != 409 {
			w.Errorf("another body under the same key: %d", other.status)
		}
	})
}

// TestAnEnvironmentThatIsNotNamedStays: a new config resets it, and the sales agent shows it nowhere.
func TestAnEnvironmentThatIsNotNamedStays(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		c := w.connection(w.write("POST", esaPath,
			`{"type":"freewheel","apiToken":"CANARY-1","environment":"staging","name":"Harbour"}`), 201)
		const at = sourcesPath + "/harbour"
		for _, op := range [][2]string{{"PUT", "/adapter-config"}, {"PUT", "/ad-server"}, {"PATCH", "/ad-server"}} {
			saved := w.connection(w.write(op[0], at+op[1], `{"type":"freewheel","apiToken":"CANARY-2"}`), 200)
			config, _ := w.agent.Config(*c.TenantID)
			if got := config.Values.Text("environment"); got != "staging" || saved.AdServer["environment"] != "staging" {
				w.Errorf("%s %s: upstream has %s, the connection %s", op[0], op[1], got, saved.AdServer["environment"])
			}
		}
	})
}

// TestAnEnvironmentThatCanNotStay: the sales agent takes no sandbox, and no other environment is put
// in its place unasked.
func TestAnEnvironmentThatCanNotStay(t *testing.T) {
	sandbox := &registry.AdServer{Type: "freewheel", Environment: "sandbox"}
	inWorld(t, setup{sources: []registry.ConfigSource{
		{CustomerID: customer, SourceID: "set-up", Name: "Set up", ESAID: 71, TenantID: "tnt_harbour", AdServer: sandbox},
		{CustomerID: customer, SourceID: "pending", Name: "Pending", ESAID: 72, AdServer: sandbox},
	}}, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_harbour", Active: true, Status: upstreamtest.Healthy(),
			AdServer: upstreamtest.AdServer{Type: "freewheel", Configured: true}})
		for _, path := range []string{"/set-up/ad-server", "/set-up/adapter-config", "/pending/ad-server"} {
			e := w.write("PUT", sourcesPath+path, `{"type":"freewheel","apiToken":"CANARY-1"}`).failure(w, 400, "VALIDATION_ERROR")
			if e.Field != "environment" {
				w.Errorf("%s: %+v", path, e)
			}
		}
		for _, path := range []string{"/set-up/adapter-config", "/pending/ad-server"} {
			c := w.connection(w.write("PUT", sourcesPath+path,
				`{"type":"freewheel","apiToken":"CANARY-1","environment":"staging"}`), 200)
			if c.AdServer["environment"] != "staging" {
				w.Errorf("%s: %+v", path, c.AdServer)
			}
		}
	})
}

func TestASourceWithoutATenantIsNotOperated(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		at := sourcesPath + "/" + unplanned
		for _, op := range []string{"/test-connection", "/refresh", "/deactivate", "/reactivate"} {
			w.write("POST", at+op, "").failure(t, 409, "CONFLICT")
		}
		w.write("PUT", at+"/adapter-config", `{"type":"springserve","apiToken":"CANARY-t"}`).failure(t, 409, "CONFLICT")
		if page := decode[struct{ Runs []any }](t, w.get(at+"/sync-history"), 200); len(page.Runs) != 0 {
			w.Error("runs of a source without a tenant")
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

// TestConnectWithAnAgentURLThatIsNotServed: nothing was made, the answer, the connection and the
// log say which settings are to be changed, and once one is, saving again works at once.
func TestConnectWithAnAgentURLThatIsNotServed(t *testing.T) {
	hosts := []string{"agents.elsewhere.example"}
	inWorld(t, setup{agent: upstreamtest.Options{AgentHosts: hosts}}, func(w *world) {
		const config = `{"type":"springserve","email":"ops@harbour.example","password":"CANARY-1"`
		names := func(where, text string) {
			w.Helper()
			if !strings.Contains(text, "provisioning.public_agent_url") || !strings.Contains(text, "EMBEDDED_PLATFORM_AGENT_HOSTS") {
				w.Errorf("%s does not name the settings: %q", where, text)
			}
		}
		a := w.write("POST", esaPath, config+`,"sourceId":"pier"}`)
		e := a.failure(t, 503, "SERVICE_UNAVAILABLE")
		if e.Details.ESAID == "" || e.Details.SourceID != "pier" || e.Details.Reason != "UPSTREAM_ERROR" ||
			a.header.Get("Retry-After") != "60" || a.took != 0 {
			w.Errorf("after %s, %v: %+v", a.took, a.header, e.Details)
		}
		names("the answer", e.Message)
		c := w.connection(w.get(esaPath+"/"+e.Details.ESAID), 200)
		if c.ProvisioningStatus != "failed" || *c.LastErrorCode != "INTERNAL_ERROR" {
			w.Errorf("%+v", c)
		}
		names("the connection", *c.LastError)
		names("the log", w.logs.String())
		if n := strings.Count(w.logs.String(), "EMBEDDED_PLATFORM_AGENT_HOSTS"); n != 1 {
			w.Errorf("it is logged %d times", n)
		}
		at := sourcesPath + "/pier/ad-server"
		w.write("PUT", at, config+"}").failure(t, 503, "SERVICE_UNAVAILABLE")
		if n := w.agent.Calls(""); n != 2 || w.agent.Provisions() != 0 {
			w.Errorf("%d calls, %d tenants made: more than the two provisionings", n, w.agent.Provisions())
		}
		hosts[0] = "interchange.io" // which the sales agent takes where the gateway names none
		if c = w.connection(w.write("PUT", at, config+"}"), 200); c.ProvisioningStatus != "active" || w.agent.Provisions() != 1 {
			w.Errorf("%+v, %d provisionings", c, w.agent.Provisions())
		}
	})
}

// TestConnectUnderAnIDThatTheSalesAgentCantTake: a sourceId that makes such an external_org_id is
// refused before the call, and leaves nothing.
func TestConnectUnderAnIDThatTheSalesAgentCantTake(t *testing.T) {
	inWorld(t, setup{orgID: "{customer_id}-{source_id}"}, func(w *world) {
		fits := strings.Repeat("x", 91-len("4711-"))
		for _, id := range []string{fits + "x", "harbour pier", "harbour:pier", "Hafen-Süd"} {
			e := w.write("POST", esaPath, `{"type":"mock","sourceId":"`+id+`"}`).failure(t, 400, "VALIDATION_ERROR")
			if len(e.Details.Issues) != 1 || e.Details.Issues[0].Path != "sourceId" {
				w.Errorf("%s: %+v", id, e.Details)
			}
			w.get(sourcesPath+"/"+url.PathEscape(id)).failure(t, 404, "NOT_FOUND")
		}
		if w.agent.Calls("") != 0 {
			w.Error("the sales agent was asked")
		}
		w.connection(w.write("POST", esaPath, `{"type":"mock","sourceId":"`+fits+`"}`), 201)
	})
}
