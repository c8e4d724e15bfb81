package wire

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/word"
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

// maxOrgID bounds an external_org_id, in characters: with more upstream fails (contract 2.6).
const maxOrgID = 91

// OrgIDProblem says why upstream can't take an external_org_id, "" if it can. It makes a part of
// a host name of it, and fails over what none can hold after it has made the tenant (contract
// 2.6). The id is also sent to it in a header (contract 2.16).
func OrgIDProblem(id string) string {
	switch {
	case id == "":
		return "must not be empty"
	case utf8.RuneCountInString(id) > maxOrgID:
		return "must be at most " + strconv.Itoa(maxOrgID) + " characters"
	case !word.OrgID.Is(id):
		return "must be ASCII letters and digits, and any of " + word.OrgIDSigns
	}
	return ""
}

// WebhookRequest is the body of `POST T/webhooks`.
type WebhookRequest struct {
	URL         string   `json:"url"`
	EventTypes  []string `json:"event_types"`
	Description string   `json:"description,omitempty"`
	Secret      Secret   `json:"secret"` // at least 32 characters
}

// ValidBody reports whether upstream reads raw as the object that it is: one in UTF-8, without a name twice. What it
// can't parse it reads as an empty object, and answers with a success.
func ValidBody(raw []byte) bool {
	v := jsontext.Value(raw)
	return v.Kind() == jsontext.KindBeginObject && v.IsValid()
}
