package upstreamtest_test

import (
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	ut "esagate/upstream/upstreamtest"
)

// published gives a function that makes a call and checks it and its answer against the sales
// agent's own OpenAPI document, where one is at hand.
func published(t *testing.T, w *world) (hold func(status int, method, path, text string)) {
	file := os.Getenv("SALES_AGENT_OPENAPI")
	if file == "" {
		t.Skip("SALES_AGENT_OPENAPI names no OpenAPI document of the sales agent")
	}
	spec, err := openapi3.NewLoader().LoadFromFile(file)
	must(t, err)
	spec.Servers = nil
	router, err := gorillamux.NewRouter(spec)
	must(t, err)
	return func(status int, method, path, text string) {
		t.Helper()
		r := httptest.NewRequest(method, ut.BasePath+path, strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		must(t, err)
		request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if status < 300 {
			must(t, openapi3filter.ValidateRequest(t.Context(), request))
		}
		a := w.send(method, path, text, key)
		response := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: request, Status: a.Code, Header: a.Header(),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}}
		response.SetBodyBytes(a.Body.Bytes())
		if err := openapi3filter.ValidateResponse(t.Context(), response); err != nil || a.Code != status {
			t.Errorf("%s %s: %d, want %d: %v", method, path, a.Code, status, err)
		}
	}
}

