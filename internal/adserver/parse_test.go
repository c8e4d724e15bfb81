package adserver_test

import (
	"flag"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"esagate/internal/adserver"
	"esagate/internal/fault"
)

var update = flag.Bool("update", false, "write testdata anew")

// repeated is a long text in testdata.
var repeated = regexp.MustCompile(`«(.+?)\*(\d+)»`)

// TestEveryIssueIsNamed reads the bodies of testdata. What is wrong with each stands below it.
func TestEveryIssueIsNamed(t *testing.T) {
	for file, parse := range map[string]func([]byte) error{
		"testdata/configs.txt":  func(body []byte) error { _, err := adserver.Parse(body); return err },
		"testdata/connects.txt": func(body []byte) error { _, err := adserver.ParseConnect(body); return err },
	} {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for line := range strings.Lines(string(want)) {
			if strings.HasPrefix(line, "\t") {
				continue
			}
			got.WriteString(line)
			if !strings.HasPrefix(line, "{") {
				continue
			}
			body := repeated.ReplaceAllStringFunc(strings.TrimSpace(line), func(s string) string {
				parts := repeated.FindStringSubmatch(s)
				count, _ := strconv.Atoi(parts[2])
				return strings.Repeat(parts[1], count)
			})
			issues := issuesOf(t, parse([]byte(body)))
			if issues == "" {
				issues = "ok"
			}
			got.WriteString("\t" + strings.ReplaceAll(issues, "\n", "\n\t") + "\n")
		}
		if *update {
			err = os.WriteFile(file, []byte(got.String()), 0o644)
		}
		if err != nil || got.String() != string(want) {
			t.Errorf("%s differs (run with -update and read the difference): %v\n%s", file, err, &got)
		}
	}
}

// Other broken bodies are tested in package sources.
func TestBrokenBody(t *testing.T) {
	body := []byte(`{"type":"mock","connectionContract":{"id":"a","id":"b"}}`)
	_, one := adserver.Parse(body)
	_, two := adserver.ParseConnect(body)
	for _, err := range []error{one, two} {
		if !fault.Is(err, fault.BadRequest) || err.Error() != "The body names something twice." {
			t.Errorf("got %v", err)
		}
	}
}
