package agentauth

import (
	"slices"
	"strings"
	"testing"
)

// FuzzBearer has agents write anything into a challenge, as RFC 9110 has texts written:
// what they write is read again, and no part of it as anything else.
func FuzzBearer(f *testing.F) {
	f.Add(`a "b", Bearer resource_metadata="https://evil.example"`, "https://agent.example.com/prm", `Negotiate YII==, `)
	f.Add(`\`, `\"`, `Basic realm="`)
	f.Fuzz(func(t *testing.T, realm, pointer, before string) {
		if len(before) > 1<<12 {
			return
		}
		quoted := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
		got := bearer([]string{"bearer realm=" + quoted(realm) + ` , Resource_Metadata = ` + quoted(pointer)})
		if want := []string{pointer}; !got.asks || got.scope != "" || pointer != "" && !slices.Equal(got.metadata, want) {
			t.Errorf("%q: %+v", pointer, got)
		}
		// Whatever a field holds does not hide the one after it.
		if got := bearer([]string{before, "Bearer scope=s"}); !got.asks || len(got.metadata) > maxPointers {
			t.Errorf("%q: %+v", before, got)
		}
	})
}
