package config

import (
	"reflect"
	"strings"
	"testing"
)

// fieldAt finds a value by its path.
func fieldAt(doc *document, path string) any {
	v := reflect.ValueOf(doc).Elem()
	for part := range strings.SplitSeq(path, ".") {
		for _, f := range fields(v.Type()) {
			if f.key == part {
				v = v.FieldByIndex(f.index)
				break
			}
		}
	}
	return v.Interface()
}

func TestVariablesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, k := range schema() {
		if first, taken := seen[k.env]; taken && k.env != "" {
			t.Errorf("%s sets both %s and %s", k.env, first, k.path)
		}
		seen[k.env] = k.path
	}
	for _, reserved := range []string{"ESAGATE_ENCRYPTION_KEY", "ESAGATE_STOREFRONT_KEY"} {
		if path, taken := seen[reserved]; taken {
			t.Errorf("%s, which references use, sets %s", reserved, path)
		}
	}
}

// Each key that belongs to a type exists, and each key belongs to some type.
func TestAdServerKeys(t *testing.T) {
	used := map[string]bool{"type": true}
	for _, keys := range adServerKeys {
		for _, key := range keys {
			used[key] = true
		}
	}
	for _, f := range fields(reflect.TypeFor[adServerEntry]()) {
		if !used[f.key] {
			t.Errorf("%s belongs to no type", f.key)
		}
		delete(used, f.key)
	}
	for key := range used {
		t.Errorf("%s is no key", key)
	}
}
