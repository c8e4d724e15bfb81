package adserver_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

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
	orders := map[int]string{}
	for _, kind := range adserver.Types() {
		if other, taken := orders[kind.Order]; taken {
			t.Errorf("%s has the order of %s", kind.Name, other)
		}
		orders[kind.Order] = kind.Name
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
		if view := encoded(t, adserver.View(&registry.AdServer{Type: kind.Name})); !strings.HasPrefix(view, `{"type":"`+kind.Name+`"`) {
			t.Errorf("%s has the view %s", kind.Name, view)
		}
	}
	for name, is := range unused {
		if is {
			t.Errorf("no type keeps %s", name)
		}
	}
}

// TestViewsAreAllowLists fills every field of the registry's view: a document has those of its
// type and no more (contract 5.4).
func TestViewsAreAllowLists(t *testing.T) {
	n, limit := int64(7), 0.5
	full := registry.AdServer{NetworkCode: "networkCode", NetworkID: "networkId", ClientID: "clientId", Username: "username", Email: "email",
		Environment: "environment", DefaultAdvertiserID: "defaultAdvertiserId", ExecutionCurrency: "executionCurrency", DefaultDemandPartnerID: &n,
		RateCurrency: "rateCurrency", AgencyID: &n, BaseURL: "baseUrl", ForecastingBaseURL: "forecastingBaseUrl", DefaultCurrency: "defaultCurrency", CPMLimit: &limit}
	for _, kind := range adserver.Types() {
		full.Type = kind.Name
		var want []string
		for _, f := range kind.Fields {
			if f.In(adserver.Kept) {
				want = append(want, f.Name)
			}
		}
		var got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(adserver.View(&full))) {
			if name := f.Tag.Get("json"); name != "type" {
				got = append(got, name)
			}
		}
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s shows %q, want %q", kind.Name, got, want)
		}
	}
	for word, shown := range map[string]string{"kelvin_ads": "kelvin_ads", "sk_live_4f9a8b7c6d5e4f3a2b1c!": "unknown"} {
		full.Type = word
		if got := adserver.View(&full); got != (api.OtherAdServer{Type: shown}) {
			t.Errorf("%s is shown as %+v", word, got)
		}
	}
	if got := adserver.View(nil); got != nil {
		t.Errorf("nothing saved is shown as %+v", got)
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
		"not showable": {&wire.AdapterConfig{Configured: true, Type: "google_ad_manager", NetworkCode: some("12a"), ServiceAccountEmail: some("key: x@b.example")},
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
