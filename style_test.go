package esagate_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Bounds of code that can be read in one go.
const (
	maxFileLines     = 400
	maxFunctionLines = 65
	maxMethods       = 40 // of one type
)

// goFile is a parsed Go file of the project.
type goFile struct {
	name  string
	file  *ast.File
	fset  *token.FileSet
	lines int
}

// supportsTests reports whether a file is one of tests, of what they share, or of the
// benchmarks.
func (f goFile) supportsTests() bool {
	top, _, _ := strings.Cut(f.name, "/")
	return strings.HasSuffix(f.name, "_test.go") || strings.HasSuffix(path.Dir(f.name), "test") || top == "bench"
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	for name, content := range tree(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, content, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, goFile{name, file, fset, strings.Count(string(content), "\n")})
	}
	return files
}

func TestFilesFunctionsAndTypesAreSmall(t *testing.T) {
	methods := map[string]int{}
	for _, f := range goFiles(t) {
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines, over %d: it holds more than one idea", f.name, f.lines, maxFileLines)
		}
		if f.supportsTests() {
			continue
		}
		for _, d := range f.file.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.fset.Position(function.End()).Line - f.fset.Position(function.Pos()).Line; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, over %d", f.name, function.Name.Name, n, maxFunctionLines)
			}
			if function.Recv != nil {
				methods[path.Dir(f.name)+"."+receiver(function.Recv.List[0].Type)]++
			}
		}
	}
	for typ, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods, over %d", typ, n, maxMethods)
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}

var (
	citation = regexp.MustCompile(`\bcontract (\d+(?:\.\d+)?)`)
	oldStyle = regexp.MustCompile(`\(contract, |\bcontract's? (status )?rule|\bstatus rule \d|\(rule \d+\)|contract, "`)
	// Words that only this project would understand, or that say nothing.
	privateWords = regexp.MustCompile(`(?i)\bwhoever\b|\bgraves?\b|\bbur(?:y|ied)\b|gets about`)
	decisions    = regexp.MustCompile(`docs/decisions/[\w.-]+|\bdecision (\d+)\b`)
)

// TestCommentsCiteWhatIsThere holds comments against the numbered rules of
// docs/contract.md and the pages of docs/decisions.
func TestCommentsCiteWhatIsThere(t *testing.T) {
	contract, err := os.ReadFile("docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:## (\d+) |\*\*(\d+\.\d+)\*\*)`).FindAllSubmatch(contract, -1) {
		rules[string(m[1])+string(m[2])] = true
	}
	pages := map[string]bool{}
	for name := range tree(t) {
		if page, ok := strings.CutPrefix(name, "docs/decisions/"); ok {
			number, _, _ := strings.Cut(page, "-")
			if number = strings.TrimLeft(number, "0"); pages[number] {
				t.Errorf("there are two decisions %s", number)
			}
			pages[number] = true
		}
	}
	for _, f := range goFiles(t) {
		for _, group := range f.file.Comments {
			text := strings.Join(strings.Fields(strings.ReplaceAll(group.Text(), "\n", " ")), " ")
			at := f.fset.Position(group.Pos()).String()
			for _, m := range citation.FindAllStringSubmatch(text, -1) {
				if !rules[m[1]] {
					t.Errorf("%s cites contract %s, which docs/contract.md does not have", at, m[1])
				}
			}
			if m := privateWords.FindString(text); m != "" {
				t.Errorf("%s says %q", at, m)
			}
			if m := oldStyle.FindString(text); m != "" {
				t.Errorf("%s cites %q: cite a number of docs/contract.md", at, m)
			}
			for _, m := range decisions.FindAllStringSubmatch(text, -1) {
				if m[1] != "" && !pages[m[1]] {
					t.Errorf("%s cites decision %s, which is not there", at, m[1])
				}
				if _, err := os.Stat(strings.TrimRight(m[0], ".")); m[1] == "" && err != nil {
					t.Errorf("%s cites %s, which is not there", at, m[0])
				}
			}
		}
	}
}
