// Package esagate_test holds what is true of the project as a whole: which room
// may import which, what a room must never reach, and the state of the tree.
package esagate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "esagate"

// arrows says which packages of this module a package may import: a name, or a
// folder with all that is in it (internal/...). What is not listed may not be
// imported. A new package needs a row.
const arrows = `
cmd/esagate: ...
bench: ...
bench/growth:
bench/scaling: bench/growth
gateway: api gateway/... internal/... registry snapshot status transform upstream
gateway/assets: api
gateway/agents: internal/fault internal/jsonbody internal/origin
gateway/ops: api gateway/assets internal/adserver internal/word registry status transform
gateway/docs: api gateway/assets
gateway/console: internal/origin
gateway/tools: api internal/word
gateway/proxy:
status: api internal/adserver internal/background internal/cluster internal/events internal/fault internal/telemetry registry snapshot transform upstream
transform/shape: api internal/fault internal/jsonbody internal/redact internal/word upstream/wire
transform: api internal/adserver internal/redact internal/word registry upstream/wire
upstream: internal/adserver internal/background internal/fault internal/redact internal/word upstream/wire
registry: internal/background internal/fault snapshot
snapshot:
api:
registry/sqlstore: internal/fault internal/vault registry
upstream/wire: internal/word
internal/auth: internal/background internal/fault internal/word registry
internal/sources: internal/fault internal/jsonbody internal/origin registry
internal/jsonbody: internal/fault
internal/adserver: api internal/jsonbody internal/redact internal/sources internal/word registry upstream/wire
internal/webhooks: internal/background internal/fault registry transform upstream upstream/wire
internal/background:
internal/events: api
internal/cluster: internal/background snapshot
internal/ratelimit: internal/background internal/cluster
internal/leader: internal/background registry
internal/reconcile: internal/background registry
internal/origin:
internal/outbound: internal/origin
internal/agentauth: internal/background internal/origin internal/word registry
internal/lifecycle: internal/adserver internal/background internal/fault internal/word registry transform upstream upstream/wire
internal/operations: api internal/adserver internal/background internal/fault internal/jsonbody internal/lifecycle internal/redact internal/telemetry internal/word registry snapshot status transform/shape upstream upstream/wire
internal/vault:
internal/fault:
internal/redact:
internal/word: internal/redact
internal/telemetry: internal/background internal/redact internal/word
internal/config: internal/adserver internal/cluster internal/fault internal/redact internal/serviceaccount internal/sources internal/vault internal/word registry upstream/wire
internal/terminal: api internal/background internal/word
internal/serviceaccount: internal/adserver internal/fault upstream/wire

# Helpers of tests. What serves requests imports none of them; the demo runs the
# simulated sales agent.
api/apitest: api
internal/browsertest:
internal/clustertest:
internal/pgtest: internal/processtest
internal/processtest:
internal/redistest: internal/processtest
internal/sqlitetest: registry/sqlstore
registry/registrytest: internal/fault registry
transform/shape/shapetest: api internal/word
upstream/upstreamtest: api internal/adserver internal/word
`

// parseArrows reads arrows: by package, what it may import.
func parseArrows() map[string][]string {
	table := map[string][]string{}
	for line := range strings.SplitSeq(arrows, "\n") {
		if name, imports, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") {
			table[name] = strings.Fields(imports)
		}
	}
	return table
}

// barriers says what a package must not reach by any way at all. A name stands
// for the package and those under it.
var barriers = []struct{ from, never, why string }{
	{"transform", "net/http", "it is pure: documents in, documents out"},
	{"transform", "database/sql", "it is pure: documents in, documents out"},
	{"cmd/esagate", "testing", "test code has no place in the program that serves"},
	{"cmd/esagate", "esagate/internal/pgtest", "it starts database servers"},
	{"cmd/esagate", "esagate/internal/browsertest", "it starts browsers"},
	{"cmd/esagate", "esagate/internal/processtest", "it starts other programs"},
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Error      *struct{ Err string }
}

// watch opens every folder. What go list and git read is not seen by go test when
// it asks whether a result from its cache still stands; what this opens is.
func watch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(_ string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a file that came and went
		t.Fatal(err)
	}
}

// list asks go list about packages.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	watch(t)
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Imports,Error"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
		}
		if p.Error != nil {
			t.Errorf("%s can't be read, so its imports are not known: %s", p.ImportPath, p.Error.Err)
		}
		packages = append(packages, p)
	}
}

