package config

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"esagate/internal/adserver"
	"esagate/registry"
)

// sourceEntry is registry.ConfigSource with the tags of this package.
type sourceEntry struct {
	CustomerID          int64              `config:"customer_id" rule:"required 1..9007199254740991"`
	SourceID            string             `config:"source_id" rule:"required id"`
	Name                string             `config:"name" rule:"text 255"`
	ESAID               int64              `config:"esa_id" rule:"quoted 1..9007199254740991"`
	TenantID            string             `config:"tenant_id" rule:"tenant"`
	AdServer            *registry.AdServer `config:"ad_server"`
	ServiceAccountEmail string             `config:"service_account_email" rule:"email"`
	Labels              map[string]string  `config:"labels"`
}

// sources checks what entries must not share, and what is in each.
func (l *loader) sources(entries []sourceEntry) []registry.ConfigSource {
	type key struct {
		customerID int64
		sourceID   string
	}
	out := make([]registry.ConfigSource, 0, len(entries))
	ids, tenants, esaIDs := map[any]string{}, map[any]string{}, map[any]string{}
	for i, e := range entries {
		path := item("sources", i)
		idPath := child(path, "source_id")
		if l.good(child(path, "customer_id")) {
			l.unique(ids, key{e.CustomerID, e.SourceID}, idPath, path, "the same source_id of the same customer_id as")
		}
		if e.ESAID != 0 {
			l.unique(esaIDs, e.ESAID, child(path, "esa_id"), path, "the same esa_id as")
		}
		if e.TenantID != "" { // a tenant belongs to one connection (contract 5.13)
			l.unique(tenants, e.TenantID, child(path, "tenant_id"), path, "the same tenant as")
		}
		if e.AdServer != nil {
			l.adServer(e.AdServer, child(path, "ad_server"))
		}
		e.Name = cmp.Or(e.Name, e.SourceID)
		out = append(out, registry.ConfigSource(e))
	}
	return out
}

// labels fills the map of a source's labels.
func (l *loader) labels(v reflect.Value, raw any, path string) {
	values, ok := raw.(map[string]any)
	if !ok && !isEmpty(raw) {
		l.add(path, "must be a mapping (key: value)")
	}
	if !ok {
		return
	}
	if len(values) > 64 {
		l.add(path, "must have at most 64 entries")
	}
	out := make(map[string]string, len(values))
	for name, value := range values {
		at := child(path, shown(name))
		if plainText(name, 1, 64) != "" {
			l.add(at, "the name of a label must be 1 to 64 characters, no control characters")
		}
		if text, ok := l.value(value, at, notText, "!!str"); ok {
			l.add(at, plainText(text, 0, 256))
			out[name] = text
		}
	}
	v.Set(reflect.ValueOf(out))
}

// adServer checks the non-secret part of an ad-server config, which its type describes: no key
// may stand beside the type that belongs to another one. There is no key for a credential: one
// here is an unknown key. A type unknown here is allowed, since upstream can be newer, but
// nothing beside it: its view is the type alone.
func (l *loader) adServer(s *registry.AdServer, path string) {
	typePath := child(path, "type")
	v := reflect.ValueOf(s).Elem()
	l.hold(v.FieldByName("Type"), typePath, "required ad-server-type")
	types := adserver.Types() // each field is held against those that may have it
	if l.good(typePath) {
		types = slices.DeleteFunc(types, func(t *adserver.Type) bool { return t.Name != s.Type })
		if len(types) == 0 {
			l.warn(typePath, "is not a type that this version knows; nothing but the type will be shown")
		}
	}
	for _, f := range fields(v.Type()) {
		at := child(path, f.key)
		if _, given := l.places[at]; !given || f.key == "type" {
			continue
		}
		has := func(t *adserver.Type) bool { d := t.Field(f.key); return d != nil && d.In(adserver.Kept) }
		if i := slices.IndexFunc(types, has); i >= 0 {
			l.hold(reflect.Indirect(v.FieldByIndex(f.index)), at, ruleOfField(types[i].Field(f.key)))
		} else if len(types) == 0 {
			l.add(at, "is not a key of this type, which is unknown here")
		} else {
			l.add(at, "is not a key of type "+s.Type)
		}
	}
}

// ruleOfField gives the rule of an ad server's field, as a tag has it.
func ruleOfField(f *adserver.Field) string {
	switch f.Form {
	case adserver.Digits:
		return "digits " + strconv.Itoa(f.Max)
	case adserver.Email:
		return "email"
	case adserver.URL:
		return "url"
	case adserver.Currency:
		return "currency"
	case adserver.Integer:
		return "1..9007199254740991"
	case adserver.Number:
		return ">0.."
	case adserver.Word:
		return strings.Join(f.Words, "|")
	}
	return "text " + strconv.Itoa(max(f.Max, f.FileMax))
}
