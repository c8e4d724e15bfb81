package telemetry_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"esagate/internal/telemetry"
)

// TestKeysInUseAreAllowed finds the keys that the module's code logs under: one
// that is missing from the list would be noticed only when its value is needed.
func TestKeysInUseAreAllowed(t *testing.T) {
	attribute := regexp.MustCompile(`\bslog\.[A-Z]\w+\("([^"]*)",`)
	found := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range attribute.FindAllSubmatch(code, -1) {
			found++
			if key := string(m[1]); !telemetry.KeyAllowed(key) {
				t.Errorf("%s: values under the key %q are never written", path, key)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 100 {
		t.Errorf("only %d slog attributes found: is the search broken?", found)
	}
}
