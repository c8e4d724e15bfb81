package api_test

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
)

// stamp is an instant written with so many fraction digits.
func stamp(digits int) api.Timestamp {
	return api.Timestamp{Time: time.Date(2026, 5, 4, 3, 2, 1, 987654321, time.UTC), Digits: digits}
}

// named says which schema a Go type is: that of its own name, or as given here. Types that are not
// here are plain values.
var named = func() map[reflect.Type]string {
	named := map[reflect.Type]string{
		reflect.TypeFor[api.Syncs]():      "Syncs",
		reflect.TypeFor[api.ByKind]():     "ByKind",
		reflect.TypeFor[api.SyncRunIDs](): "SyncRunIDs",
		reflect.TypeFor[api.AdServer]():   "AdServer",

		reflect.TypeFor[api.OverviewSyncs](): "OverviewSyncs",
	}
	for _, document := range []any{
		api.Status{}, api.Connection{}, api.InventorySource{}, api.TestResult{}, api.RefreshResult{}, api.SyncRunPage{},
		api.CapabilityRecheck{}, api.Launch{}, api.ServiceAccount{}, api.AuditPage{}, api.ErrorBody{}, api.SyncBlock{},
		api.Overview{}, api.OverviewSync{},
		api.SyncEvent{}, api.ConnectionEvent{},
	} {
		name(named, reflect.TypeOf(document))
	}
	return named
}()

// name adds a struct and those in it.
func name(named map[reflect.Type]string, typ reflect.Type) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[api.Status]().PkgPath() || typ == reflect.TypeFor[api.Timestamp]() ||
		strings.HasPrefix(typ.Name(), "Member[") {
		return
	}
	named[typ] = typ.Name()
	for field := range members(typ) {
		name(named, field.Type)
	}
}

// members gives the fields of a struct, with those of structs in it that are written as its own.
func members(typ reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for _, field := range reflect.VisibleFields(typ) {
			if !field.Anonymous && !yield(field) {
				return
			}
		}
	}
}

// neverNull are the fields whose Go type could be null and whose value never is.
var neverNull = map[string]bool{
	"Status.fetchedAt": true, "Status.webhooks": true,
	"TestResult.testedAt": true, "SyncRun.startedAt": true, "AuditEntry.at": true, "AuditEntry.lastAt": true,
	"Connection.createdAt": true, "Connection.updatedAt": true,
	"InventorySource.createdAt": true, "InventorySource.updatedAt": true,
	"ChangedBy.at": true, "StateSpan.from": true, "AgentIssue.since": true,
}

// TestTypesAreTheSchemas walks every Go document and its schema side by side: the
// same names, required exactly where Go always writes them, of the same types,
// nullable exactly where Go can write null.
func TestTypesAreTheSchemas(t *testing.T) {
	schemas := document(t).Components.Schemas
	for typ, name := range named {
		ref := schemas[name]
		if ref == nil {
			t.Errorf("%s: the contract has no schema %s", typ, name)
			continue
		}
		if typ.Kind() == reflect.Struct {
			compareStruct(t, typ, name, ref.Value)
		}
	}
}

func compareStruct(t *testing.T, typ reflect.Type, name string, schema *openapi3.Schema) {
	t.Helper()
	var written []string
	for field := range members(typ) {
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			t.Errorf("%s.%s: no JSON name", typ, field.Name)
			continue
		}
		written = append(written, tag)
		at := name + "." + tag
		property := schema.Properties[tag]
		if property == nil {
			t.Errorf("%s: Go writes it, the contract does not name it", at)
			continue
		}
		always := options == ""
		if got := slices.Contains(schema.Required, tag); got != always {
			t.Errorf("%s: required: %v, always written: %v", at, got, always)
		}
		nullable := always && canBeNull(field.Type) && !neverNull[at]
		if property.Value.Nullable != nullable {
			t.Errorf("%s: nullable: %v, Go can write null: %v", at, property.Value.Nullable, nullable)
		}
		compareType(t, at, field.Type, property)
	}
	for property := range schema.Properties {
		if !slices.Contains(written, property) {
			t.Errorf("%s.%s: the contract names it, Go never writes it", name, property)
		}
	}
}

