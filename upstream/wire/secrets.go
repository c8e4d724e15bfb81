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

// Secrets implements AdapterRequest. Of the key file the members that are credentials
// are given by themselves too: upstream could repeat one of them alone.
func (r GAMRequest) Secrets() []Secret {
	var file struct {
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
	}
	_ = json.Unmarshal([]byte(r.ServiceAccountKeyJSON), &file) // what is no key file has no members
	return given(r.ServiceAccountKeyJSON, Secret(file.PrivateKey), Secret(file.PrivateKeyID))
}

// Secrets implements AdapterRequest.
func (r FreeWheelRequest) Secrets() []Secret { return given(r.Password, r.APIToken) }

// Secrets implements AdapterRequest.
func (r SpringServeRequest) Secrets() []Secret { return given(r.Password, r.APIToken) }

// Secrets implements AdapterRequest.
func (r BroadstreetRequest) Secrets() []Secret { return given(r.APIKey) }

// Secrets implements AdapterRequest.
func (MockRequest) Secrets() []Secret { return nil }

// Secrets gives the credentials of the ad server.
func (r ProvisionRequest) Secrets() []Secret {
	if r.Adapter == nil {
		return nil
	}
	return r.Adapter.Secrets()
}

// Secrets gives what deliveries are to be signed with.
func (r WebhookRequest) Secrets() []Secret { return given(r.Secret) }
