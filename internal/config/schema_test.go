package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestVariablesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, k := range Schema() {
		if first, taken := seen[k.Env]; taken && k.Env != "" {
			t.Errorf("%s sets both %s and %s", k.Env, first, k.Path)
		}
		seen[k.Env] = k.Path
	}
	for _, reserved := range []string{"ESAGATE_ENCRYPTION_KEY", "ESAGATE_STOREFRONT_KEY"} {
		if path, taken := seen[reserved]; taken {
			t.Errorf("%s, which references use, sets %s", reserved, path)
		}
	}
}

// A tag that is misspelt would be taken for a list of words, or for no bound.
func TestRulesAreSpeltRight(t *testing.T) {
	form := regexp.MustCompile(`^(required |optional |quoted )?(` +
		`(0\||>)?[0-9.]+(ms|s|m|h)?\.\.[0-9]+(ms|s|m|h)?|[a-z]+(\|[a-z]+)+|([a-z0-9:-]+)( [0-9.]+)?)$`)
	var check func(reflect.Type)
	check = func(kind reflect.Type) {
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
			kind = kind.Elem()
		}
		if !isSection(kind) || kind == adServerType {
			return
		}
		for _, f := range fields(kind) {
			check(kind.FieldByIndex(f.index).Type)
			if f.rule == "" {
				continue
			}
			parts := form.FindStringSubmatch(f.rule)
			if parts == nil || parts[7] != "" && rules[parts[7]] == nil {
				t.Errorf("%s has the rule %q", f.key, f.rule)
			}
			if name := strings.TrimPrefix(f.rule, "required "); name != f.rule && slices.Contains(strings.Fields(name), "optional") {
				t.Errorf("%s is required and optional", f.key)
			}
		}
	}
	check(reflect.TypeFor[document]())
}
