package adserver

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/upstream/wire"
)

// Account is the operator's service account, through which ad servers of some types are
// reached.
type Account struct {
	Email string
	Key   wire.Secret // the JSON key file
}

// Config is an ad-server config that a caller sent, valid and with its credentials. Printed or
// logged, it is one phrase.
type Config struct {
	// A function, because fmt looks into everything else: it calls no methods of a Config in
	// an unexported field, and with the wrong verb it follows pointers.
	open func() *sent
}

// sent is what a caller sent.
type sent struct {
	*Type
	given map[string]value // by the fields' names
}

// value is what a field holds.
type value struct {
	text   string
	number *int64 // of an Integer
}

const hidden = "[ad-server config]"

// Format implements fmt.Formatter: no verb shows a secret.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Config) LogValue() slog.Value { return slog.StringValue(hidden) }

// Type gives the type's name.
func (c *Config) Type() string { return c.open().Name }

// NeedsAccount reports whether [Config.Request] needs the operator's account.
func (c *Config) NeedsAccount() bool { return c.open().NeedsAccount() }

// View gives the non-secret view that the registry keeps. What the caller left out comes from
// kept, upstream's settings, or from current, the view that is replaced, where upstream does
// not know the field or does not show it. Both may be nil.
func (c *Config) View(current *registry.AdServer, kept *wire.Settings) registry.AdServer {
	config, settings := c.open(), readSettings(kept)
	current = config.same(current)
	view := registry.AdServer{Type: config.Name}
	for _, f := range config.with(Sent | Kept) {
		v, given := config.given[f.Name]
		switch {
		case given:
			setColumn(&view, f.Name, v)
		case f.In(Setting):
			setColumn(&view, f.Name, settings.showable(f))
		case !f.In(Taken):
			column(&view, f.Name).Set(column(current, f.Name))
		case f.In(Unshown):
			setColumn(&view, f.Name, value{text: standing(f, current, settings)})
		default:
			setColumn(&view, f.Name, value{text: f.fallback()})
		}
	}
	return view
}

// standing gives the word that an Unshown field has at the sales agent: the one among its settings, if
// it shows one after all, else the one that the registry keeps, else the default. Words that it does
// not take are passed over.
func standing(f *Field, current *registry.AdServer, all settings) string {
	word, _ := all.plain(f).(string)
	words := f.TakenWords()
	if !slices.Contains(words, word) {
		word = column(current, f.Name).String()
	}
	if !slices.Contains(words, word) {
		word = f.fallback()
	}
	return word
}

// CheckKept refuses a config that leaves out a field for which current, the view that it replaces,
// has a word that the sales agent does not take: that word can't be kept (contract 5.9). The error is
// a Validation.
func (c *Config) CheckKept(current *registry.AdServer) error {
	config := c.open()
	current = config.same(current)
	var issues jsonbody.Issues
	for _, f := range config.with(Sent | Unshown) {
		word := column(current, f.Name).String()
		if _, given := config.given[f.Name]; !given && slices.Contains(f.UntakenWords, word) {
			issues.Add(f.Name, f.word(f.Name, word))
		}
	}
	return issues.Err()
}

// same gives the view that is replaced, or an empty one if it is of another type.
func (s *sent) same(current *registry.AdServer) *registry.AdServer {
	if current == nil || current.Type != s.Name {
		return &registry.AdServer{}
	}
	return current
}

// fallback is the text that a field has when a caller leaves it out.
func (f *Field) fallback() (text string) {
	_ = json.Unmarshal([]byte(f.Default), &text) // no text: none
	return text
}

// column is the field of a view by its name.
func column(view *registry.AdServer, name string) reflect.Value {
	at := reflect.ValueOf(view).Elem()
	for i := range at.NumField() {
		if tag, _, _ := strings.Cut(at.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return at.Field(i)
		}
	}
	panic("adserver: registry.AdServer has no field " + name) // a test goes through all types
}

func setColumn(view *registry.AdServer, name string, v value) {
	at := column(view, name)
	switch {
	case at.Kind() == reflect.String:
		at.SetString(v.text)
	case v.number != nil:
		n := *v.number // not the config's own: the view is kept
		at.Set(reflect.ValueOf(&n))
	}
}

// Request gives the config in upstream's shape, with credentials. Settings that the caller left
// out are filled in as View does, because upstream resets what a write does not name (contract
// 5.8). account must be given where NeedsAccount; otherwise all may be nil.
func (c *Config) Request(account *Account, current *registry.AdServer, kept *wire.Settings) wire.AdapterRequest {
	config, settings := c.open(), readSettings(kept)
	current = config.same(current)
	request := wire.AdapterRequest{{Name: "type", Value: config.Name}}
	for _, f := range config.with(Taken) {
		v, given := config.given[f.Name]
		var out any
		switch {
		case account != nil && f.Name == accountEmail:
			out = account.Email
		case account != nil && f.Name == accountKey:
			out = account.Key
		case f.Form == Secret:
			out = wire.Secret(v.text)
		case v.number != nil:
			out = *v.number
		case given:
			out = v.text
		case f.In(Setting):
			out = settings.plain(f)
		case f.In(Unshown):
			out = standing(f, current, settings)
		default:
			out = f.fallback()
		}
		if out != nil && out != "" && out != wire.Secret("") {
			request = append(request, wire.AdapterField{Name: f.Key(), Value: out})
		}
	}
	return request
}

// label is the type's usual name, with the account where it is known.
func (s *sent) label() string {
	account := s.Account()
	if account == nil || s.given[account.Name].text == "" {
		return s.Title
	}
	return s.Title + " " + s.given[account.Name].text
}
