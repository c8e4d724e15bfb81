package assets_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"esagate/gateway/assets"
)

// TestScriptsOfOthers holds the scripts that others wrote against the hashes in docs/dependencies.md.
func TestScriptsOfOthers(t *testing.T) {
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"htmx-4.0.1.min.js", "hx-sse-4.0.1.min.js"} {
		content, err := os.ReadFile("files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if !strings.Contains(string(page), hex.EncodeToString(sum[:])) {
			t.Errorf("docs/dependencies.md does not have the hash %x of %s", sum, name)
		}
	}
}

func TestAddresses(t *testing.T) {
	for name, want := range map[string]string{
		"base.css": "text/css; charset=utf-8", "htmx-4.0.1.min.js": "text/javascript; charset=utf-8",
	} {
		url := assets.URL(name)
		file := assets.Get(strings.TrimPrefix(url, assets.Prefix))
		if file == nil || file.Type[0] != want || len(file.Plain) == 0 {
			t.Errorf("%s at %s: %+v", name, url, file)
		}
		if assets.Get(name) != nil {
			t.Errorf("%s is there without its hash", name)
		}
	}
}
