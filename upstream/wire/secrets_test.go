package wire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"esagate/upstream/wire"
)

// requests are the types of requests that may hold credentials.
var requests = []any{
	wire.GAMRequest{}, wire.FreeWheelRequest{}, wire.SpringServeRequest{}, wire.BroadstreetRequest{}, wire.MockRequest{},
	wire.ProvisionRequest{}, wire.WebhookRequest{},
}

type secretive interface{ Secrets() []wire.Secret }

// TestEverySecretIsGiven fills each secret of each request by itself.
func TestEverySecretIsGiven(t *testing.T) {
	for _, request := range requests {
		kind := reflect.TypeOf(request)
		if none := request.(secretive).Secrets(); len(none) != 0 {
			t.Errorf("%s: %d secrets in nothing", kind, len(none))
		}
		for i := range kind.NumField() {
			field := kind.Field(i)
			if field.Type != reflect.TypeFor[wire.Secret]() {
				continue
			}
			filled := reflect.New(kind).Elem()
			filled.Field(i).SetString("hunter2")
			if !slices.Contains(filled.Interface().(secretive).Secrets(), "hunter2") {
				t.Errorf("%s: %s is not given", kind, field.Name)
			}
			config, ok := filled.Interface().(wire.AdapterRequest)
			if ok && !slices.Contains(wire.ProvisionRequest{Adapter: config}.Secrets(), "hunter2") {
				t.Errorf("a provisioning with %s: %s is not given", kind, field.Name)
			}
		}
	}
}

// TestEveryTypeWithASecretIsTried: the test above knows of all.
func TestEveryTypeWithASecretIsTried(t *testing.T) {
	known := map[string]bool{}
	for _, request := range requests {
		known[reflect.TypeOf(request).Name()] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				plain, is := f.Type.(*ast.Ident)
				switch {
				case is && plain.Name == "Secret":
					found++
					if !known[spec.Name.Name] {
						t.Errorf("%s is not known here", spec.Name.Name)
					}
				case mentions(f.Type, "Secret"):
					t.Errorf("%s holds secrets in a way that is not looked into here", spec.Name.Name)
				}
			}
			return true
		})
	}
	if found < 6 {
		t.Errorf("only %d fields found", found)
	}
}

func mentions(n ast.Node, name string) (does bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		does = does || ok && id.Name == name
		return true
	})
	return does
}

func TestAKeyFilesSecretsAreGivenByThemselves(t *testing.T) {
	const file = `{"type":"service_account","private_key_id":"id","private_key":"line\nline","client_email":"a@b.example"}`
	got := wire.GAMRequest{ServiceAccountKeyJSON: file}.Secrets()
	if want := []wire.Secret{file, "line\nline", "id"}; !slices.Equal(got, want) {
		t.Errorf("%q", strings.Join(asText(got), " | "))
	}
	for _, odd := range []wire.Secret{"no JSON", `["a"]`, `{"private_key":7}`, `{`} {
		if got := (wire.GAMRequest{ServiceAccountKeyJSON: odd}).Secrets(); !slices.Equal(got, []wire.Secret{odd}) {
			t.Errorf("%q", asText(got))
		}
	}
}

func asText(all []wire.Secret) (texts []string) {
	for _, s := range all {
		texts = append(texts, string(s))
	}
	return texts
}
