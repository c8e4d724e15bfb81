package adserver

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/redact"
	"esagate/registry"
	"esagate/upstream/wire"
)

// settings are upstream's settings, in their order.
type settings []setting

type setting struct {
	raw   jsontext.Value // the name as it was written
	name  string
	value jsontext.Value
}

// readSettings gives nil for what is no sound JSON object.
func readSettings(kept *wire.Settings) settings {
	if kept == nil || !wire.ValidSettings(kept.Raw) {
		return nil
	}
	all := settings{}
	dec := jsontext.NewDecoder(bytes.NewReader(kept.Raw))
	for _, _ = dec.ReadToken(); dec.PeekKind() == '"'; {
		name, _ := dec.ReadValue()
		s := setting{raw: name.Clone()} // the decoder reuses it with the next read
		_ = json.Unmarshal(s.raw, &s.name)
		value, _ := dec.ReadValue()
		s.value = value.Clone()
		all = append(all, s)
	}
	return all
}

// plain gives a setting as a string, int64 or bool; nil for one that is not there, or of another
// kind than its field.
func (all settings) plain(f *Field) any {
	for _, s := range all {
		if s.name != f.Key() {
			continue
		}
		switch kind := s.value.Kind(); {
		case f.Form == Flag && (kind == 't' || kind == 'f'):
			return kind == 't'
		case f.Form == Integer && kind == '0':
			if n, ok := wire.Integer(s.value); ok {
				return n
			}
		case f.Form != Flag && f.Form != Integer && kind == '"':
			var text string
			_ = json.Unmarshal(s.value, &text)
			return text
		}
	}
	return nil
}

// showable gives a setting for the view, which is kept and shown; nothing for what can't be one.
func (all settings) showable(f *Field) value {
	switch plain := all.plain(f).(type) {
	case int64:
		return value{number: &plain}
	case string:
		if f.Form == Currency && isCurrency(plain) || f.Form != Currency &&
			utf8.RuneCountInString(plain) <= f.Max && !redact.Secretlike(plain) && registry.Storable(plain) {
			return value{text: plain}
		}
	}
	return value{}
}

// Settings gives what is to be put back to `T/adapters/{type}/config` after the config was
// written: kept as it was read, in its order and with the bytes of what is not known here, and
// in it the values that the caller named. nil: there is nothing to put back, because nothing was
// kept, the type has no settings, or kept is no sound JSON object.
func (c *Config) Settings(kept *wire.Settings) []byte {
	config, all := c.open(), readSettings(kept)
	if all == nil || len(config.with(Setting)) == 0 {
		return nil
	}
	for _, f := range config.with(Sent) {
		if v, given := config.given[f.Name]; given && (f.In(Setting) || f.In(Unshown) && all.plain(f) != nil) {
			all = all.set(f.Key(), v)
		}
	}
	out := []byte{'{'}
	for i, s := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, s.raw...), ':'), s.value...)
	}
	return append(out, '}')
}

// set gives the settings with one of them replaced, or added at the end. An empty text is none,
// which upstream writes as null.
func (all settings) set(key string, v value) settings {
	written := jsontext.Value("null")
	switch {
	case v.number != nil:
		written = strconv.AppendInt(nil, *v.number, 10)
	case v.text != "":
		written, _ = jsontext.AppendQuote(nil, v.text) // it was read from sound JSON
	}
	for i := range all {
		if all[i].name == key {
			all[i].value = written
			return all
		}
	}
	return append(all, setting{jsontext.Value(strconv.Quote(key)), key, written})
}
