package config_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"esagate/internal/config"
)

// The reference page has one row a key, with its default and its variable, and
// no row for anything else.
func TestTheReferenceNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(page)) {
		if key, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); ok && strings.HasPrefix(line, "| `") {
			if rows[key] != nil {
				t.Errorf("%s has two rows", key)
			}
			rows[key] = strings.Split(rest, " | ")
		}
	}
	variables := map[string]bool{}
	for _, key := range config.Schema() {
		row := rows[key.Path]
		delete(rows, key.Path)
		switch {
		case row == nil:
			t.Errorf("%s has no row", key.Path)
		case key.Env == "":
		case row[0] != key.Default:
			t.Errorf("%s: the default is %s, not %s", key.Path, key.Default, row[0])
		case row[1] != "`"+key.Env+"`":
			t.Errorf("%s: the variable is %s, not %s", key.Path, key.Env, row[1])
		}
		variables[key.Env] = true
	}
	for key := range rows {
		t.Errorf("%s has a row, but is no key", key)
	}
	for _, name := range regexp.MustCompile(`ESAGATE_[A-Z_]*[A-Z]`).FindAllString(string(page), -1) {
		if !variables[name] {
			t.Errorf("%s sets nothing", name)
		}
	}
}
