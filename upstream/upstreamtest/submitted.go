package upstreamtest

import (
	"encoding/json"
	"strings"
)

// sent are the credentials of a request, by their fields, and the type of ad server
// that they are for.
type submitted struct {
	kind   string
	fields []string
	values []string
}

// submittedIn finds the credentials in a provisioning call, a config or a subscription. Of a
// service account's key it is what the key is made of.
func submittedIn(request []byte) submitted {
	var doc, adapter Values
	_ = json.Unmarshal(request, &doc) // what is no such request holds none
	_ = json.Unmarshal(doc["adapter"], &adapter)
	s := submitted{kind: doc.Text("type") + adapter.Text("type")}
	s.add("secret", doc.Text("secret"))
	for _, config := range []Values{doc, adapter} {
		for _, name := range config.secrets() {
			value := config.Text(name)
			var key struct {
				ID  string `json:"private_key_id"`
				Key string `json:"private_key"`
			}
			if json.Unmarshal([]byte(value), &key) != nil {
				key.Key = value
			}
			s.add(name, key.ID)
			s.add(name, key.Key)
		}
	}
	return s
}

func (s *submitted) add(field, value string) {
	if value != "" {
		s.fields, s.values = append(s.fields, field), append(s.values, value)
	}
}

func (s submitted) sentence() string {
	return "There is no login with " + strings.Join(s.values, " or ") + " here."
}

// problem repeats the credentials wherever an ad server's refusal has a text.
func (s submitted) problem(status int, code string) answer {
	word := strings.Join(s.values, "_")
	return problem(status, code, s.sentence(), refusalDetails{
		AdapterType: s.kind, Error: s.sentence(), Remediation: &word, DebugToken: Canary + "-debug-token",
		VendorFault: &vendorFault{Vendor: word, Phase: word, Endpoint: word, VendorMessage: s.sentence()},
	})
}

// list repeats each credential in the message on its field, and as the name of an
// unknown field.
func (s submitted) list(status int, request []byte) answer {
	var found []validationError
	for i, value := range s.values {
		found = append(found,
			validationError{Type: "value_error", Loc: []string{s.kind, s.fields[i]}, Msg: "Value error, no login with " + value, Input: asJSON(request)},
			validationError{Type: "extra_forbidden", Loc: []string{s.kind, value}, Msg: "Extra inputs are not permitted", Input: asJSON(request)})
	}
	return says(status, found)
}
