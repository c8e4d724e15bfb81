package registry_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esagate/registry"
)

// TestSecretsPrintAsOneWord: no verb and no log shows what is in them, also by a pointer.
func TestSecretsPrintAsOneWord(t *testing.T) {
	const secret = "CANARY"
	client := registry.OAuthClient{ClientSecret: secret}
	consent := registry.Consent{Verifier: secret, Client: client}
	for _, v := range []any{
		registry.Credential{Token: &registry.TokenCredential{Token: secret}}, registry.TokenCredential{Token: secret},
		registry.JWTCredential{PrivateKey: secret}, registry.BasicCredential{Password: secret},
		registry.OAuthCredential{AccessToken: secret, Client: client}, client, consent, registry.TakenConsent{Consent: consent},
		registry.Subscription{Secret: secret}, registry.WebhookTarget{Secret: secret},
		&client, &registry.Subscription{Secret: secret},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); got != "[secret]" {
				t.Errorf("%T by %s: %s", v, verb, got)
			}
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		if !strings.Contains(log.String(), `"v":"[secret]"}`) {
			t.Errorf("%T in a log: %s", v, log.String())
		}
	}
}
