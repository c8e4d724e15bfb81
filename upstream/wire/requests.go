package wire

import (
	"encoding/json"
	"strconv"
)

// AdapterRequest is an ad-server config in the shape that upstream takes, as package adserver
// builds it: an object with these members. What is left out has upstream's default.
type AdapterRequest []AdapterField

// AdapterField is a member of an AdapterRequest. Value is a string, int64, bool or [Secret].
type AdapterField struct {
	Name  string
	Value any
}

// MarshalJSON implements json.Marshaler.
func (r AdapterRequest) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, f := range r {
		if i > 0 {
			out = append(out, ',')
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		out = append(strconv.AppendQuote(out, f.Name), ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// ProvisionRequest is the body of `POST /tenants/provision`.
type ProvisionRequest struct {
	Name           string         `json:"name"`
	ExternalOrgID  string         `json:"external_org_id"`
	ExternalSource string         `json:"external_source"`
	ContactEmail   string         `json:"contact_email"`
	PublicAgentURL string         `json:"public_agent_url,omitempty"`
	Adapter        AdapterRequest `json:"adapter"`
}

// WebhookRequest is the body of `POST T/webhooks`.
type WebhookRequest struct {
	URL         string   `json:"url"`
	EventTypes  []string `json:"event_types"`
	Description string   `json:"description,omitempty"`
	Secret      Secret   `json:"secret"` // at least 32 characters
}
