package adserver

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/redact"
	"esagate/registry"
	"esagate/upstream/wire"
)

// setting is one of upstream's settings as the caller wants it.
type setting struct {
	name  string // upstream's
	value jsontext.Value
}

// textSetting gives a setting of text; an empty one is none, which upstream writes as
// null.
func textSetting(name, value string) setting {
	if value == "" {
		return setting{name, jsontext.Value("null")}
	}
	quoted, _ := jsontext.AppendQuote(nil, value) // it was read from sound JSON
	return setting{name, quoted}
}

func integerSetting(name string, value int64) setting {
	return setting{name, strconv.AppendInt(nil, value, 10)}
}

// Settings gives what is to be put back to `T/adapters/{type}/config` after the config
// was written: kept as it was read, with what the caller names in its place, in its
// order; what is not known here keeps its bytes. nil: there is nothing to put back,
// because nothing was kept, the type has no settings, or kept is no sound JSON object.
func (c *Config) Settings(kept *wire.Settings) []byte {
	if kept == nil || c.Type() == typeMock {
		return nil
	}
	named := c.open().settings()
	dec := jsontext.NewDecoder(bytes.NewReader(kept.Raw))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return nil
	}
	out := make([]byte, 1, len(kept.Raw)+64)
	out[0] = '{'
	add := func(name, value jsontext.Value) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	used := make([]bool, len(named))
	for dec.PeekKind() != '}' {
		raw, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		name := raw.Clone() // the decoder reuses it with the next read
		unquoted, _ := jsontext.AppendUnquote(nil, name)
		value, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		for i := range named {
			if named[i].name == string(unquoted) {
				value, used[i] = named[i].value, true
			}
		}
		add(name, value)
	}
	for i := range named {
		if !used[i] {
			add(jsontext.Value(strconv.Quote(named[i].name)), named[i].value)
		}
	}
	return append(out, '}')
}

// shownID gives an id of upstream's settings for the view, "" for what can't be one:
// the view is kept and shown.
func shownID(id string) string {
	if utf8.RuneCountInString(id) > maxID || redact.Secretlike(id) || !registry.Storable(id) {
		return ""
	}
	return id
}
