package config

import (
	"reflect"
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
	known := l.good(typePath) // else each field is held against the types that have it
	t := adserver.Find(s.Type)
	if known && t == nil {
		l.warn(typePath, "is not a type that this version knows; nothing but the type will be shown")
	}
	for _, f := range fields(v.Type()) {
		at := child(path, f.key)
		if _, given := l.lines[at]; !given || f.key == "type" {
			continue
		}
		if !known {
			for _, t := range adserver.Types() {
				if d := t.Field(f.key); d != nil && d.In(adserver.Kept) {
					l.hold(v.FieldByIndex(f.index), at, ruleOfField(d))
					break
				}
			}
		} else if t == nil {
			l.add(at, "is not a key of this type, which is unknown here")
		} else if d := t.Field(f.key); d == nil || !d.In(adserver.Kept) {
			l.add(at, "is not a key of type %s", s.Type)
		} else {
			l.hold(v.FieldByIndex(f.index), at, ruleOfField(d))
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
	return "text 1.." + strconv.Itoa(max(f.Max, f.FileMax))
}
