package esagate_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"esagate/internal/adserver"
)

// TestAnAdServerTypeIsInFewFiles counts the files that name each type of ad server: those that
// one more type touches. Beside them may be the registry's view, for a field that no type has.
func TestAnAdServerTypeIsInFewFiles(t *testing.T) {
	const most = 3
	files := tree(t)
	for _, kind := range adserver.Types() {
		name := regexp.MustCompile(`(?i)` + kind.Name)
		if !strings.Contains(kind.Name, "_") && len(kind.Name) < 5 { // an English word, too
			name = regexp.MustCompile(`["[]` + kind.Name + `["\]]`)
		}
		var touched []string
		for path, content := range files {
			if !example(path) && name.Match(content) {
				touched = append(touched, path)
			}
		}
		if slices.Sort(touched); len(touched) > most || !slices.Contains(touched, "api/openapi.yaml") {
			t.Errorf("%s is named in %q; want its descriptor, the list of types and api/openapi.yaml", kind.Name, touched)
		}
	}
}

// example reports whether a file names types as examples only: tests and what helps them, pages,
// and the demo's sources. The rest of the simulated sales agent is none.
func example(path string) bool {
	if simulator := "upstream/upstreamtest/"; strings.HasPrefix(path, simulator) {
		return regexp.MustCompile(`_test\.go$|/testdata/|/sources\.go$`).MatchString(path)
	}
	return regexp.MustCompile(`_test\.go$|/testdata/|\.md$|^config\.yaml$|^bench/|test/|^cmd/esagate/demo\.go$`).MatchString(path)
}
