package wire

import (
	"reflect"
	"regexp"
	"testing"
)

// TestDeclarations holds what the tags of every document must say; no other test would notice.
func TestDeclarations(t *testing.T) {
	for _, document := range []any{
		Status{}, AdapterConfig{}, Tenant{}, Provisioned{}, TestResult{}, Refresh{}, SyncHistory{}, Webhook{}, Event{}, errorBody{},
	} {
		checkDeclared(t, reflect.TypeOf(document))
	}
}

func checkDeclared(t *testing.T, typ reflect.Type) {
	if typ.NumField() > 64 {
		t.Errorf("%s: more fields than bits", typ)
	}
	names := map[string]bool{}
	for declared := range typ.Fields() {
		at := typ.Name() + "." + declared.Name
		if declared.Tag.Get("json") == "-" {
			if fieldsOf(typ).byName["-"] != nil {
				t.Errorf("%s: it is read", at)
			}
			continue
		}
		if declared.Name == "_" {
			if declared.Tag.Get("ignored") == "" {
				t.Errorf("%s: no name", at)
			}
			continue
		}
		f := fieldsOf(typ).byName[declared.Tag.Get("json")]
		if f == nil || names[f.name] || !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(f.name) {
			t.Fatalf("%s: its name is missing, there twice, or not snake_case", at)
		}
		names[f.name] = true
		kind := declared.Type
		if (kind.Kind() == reflect.Slice) != (f.max > 0) {
			t.Errorf("%s: a list, and nothing else, has a max", at)
		}
		if f.nonempty && kind.Kind() != reflect.String {
			t.Errorf("%s: only a string can be empty", at)
		}
		switch kind := held(kind); kind.Kind() {
		case reflect.Struct:
			if kind != reflect.TypeFor[Time]() {
				checkDeclared(t, kind)
			}
		case reflect.String, reflect.Bool, reflect.Int64, reflect.Float64:
		default:
			t.Errorf("%s: nothing reads a %s", at, kind)
		}
	}
}

// held gives the type of what an Opt, a list or Members hold.
func held(typ reflect.Type) reflect.Type {
	if typ.Kind() == reflect.Slice {
		return held(typ.Elem())
	}
	if typ.Kind() == reflect.Struct {
		if value, ok := typ.FieldByName("Value"); ok {
			return held(value.Type)
		}
	}
	return typ
}
