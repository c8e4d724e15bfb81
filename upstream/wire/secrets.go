package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a credential on its way upstream. Encoded as JSON it is itself; printed
// or logged it is one word.
type Secret string

const hidden = "[secret]"

// Format implements fmt.Formatter: no verb shows a secret.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// given gives those secrets that are not empty.
func given(all ...Secret) []Secret {
	var some []Secret
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

// Secrets gives every credential in it, none of them empty. Of a service account's key file the
// members that are credentials are given by themselves too: upstream could repeat one of them
// alone.
func (r AdapterRequest) Secrets() []Secret {
	var all []Secret
	for _, f := range r {
		if s, ok := f.Value.(Secret); ok {
			var file struct {
				PrivateKey   string `json:"private_key"`
				PrivateKeyID string `json:"private_key_id"`
			}
			_ = json.Unmarshal([]byte(s), &file) // what is no key file has no members
			all = append(all, given(s, Secret(file.PrivateKey), Secret(file.PrivateKeyID))...)
		}
	}
	return all
}

// Secrets gives the credentials of the ad server.
func (r ProvisionRequest) Secrets() []Secret { return r.Adapter.Secrets() }

// Secrets gives what deliveries are to be signed with.
func (r WebhookRequest) Secrets() []Secret { return given(r.Secret) }
