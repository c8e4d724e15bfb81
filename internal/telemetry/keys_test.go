package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"esagate/internal/telemetry"
)

// TestKeysInUseAreAllowed finds the keys that the module's code logs under: one
// that is missing from the list would be noticed only when its value is needed.
func TestKeysInUseAreAllowed(t *testing.T) {
	files := token.NewFileSet()
	found := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if key, at := attrKey(n); key != "" {
				found++
				if !telemetry.KeyAllowed(key) {
					t.Errorf("%s: values under the key %q are never written", files.Position(at), key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no slog attribute found: is the search broken?")
	}
}

// attrKey is the key in slog.String("key", ...) and its siblings, but for
// groups, whose members have keys of their own.
func attrKey(n ast.Node) (key string, at token.Pos) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return "", 0
	}
	constructor, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || constructor.Sel.Name == "Group" {
		return "", 0
	}
	if pkg, ok := constructor.X.(*ast.Ident); !ok || pkg.Name != "slog" {
		return "", 0
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", 0
	}
	key, err := strconv.Unquote(literal.Value)
	if err != nil {
		return "", 0
	}
	return key, literal.Pos()
}
