package esagate_test

import (
	"go/ast"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchitectureNamesWhatIsThere holds docs/architecture.md against the tree: every
// file or folder in backquotes exists, and every package.Name or package.Type.Method is
// declared.
func TestArchitectureNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := declarations(t)
	names := regexp.MustCompile(`^[a-z]+(\.[A-Za-z]\w*){1,2}$`)
	count := 0
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllSubmatch(page, -1) {
		name := string(m[1])
		switch {
		case strings.ContainsAny(name, " *{<…=:") || strings.HasPrefix(name, "/"):
		case strings.Contains(name, "/"), slices.Contains([]string{".go", ".md", ".yaml"}, path.Ext(name)):
			count++
			if _, err := os.Stat(strings.TrimSuffix(name, "/")); err != nil {
				t.Errorf("docs/architecture.md names %s, which is not there", name)
			}
		case names.MatchString(name) && declared[strings.Split(name, ".")[0]] != nil:
			count++
			packageName, rest, _ := strings.Cut(name, ".")
			if !declared[packageName][rest] {
				t.Errorf("docs/architecture.md names %s, which is not declared", name)
			}
		}
	}
	if count < 60 {
		t.Errorf("only %d names were checked: has the page's form changed?", count)
	}
}

// declarations gives what each package declares outside of tests: functions, types and
// values by name, methods as Type.Method.
func declarations(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f.name, "_test.go") {
			continue
		}
		name := path.Base(path.Dir(f.name)) // the folder's, which for commands differs from the package's
		if all[name] == nil {
			all[name] = map[string]bool{}
		}
		for _, d := range f.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil {
					all[name][receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				} else {
					all[name][d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						all[name][spec.Name.Name] = true
						if i, ok := spec.Type.(*ast.InterfaceType); ok {
							for _, method := range i.Methods.List {
								for _, n := range method.Names {
									all[name][spec.Name.Name+"."+n.Name] = true
								}
							}
						}
					case *ast.ValueSpec:
						for _, v := range spec.Names {
							all[name][v.Name] = true
						}
					}
				}
			}
		}
	}
	return all
}

// TestHowFarAChangeReaches walks the promises of docs/architecture.md on the size of
// common changes: it counts the production files that know of something.
func TestHowFarAChangeReaches(t *testing.T) {
	route := regexp.MustCompile(`\b[gcis]\.(\w+)\)?\},`)
	routes, err := os.ReadFile("gateway/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	type promise struct {
		what    string
		words   []string // in any spelling of upper and lower case, with or without underscores
		most    int
		folders []string // where to look; nil: everywhere
	}
	promises := []promise{
		{"an upstream field, in the sales agent's documents and ours", []string{"rejected_last_24h_count"}, 3, nil},
		{"an upstream field, in the sales agent's documents and ours", []string{"wholesale_owned_count"}, 3, nil},
	}
	for _, m := range route.FindAllSubmatch(routes, -1) {
		promises = append(promises, promise{"the handler " + string(m[1]) + " of a route", []string{") " + string(m[1]) + "(w ", "." + string(m[1]) + ")"}, 2, []string{"gateway/"}})
	}
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	sources := map[string]string{}
	for _, f := range goFiles(t) {
		if !f.supportsTests() {
			content, err := os.ReadFile(f.name)
			if err != nil {
				t.Fatal(err)
			}
			sources[f.name] = fold(string(content))
		}
	}
	for _, p := range promises {
		var found []string
		for name, content := range sources {
			in := p.folders == nil || slices.ContainsFunc(p.folders, func(folder string) bool { return strings.HasPrefix(name, folder) })
			if in && slices.ContainsFunc(p.words, func(w string) bool { return strings.Contains(content, fold(w)) }) {
				found = append(found, name)
			}
		}
		if len(found) == 0 || len(found) > p.most {
			slices.Sort(found)
			t.Errorf("%s (%q) is in %d files, want 1 to %d: %v", p.what, p.words, len(found), p.most, found)
		}
	}
}

// TestTheContainerIsBuiltWithTheToolchain holds the builder's image in the Dockerfile against the
// toolchain of go.mod: both are raised for the same fixes of the standard library.
func TestTheContainerIsBuiltWithTheToolchain(t *testing.T) {
	found := map[string]string{}
	for name, form := range map[string]string{
		"go.mod": `(?m)^toolchain go([0-9.]+)$`, "Dockerfile": `(?m)^FROM .*\bgolang:([0-9]+\.[0-9]+\.[0-9]+)-`,
	} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(form).FindSubmatch(content)
		if m == nil {
			t.Fatalf("%s names no version of Go", name)
		}
		found[name] = string(m[1])
	}
	if found["go.mod"] != found["Dockerfile"] {
		t.Errorf("the versions of Go differ: %v", found)
	}
}