// ours gives the path of a package inside this module; ok is false for others.
func ours(importPath string) (string, bool) { return strings.CutPrefix(importPath, module+"/") }

func TestImportsFollowTheArrows(t *testing.T) {
	var seen []string
	arrows := parseArrows()
	for _, p := range list(t, "./...") {
		name, ok := ours(p.ImportPath)
		if !ok {
			continue // the root: tests alone
		}
		seen = append(seen, name)
		allowed, ok := arrows[name]
		if !ok {
			t.Errorf("%s has no row in the table of arrows (architecture_test.go): say there what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if target, ok := ours(imported); ok && !permits(allowed, target) {
				t.Errorf("%s imports %s; of this module it may import %v only", name, target, allowed)
			}
		}
	}
	for name := range arrows {
		if !slices.Contains(seen, name) {
			t.Logf("no package %s (yet): its row stands for nothing", name)
		}
	}
}

// permits reports whether one of the names, or folders, takes in the target.
func permits(allowed []string, target string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		folder, all := strings.CutSuffix(a, "...")
		return a == target || all && strings.HasPrefix(target, folder)
	})
}

func TestBarriersHold(t *testing.T) {
	for _, b := range barriers {
		t.Run(b.from+" never reaches "+b.never, func(t *testing.T) {
			if sources, _ := filepath.Glob(filepath.Join(b.from, "*.go")); len(sources) == 0 {
				t.Logf("no package %s (yet)", b.from)
				return
			}
			imports := map[string][]string{}
			for _, p := range list(t, "-deps", "./"+b.from) {
				imports[p.ImportPath] = p.Imports
			}
			if way := shortestWay(imports, module+"/"+b.from, b.never); way != nil {
				t.Errorf("%s reaches %s (%s):\n\t%s", b.from, b.never, b.why, strings.Join(way, "\n\t  imports "))
			}
		})
	}
}

// shortestWay gives the packages from one to another, or to one under it, both
// included; nil when there is no way.
func shortestWay(imports map[string][]string, from, to string) []string {
	ways := [][]string{{from}}
	seen := map[string]bool{from: true}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		last := way[len(way)-1]
		if last == to || strings.HasPrefix(last, to+"/") {
			return way
		}
		for _, next := range imports[last] {
			if !seen[next] {
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}

// tree gives the text files of the project by name: those that git knows or would
// take, or without git all there are.
func tree(t *testing.T) map[string][]byte {
	t.Helper()
	watch(t)
	var names []string
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err == nil && len(out) > 0 {
		names = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	} else if err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted and not yet committed
		case err != nil:
			t.Error(err)
		case !bytes.ContainsRune(content, 0): // else it is no text
			files[filepath.ToSlash(name)] = content
		}
	}
	if len(files) == 0 {
		t.Fatal("the tree has no files: does this test run at the module's root?")
	}
	return files
}

// TestNoPathsOfOneMachine keeps folders of somebody's machine out of the tree. The
// pattern is written so that it does not match itself.
func TestNoPathsOfOneMachine(t *testing.T) {
	patterns := []string{`/(home|Users)/\w`, `/r[o]ot/`, `[A-Za-z]:[\\]+Users\b`}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(filepath.ToSlash(root), "/") > 1 { // "/app" would be found in many an innocent line
		patterns = append(patterns, regexp.QuoteMeta(root)+`\b`)
	}
	forbidden := regexp.MustCompile(strings.Join(patterns, "|"))
	for name, content := range tree(t) {
		for i, line := range bytes.Split(content, []byte("\n")) {
			if found := forbidden.Find(line); found != nil {
				t.Errorf("%s:%d names a folder of one machine: %s", name, i+1, found)
			}
		}
	}
}

// TestDependenciesAreExplained holds docs/dependencies.md against go.mod: every
// direct requirement has a row, and every row the version that is required.
func TestDependenciesAreExplained(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit -json: %v", err)
	}
	var mod struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	// A row: | `module/path` | v1.2.3 | …
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v[^ ]+) \\|").FindAllSubmatch(page, -1) {
		rows[string(row[1])] = string(row[2])
	}
	for _, r := range mod.Require {
		version, ok := rows[r.Path]
		delete(rows, r.Path)
		switch {
		case !ok && !r.Indirect:
			t.Errorf("go.mod requires %s, and docs/dependencies.md does not say what for", r.Path)
		case ok && version != r.Version:
			t.Errorf("docs/dependencies.md has %s at %s, go.mod at %s", r.Path, version, r.Version)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("docs/dependencies.md explains %s, and go.mod does not require it", path)
	}
}
