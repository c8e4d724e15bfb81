package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"esagate/internal/adserver"
	"esagate/registry"
)

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
		if _, given := l.lines[at]; !given || f.key == "type" {
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