// canBeNull leaves slices out: the documents' own are never nil.
func canBeNull(typ reflect.Type) bool {
	return typ.Kind() == reflect.Pointer || typ == reflect.TypeFor[api.AdServer]() || typ == reflect.TypeFor[api.Timestamp]()
}

func compareType(t *testing.T, at string, typ reflect.Type, property *openapi3.SchemaRef) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if want := named[typ]; want != "" {
		if got := strings.TrimPrefix(property.Ref, "#/components/schemas/"); got != want {
			t.Errorf("%s: its schema is %q, that of its Go type is %s", at, got, want)
		}
		return
	}
	want, format := "", ""
	switch {
	case typ == reflect.TypeFor[api.Timestamp]():
		want, format = "string", "date-time"
	case typ.Kind() == reflect.String:
		want = "string"
	case typ.Kind() == reflect.Int64:
		want, format = "integer", "int64"
	case typ.Kind() == reflect.Float64:
		want, format = "number", "double"
	case typ.Kind() == reflect.Bool:
		want = "boolean"
	case typ.Kind() == reflect.Slice:
		want = "array"
		if property.Value.Items != nil {
			compareType(t, at+"[]", typ.Elem(), property.Value.Items)
		}
	case typ == reflect.TypeFor[struct{}](): // only ever nil
		if property.Ref != "#/components/schemas/Nothing" {
			t.Errorf("%s: its schema is %q, want Nothing", at, property.Ref)
		}
		return
	default:
		t.Errorf("%s: this test does not know %s: give it a name in the table, or a case", at, typ)
		return
	}
	if !property.Value.Type.Is(want) {
		t.Errorf("%s: the contract says %v, Go writes %s", at, property.Value.Type.Slice(), want)
	}
	if format != "" && property.Value.Format != format {
		t.Errorf("%s: format is %q, want %q", at, property.Value.Format, format)
	}
}

// TestStreamsAreTheSyncsObject holds the two documents whose member names are
// data: they are slices in Go.
func TestStreamsAreTheSyncsObject(t *testing.T) {
	schemas := document(t).Components.Schemas
	syncs := schemas["Syncs"].Value
	always := []string{"inventory", "customTargeting", "advertisers"}
	if !slices.Equal(syncs.Required, always) || len(syncs.Properties) != len(always) {
		t.Errorf("syncs: required %q of %d named, want %q", syncs.Required, len(syncs.Properties), always)
	}
	const block = "#/components/schemas/SyncBlock"
	for name, property := range syncs.Properties {
		if property.Ref != block {
			t.Errorf("syncs.%s: %s, want %s", name, property.Ref, block)
		}
	}
	if syncs.AdditionalProperties.Schema.Ref != block {
		t.Errorf("syncs: other streams are %s, want %s", syncs.AdditionalProperties.Schema.Ref, block)
	}
	if got := schemas["ByKind"].Value.AdditionalProperties.Schema.Ref; got != "#/components/schemas/Count" {
		t.Errorf("byKind: its values are %s, want Count", got)
	}
}

// TestEveryAdServerHasItsType holds that each form of a known type has its own value of `type`.
func TestEveryAdServerHasItsType(t *testing.T) {
	schemas := document(t).Components.Schemas
	known := schemas["KnownAdServer"].Value
	other := schemas["OtherAdServer"].Value.Properties["type"].Value.Not.Value.Enum
	for _, form := range known.OneOf {
		own := form.Value.Properties["type"].Value.Enum
		if len(own) != 1 || known.Discriminator.Mapping[own[0].(string)].Ref != form.Ref || !slices.Contains(other, own[0]) {
			t.Errorf("%s: its type is one of %v; want one, mapped to it, that is no OtherAdServer's", form.Ref, own)
		}
	}
	if len(other) != len(known.OneOf) {
		t.Errorf("%d types are kept from OtherAdServer, %d are known", len(other), len(known.OneOf))
	}
}
