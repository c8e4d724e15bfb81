package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Named is a key of the schema, for the tests that go through all of them. Env is empty inside of
// lists, Path has "[]" for a list's items and ".*" for the keys of a map.
type Named struct{ Path, Env, Default, Rule string }

// Schema lists every key with its default as the reference page writes it.
func Schema() []Named {
	doc := newDocument()
	return walk(nil, reflect.ValueOf(doc), "", "", true)
}

func walk(keys []Named, v reflect.Value, path, rule string, outside bool) []Named {
	if v.Kind() == reflect.Pointer && isSection(v.Type().Elem()) {
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		v = v.Elem()
	}
	switch t := v.Type(); {
	case isSection(t):
		for _, f := range fields(t) {
			keys = walk(keys, v.FieldByIndex(f.index), child(path, f.key), f.rule, outside)
		}
		return keys
	case t.Kind() == reflect.Slice && isSection(t.Elem()):
		return walk(keys, reflect.New(t.Elem()).Elem(), path+"[]", "", false)
	case t.Kind() == reflect.Map:
		return append(keys, Named{Path: path + ".*"})
	case outside:
		return append(keys, Named{path, environmentName(path), defaultOf(path, v.Interface()), rule})
	}
	return append(keys, Named{Path: path, Rule: rule})
}

func defaultOf(path string, value any) string {
	if secret, ok := value.(Secret); ok {
		value = secret.Reveal() // no default is a secret
	}
	text := fmt.Sprint(value)
	if _, ok := value.(time.Duration); ok {
		text = strings.Replace(strings.Replace(text, "m0s", "m", 1), "h0m", "h", 1)
	}
	switch {
	case path == "upstream.api_key", path == "store.encryption_key":
		return "required"
	case path == "auth.oidc.issuer", path == "auth.oidc.audience":
		return "none"
	case text == "":
		return "empty"
	}
	return "`" + text + "`"
}