// TestPublishedSchema checks the documents of a current build.
func TestPublishedSchema(t *testing.T) {
	w := newWorld(t, ut.Options{CacheFor: -1}, ut.Healthy())
	hold := published(t, w)
	hold(201, "POST", "/tenants/provision", provisionBody("1", gamBody))
	hold(409, "POST", "/tenants/provision", provisionBody("1", gamBody))
	hold(422, "POST", "/tenants/provision", provisionBody("2", `{"type":"adswizz"}`))
	hold(400, "POST", "/tenants/provision", provisionBody("2", strings.Replace(gamBody, "82640", "403", 1)))
	for _, status := range []ut.Status{ut.Healthy(), ut.NeverRun(), ut.InventoryFailed(), ut.Disconnected()} {
		w.SetTenant(gam("tnt_a", status))
		hold(200, "GET", "/tenants/tnt_a/status", "")
	}
	for _, read := range []string{"", "/adapter-config", "/sync-history?limit=2", "/webhooks"} {
		hold(200, "GET", "/tenants/tnt_a"+read, "")
	}
	hold(404, "GET", "/tenants/tnt_none/status", "")
	hold(202, "POST", "/tenants/tnt_a/refresh", "")
	w.now = w.now.Add(2 * time.Minute)
	hold(409, "POST", "/tenants/tnt_a/refresh", "")
	w.FailRun("tnt_a", "inventory", "")
	w.FinishRun("tnt_a", "advertisers", 7)
	hold(200, "GET", "/tenants/tnt_a/status", "")
	hold(200, "GET", "/tenants/tnt_a/sync-history", "")
	hold(200, "POST", "/tenants/tnt_a/deactivate", "")
	hold(200, "POST", "/tenants/tnt_a/reactivate", "")
	for kind, c := range map[string]struct{ adapter, settings string }{
		"gam":         {gamBody, `{"order_name_template":"{brand_name}"}`},
		"freewheel":   {fwBody, `{"default_advertiser_id":"4"}`},
		"springserve": {ssBody, `{"rate_currency":"EUR","default_demand_partner_id":4}`},
		"broadstreet": {`{"type":"broadstreet","network_id":"4","api_key":"k"}`, `{"campaign_name_template":"{po_number}"}`},
	} {
		hold(200, "PUT", "/tenants/tnt_a/adapter-config", c.adapter)
		hold(200, "PUT", "/tenants/tnt_a/adapters/"+kind+"/config", c.settings)
		hold(200, "GET", "/tenants/tnt_a/adapters/"+kind+"/config", "")
	}
	for _, outcome := range ut.Outcomes() {
		w.AdServer("", ut.Probe{Outcome: outcome})
		hold(200, "POST", "/tenants/tnt_a/adapter-config/test-connection", "")
	}
	hold(400, "PUT", "/tenants/tnt_a/adapter-config", gamBody)
	hold(201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/","event_types":["sync_run.failed"]}`)
	hold(400, "POST", "/tenants/tnt_a/webhooks", `{"url":"http://hook.example/"}`)
	hold(200, "POST", "/tenants/tnt_a/webhooks/"+w.Subscriptions("tnt_a")[0].ID+"/test", "")
	hold(204, "DELETE", "/tenants/tnt_a/webhooks/"+w.Subscriptions("tnt_a")[0].ID, "")
	hold(200, "GET", "/tenants?external_source=pier", "")
	hold(200, "DELETE", "/tenants/tnt_a", "")
}

// TestPublishedCatalogs checks what is answered of the catalogs of stocked tenants.
func TestPublishedCatalogs(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	hold := published(t, w)
	for _, s := range ut.Sources() {
		if s.Tenant.Status.Build != ut.Current {
			continue // says what the schema does not know, or times without a zone
		}
		w.SetTenant(s.Tenant)
		at := "/tenants/" + s.Tenant.ID
		for _, read := range []string{
			"/wholesale-products", "/signals/adapter-capabilities", "/signals/candidates", "/inventory/adapter-capabilities",
			"/inventory/publisher-properties", "/creative-formats", "/media-buys?limit=5", "/recent-buyers",
		} {
			hold(200, "GET", at+read, "")
		}
		for _, kind := range []string{"ad_unit", "placement", "site_section", "series", "supply_tag", "supply_router"} {
			if path := at + "/inventory/selectors?selector_type=" + kind; w.send("GET", path, "", key).Code == 200 {
				hold(200, "GET", path, "")
			} else {
				hold(400, "GET", path, "")
			}
		}
		for _, id := range regexp.MustCompile(`mb_\d+`).FindAllString(w.want(200, "GET", at+"/media-buys", ""), -1) {
			hold(200, "GET", at+"/media-buys/"+id, "")
		}
		hold(200, "GET", at+"/signals", "")
		hold(200, "GET", at+"/signals/subscribers", "")
		hold(404, "GET", at+"/media-buys/none", "")
		hold(200, "GET", at+"/signals/candidates?limit=1", "")
		hold(200, "GET", at+"/gam/advertisers?limit=9", "")
		hold(200, "GET", at+"/buyer-advertiser-mappings", "")
		hold(200, "GET", at+"/accounts?sandbox=true", "")
		hold(200, "GET", at+"/wholesale-products/"+strings.ReplaceAll(s.SourceID, "-", "_")+"_front", "")
	}
	const signal = `{"signal_id":"new","name":"New","value_type":"numeric","range":{"min":"1","max":2},"adapter_config":{"kind":"audience_segment","segment_id":"4"}}`
	hold(201, "POST", "/tenants/tnt_a/signals", signal)
	hold(409, "POST", "/tenants/tnt_a/signals", signal)
	hold(200, "PUT", "/tenants/tnt_a/signals/new", signal)
	hold(200, "POST", "/tenants/tnt_a/signals:validate", `{"signal_id":"new","name":"New","value_type":"binary"}`)
	hold(400, "POST", "/tenants/tnt_a/signals", `{"signal_id":"new","name":"New","value_type":"binary"}`)
	hold(422, "POST", "/tenants/tnt_a/signals", `{"signal_id":7}`)
	hold(200, "DELETE", "/tenants/tnt_a/signals/new", "")
	const product = `{"name":"New","inventory":{"publisher_properties":[{"publisher_domain":"a.example"}],"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"7"}]}},"format_options":[{"a":1}]}`
	hold(201, "POST", "/tenants/tnt_a/wholesale-products", product)
	hold(200, "PUT", "/tenants/tnt_a/wholesale-products/new", product)
	hold(200, "POST", "/tenants/tnt_a/wholesale-products:validate", product)
	hold(400, "POST", "/tenants/tnt_a/wholesale-products", `{"name":"New","inventory":{"execution":{"adapter":"x"}}}`)
	hold(200, "DELETE", "/tenants/tnt_a/wholesale-products/new", "")
	hold(404, "DELETE", "/tenants/tnt_a/wholesale-products/new", "")
	hold(201, "POST", "/tenants/tnt_a/gam/advertisers:ensure", `{"name":"New"}`)
	hold(200, "POST", "/tenants/tnt_a/gam/advertisers:ensure", `{"name":"New"}`)
	hold(200, "POST", "/tenants/tnt_a/gam/advertisers:ensure", `{"name":"Other","dry_run":true}`)
	hold(200, "PATCH", "/tenants/tnt_a", `{"default_gam_advertiser_id":"1"}`)
	hold(201, "POST", "/tenants/tnt_a/accounts", `{"operator":"a.example","brand":{"domain":"b.example"},"billing":"operator","sandbox":true}`)
	hold(200, "POST", "/tenants/tnt_a/accounts", `{"operator":"a.example","brand":{"domain":"b.example"},"billing":"operator","sandbox":true}`)
	rule := ut.Tenant{ID: "tnt_a"}.AdvertiserID(1)
	hold(201, "POST", "/tenants/tnt_a/buyer-advertiser-mappings", `{"operator_domain":"a.example","gam_advertiser_id":"`+rule+`"}`)
	hold(409, "POST", "/tenants/tnt_a/buyer-advertiser-mappings", `{"operator_domain":"a.example","gam_advertiser_id":"`+rule+`"}`)
	hold(404, "DELETE", "/tenants/tnt_a/buyer-advertiser-mappings/rule_1", "")
	w.AdServer("", ut.Probe{Outcome: ut.PermissionDenied})
	hold(403, "POST", "/tenants/tnt_a/gam/advertisers:ensure", `{"name":"Another"}`)
}
