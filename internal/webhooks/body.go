package webhooks

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/registry"
)

// Bounds of a body, which is read before its sender is known.
const (
	maxDepth  = 32
	maxTokens = 20_000
)

// tenantOf gives the tenant of a body that is not trusted yet; ok is false unless the
// body is a JSON object, valid throughout and without a name twice in one object.
func tenantOf(raw []byte) (tenant string, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	named := false // the current member is tenant_id
	for n := 0; ; n++ {
		ended := n > 0 && dec.StackDepth() == 0
		token, err := dec.ReadToken()
		switch {
		case ended:
			return tenant, errors.Is(err, io.EOF) && registry.StorableID(tenant)
		case err != nil, n == 0 && token.Kind() != '{', n == maxTokens, dec.StackDepth() > maxDepth:
			return "", false
		}
		if dec.StackDepth() != 1 {
			continue
		}
		if _, read := dec.StackIndex(1); read%2 == 1 {
			named = token.String() == "tenant_id"
		} else if named && token.Kind() == '"' {
			tenant = token.String()
		}
	}
}

// members are those of a valid JSON object, undecoded. A nil one has none.
type members map[string]jsontext.Value

// object gives the members of an object, nil for any other value.
func object(raw jsontext.Value) (m members) {
	if raw.Kind() != '{' || json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// text gives a string; ok is false where there is none.
func (m members) text(name string) (s string, ok bool) {
	raw := m[name]
	if raw.Kind() != '"' {
		return "", false
	}
	unquoted, err := jsontext.AppendUnquote(nil, raw)
	return string(unquoted), err == nil
}

// count gives an integer that is not negative, nil where there is none.
func (m members) count(name string) *int64 {
	n, err := strconv.ParseInt(string(m[name]), 10, 64) // of JSON values it takes integers alone
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// says reports whether a member is present and neither false nor null.
func (m members) says(name string) bool {
	raw, there := m[name]
	return there && raw.Kind() != 'f' && raw.Kind() != 'n'
}
