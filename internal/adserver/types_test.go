package adserver_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/registry"
	"esagate/upstream/wire"
)

// TestDescriptors holds every type against the registry's view: what is kept has a field there,
// no credential has one, and each field there belongs to some type.
func TestDescriptors(t *testing.T) {
	unused := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[registry.AdServer]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		unused[name] = name != "type"
	}
	for _, kind := range adserver.Types() {
		for _, f := range kind.Fields {
			_, column := unused[f.Name]
			switch {
			case f.In(adserver.Kept) && (f.Form == adserver.Secret || f.Form == adserver.Flag):
				t.Errorf("%s: %s can't be kept", kind.Name, f.Name)
			case f.In(adserver.Kept) && !column:
				t.Errorf("%s: the registry has no field for %s", kind.Name, f.Name)
			case f.In(adserver.Setting) && f.Form == adserver.Secret:
				t.Errorf("%s: the credential %s is read back", kind.Name, f.Name)
			case (f.Form == adserver.Word) != (f.Words != nil):
				t.Errorf("%s: the words of %s: %q", kind.Name, f.Name, f.Words)
			}
			if f.In(adserver.Kept) {
				unused[f.Name] = false
			}
		}
	}
	for name, is := range unused {
		if is {
			t.Errorf("no type keeps %s", name)
		}
	}
}

// TestViewsAreTheContracts holds views against their schemas, which are closed (contract 5.4): of a
// config of which nothing is known, and of one with every field that any type has.
func TestViewsAreTheContracts(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec(false).YAML.Plain)
	if err != nil {
		t.Fatal(err)
	}
	fits := func(s *registry.AdServer) {
		t.Helper()
		var view any
		if err := json.Unmarshal(api.Encode(adserver.View(s)), &view); err != nil {
			t.Fatal(err)
		}
		if err := doc.Components.Schemas["AdServer"].Value.VisitJSON(view, openapi3.VisitAsResponse()); err != nil {
			t.Errorf("%+v: %v does not fit: %v", s, view, err)
		}
	}
	n, limit := int64(7), 0.5
	full := registry.AdServer{NetworkCode: "4", NetworkID: "networkId", ClientID: "clientId", Username: "username", Email: "email",
		Environment: "production", DefaultAdvertiserID: "defaultAdvertiserId", ExecutionCurrency: "EUR", DefaultDemandPartnerID: &n,
		RateCurrency: "EUR", AgencyID: &n, BaseURL: "baseUrl", ForecastingBaseURL: "forecastingBaseUrl", DefaultCurrency: "EUR", CPMLimit: &limit}
	for _, kind := range adserver.Types() {
		full.Type = kind.Name
		fits(&full)
		fits(&registry.AdServer{Type: kind.Name})
	}
	fits(nil)
	for word, shown := range map[string]string{"kelvin_ads": "kelvin_ads", "sk_live_4f9a8b7c6d5e4f3a2b1c!": "unknown"} {
		full.Type = word
		if got := string(api.Encode(adserver.View(&full))); got != `{"type":"`+shown+`"}` {
			t.Errorf("%s is shown as %s", word, got)
		}
	}
}

func TestObserved(t *testing.T) {
	some := func(s string) wire.Opt[string] { return wire.Opt[string]{Value: s, Set: true} }
	for name, c := range map[string]struct {
		config *wire.AdapterConfig
		view   *registry.AdServer
		email  string
	}{
		"none": {&wire.AdapterConfig{Type: "freewheel", NetworkCode: some("5")}, nil, ""},
		"with an account": {&wire.AdapterConfig{Configured: true, Type: "google_ad_manager", NetworkCode: some("0771"), ServiceAccountEmail: some("a@b.example")},
			&registry.AdServer{Type: "google_ad_manager", NetworkCode: "0771"}, "a@b.example"},
		"not showable": {&wire.AdapterConfig{Configured: true, Type: "google_ad_manager", NetworkCode: some("12a")},
			&registry.AdServer{Type: "google_ad_manager"}, ""},
		"too long": {&wire.AdapterConfig{Configured: true, Type: "google_ad_manager", NetworkCode: some(strings.Repeat("1", 33))},
			&registry.AdServer{Type: "google_ad_manager"}, ""},
		"another type": {&wire.AdapterConfig{Configured: true, Type: "freewheel", NetworkCode: some("5"), ServiceAccountEmail: some("a@b.example")},
			&registry.AdServer{Type: "freewheel"}, ""},
		"no word": {&wire.AdapterConfig{Configured: true, Type: "a b"}, &registry.AdServer{Type: "unknown"}, ""},
	} {
		if view, email := adserver.Observed(c.config); !reflect.DeepEqual(view, c.view) || email != c.email {
			t.Errorf("%s: %+v, %q", name, view, email)
		}
	}
}

func TestCallersName(t *testing.T) {
	for key, want := range map[string]string{"api_token": "apiToken", "network_id": "networkId", "rate_currency": "rateCurrency",
		"demand_class": "", "service_account_email": "", "refresh_token": "", "execution_currency": "", "networkCode": "", "type": ""} {
		if got := adserver.CallersName(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}
