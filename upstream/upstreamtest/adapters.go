package upstreamtest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"esagate/internal/adserver"
)

// AdapterConfig is an ad-server config as the agent was given it, credentials included, with the
// agent's defaults for what was left out.
type AdapterConfig struct {
	Type   string
	Values Values
}

// Values are fields of a config, in JSON by the agent's names; what is null is left out. Package
// adserver says which fields a type has.
type Values map[string]json.RawMessage

// Text gives a field that holds a text, as it is written for others.
func (v Values) Text(name string) string {
	var text string
	if json.Unmarshal(v[name], &text) != nil {
		return string(v[name])
	}
	return text
}

// Account is what an ad server knows the config's owner by: a network code or id, a user name or
// an e-mail address; the type where there is none of these.
func (c AdapterConfig) Account() string {
	if t := adserver.Find(c.Type); t != nil && t.Account() != nil {
		if account := c.Values.Text(t.Account().Key()); account != "" {
			return account
		}
	}
	return c.Type
}

// secrets are the names of the credentials among the values, whatever the type.
func (v Values) secrets() (names []string) {
	for _, t := range adserver.Types() {
		for _, f := range t.Fields {
			if key := f.Key(); f.Form == adserver.Secret && v.Text(key) != "" && !slices.Contains(names, key) {
				names = append(names, key)
			}
		}
	}
	return names
}

// currency is the pattern of ISO 4217 codes.
var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// schemaOf gives the fields of a type that have a use, as the agent's framework checks them
// (published schema, AdapterConfigEnvelope and …Settings).
func schemaOf(t *adserver.Type, use adserver.Use) []field {
	schema := []field{{name: "type"}}
	for _, f := range t.Fields {
		if !f.In(use) {
			continue
		}
		s := field{name: f.Key(), required: f.Required, nullable: !f.Required && f.Default == "", max: f.Max}
		switch f.Form {
		case adserver.Flag:
			s.kind = flag
		case adserver.Integer:
			s.kind = integer
		case adserver.Currency:
			s.min, s.max, s.pattern = 3, 3, currency
		case adserver.Word:
			s.oneOf = f.TakenWords()
		}
		if f.Required {
			s.min = f.Min
		}
		schema = append(schema, s)
	}
	return schema
}

// defaultsOf gives what the agent has for the fields of a type that are left out.
func defaultsOf(t *adserver.Type, use adserver.Use) Values {
	v := Values{}
	for _, f := range t.Fields {
		if f.In(use) && f.Default != "" {
			v[f.Key()] = json.RawMessage(f.Default)
		}
	}
	return v
}

// set takes over fields that were checked; what is null keeps its default.
func (v Values) set(known map[string]json.RawMessage) {
	for name, raw := range known {
		if name != "type" && string(bytes.TrimSpace(raw)) != "null" {
			v[name] = raw
		}
	}
}

// readAdapter checks an ad-server config and reads it. loc is where in the body it stands; the
// tag is put behind it.
func (o Options) readAdapter(loc []string, raw json.RawMessage) (AdapterConfig, []validationError) {
	var head struct {
		Type *string `json:"type"`
	}
	if json.Unmarshal(raw, &head) != nil || head.Type == nil {
		return AdapterConfig{}, []validationError{{
			Type: "union_tag_not_found", Loc: at(loc), Msg: "Unable to extract tag using discriminator 'type'", Input: asJSON(raw),
		}}
	}
	tag := *head.Type
	t := adserver.Find(tag)
	if t == nil || t.Untaken {
		var tags []string
		for _, t := range adserver.Types() {
			if !t.Untaken {
				tags = append(tags, "'"+t.Name+"'")
			}
		}
		expected := strings.Join(tags, ", ")
		return AdapterConfig{}, []validationError{{
			Type: "union_tag_invalid", Loc: at(loc), Input: asJSON(raw),
			Msg: "Input tag '" + tag + "' found using 'type' does not match any of the expected tags: " + expected,
			Ctx: map[string]string{"discriminator": "'type'", "tag": tag, "expected_tags": expected},
		}}
	}
	loc = at(loc, tag)
	known, found := o.check(loc, raw, schemaOf(t, adserver.Taken))
	if found != nil {
		return AdapterConfig{}, found
	}
	c := AdapterConfig{Type: tag, Values: defaultsOf(t, 0)}
	c.Values.set(known)
	if t.Login != "" && (c.Values.Text(t.Login) == "" || c.Values.Text("password") == "") && c.Values.Text("api_token") == "" {
		return AdapterConfig{}, valueError(loc, "a "+tag+" config needs a user with a password, or an api_token", raw)
	}
	return c, nil
}
