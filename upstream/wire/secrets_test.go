package wire_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"esagate/upstream/wire"
)

// TestEverySecretIsGiven: of a config and of what it stands in, none of them empty.
func TestEverySecretIsGiven(t *testing.T) {
	config := wire.AdapterRequest{
		{Name: "type", Value: "t"}, {Name: "password", Value: wire.Secret("hunter2")}, {Name: "environment", Value: "production"},
		{Name: "api_key", Value: wire.Secret("")}, {Name: "default_demand_partner_id", Value: int64(7)}, {Name: "api_token", Value: wire.Secret("staple")},
	}
	for name, got := range map[string][]wire.Secret{
		"a config": config.Secrets(), "a provisioning": wire.ProvisionRequest{Adapter: config}.Secrets(),
		"a subscription": slices.Concat(wire.WebhookRequest{Secret: "hunter2"}.Secrets(), []wire.Secret{"staple"}, wire.WebhookRequest{}.Secrets()),
	} {
		if want := []wire.Secret{"hunter2", "staple"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, asText(got))
		}
	}
	if got := (wire.ProvisionRequest{}).Secrets(); len(got) != 0 {
		t.Errorf("%d secrets in nothing", len(got))
	}
	encoded, err := json.Marshal(wire.ProvisionRequest{Adapter: config})
	const want = `"adapter":{"type":"t","password":"hunter2","environment":"production","api_key":"","default_demand_partner_id":7,"api_token":"staple"}`
	if err != nil || !strings.Contains(string(encoded), want) {
		t.Errorf("encoded as %s, %v", encoded, err)
	}
	if shown := fmt.Sprintf("%v %+v %#v %q", config, config, config, config); strings.Contains(shown, "hunter2") {
		t.Errorf("printed: %s", shown)
	}
}

func TestAKeyFilesSecretsAreGivenByThemselves(t *testing.T) {
	of := func(key wire.Secret) []wire.Secret {
		return wire.AdapterRequest{{Name: "service_account_key_json", Value: key}}.Secrets()
	}
	const file = `{"type":"service_account","private_key_id":"id","private_key":"line\nline","client_email":"a@b.example"}`
	got := of(file)
	if want := []wire.Secret{file, "line\nline", "id"}; !slices.Equal(got, want) {
		t.Errorf("%q", strings.Join(asText(got), " | "))
	}
	for _, odd := range []wire.Secret{"no JSON", `["a"]`, `{"private_key":7}`, `{`} {
		if got := of(odd); !slices.Equal(got, []wire.Secret{odd}) {
			t.Errorf("%q", asText(got))
		}
	}
}

func asText(all []wire.Secret) (texts []string) {
	for _, s := range all {
		texts = append(texts, string(s))
	}
	return texts
}
