package config

import (
	"regexp"
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
		`(0\||>)?[0-9.]+(ms|s|m|h|[MT]iB)?\.\.[0-9]+(ms|s|m|h|[MT]iB)?|[a-z]+(\|[a-z]+)+|([a-z0-9:-]+)( [0-9.]+)?)$`)
	for _, k := range Schema() {
		parts := form.FindStringSubmatch(k.Rule)
		if k.Rule != "" && (parts == nil || parts[7] != "" && rules[parts[7]] == nil) {
			t.Errorf("%s has the rule %q", k.Path, k.Rule)
		}
	}
}
