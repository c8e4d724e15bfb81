// Package adserver describes the types of ad servers, one descriptor ([Type]) a type in a file
// of its own. Everything that differs between types is read from there: the bodies that callers
// send, the requests to the sales agent, what the registry keeps and views show, which settings
// outlive a change of config, the config file's `ad_server`, and the simulated sales agent.
//
// A new type is a file here, a word in types, and its schemas in api/openapi.yaml; a field that no
// type had before is one of registry.AdServer too. What is the same for all types:
// parse.go reads a caller's body, config.go makes the view and the request of it, settings.go
// carries settings over, view.go shows what is saved.
//
// The package does no I/O and keeps nothing. Credentials live in a [Config] alone, which ends
// with its request (contract 5.5).
package adserver

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// types are all types, in the order in which messages list them.
var types = []*Type{googleAdManager, freeWheel, springServe, adsWizz, broadstreet, mock}

// Type describes one type of ad server.
type Type struct {
	Name  string // its word in both contracts
	Title string // its usual name: what a source is called that is connected without a name

	// Fields in the order of the sales agent's schema. The first one that callers send is the
	// account, by which the ad server knows its customer.
	Fields []Field
	// Refused are members that callers may not send. Why completes a sentence that begins with
	// the name of one.
	Refused []string
	Why     string
	// Login is the account's name where it goes with password: either both are given, or
	// apiToken. Empty: the type has no such choice.
	Login string
	// Untaken: the sales agent does not know the type. Its config is in the config file alone.
	Untaken bool
	// Advertisers is what can be known of its advertisers.
	Advertisers Advertisers
	// Probes is how many calls the sales agent makes to try a config.
	Probes int
}

// Advertisers says where the advertisers of a type's ad servers are listed (contract 12.13).
type Advertisers uint8

// Where advertisers are listed.
const (
	Nowhere  Advertisers = iota
	AtVendor             // by the vendor, and not by the sales agent
	Synced               // by the sales agent, which also keeps a default one and maps buyers to them
)

// Field is one field of a type's config.
type Field struct {
	Name     string // as callers write it; see [Field.Key]
	Form     Form
	Use      Use
	Required bool
	// Min and Max bound a text in code points. FileMax is the bound in the config file, where
	// that is another one.
	Min, Max, FileMax int
	Words             []string // the values of a Word
	UntakenWords      []string // those of Words that the sales agent does not take
	// Default is what the sales agent has for a field that is left out, in JSON; empty: null.
	Default string
}

// Form is the kind of value of a field.
type Form uint8

// Forms. A Secret is never kept, shown or in the config file.
const (
	Text     Form = iota
	Secret        // a credential
	Word          // one of Field.Words
	Digits        // a text of the digits 0 to 9
	Email         // a text
	URL           // a text
	Currency      // a text of three capital letters (ISO 4217)
	Integer       // from 1 to 2^53-1
	Number        // above 0
	Flag          // true or false
)

// Use says where a field stands.
type Use uint8

// Uses.
const (
	Sent    Use = 1 << iota // callers may send it
	Kept                    // the registry keeps it, as the field of registry.AdServer with its name, and views show it
	Taken                   // the sales agent takes it with a config
	Setting                 // it is one of the sales agent's settings, which a new config resets (contract 5.8)
	Unshown                 // a Word that a new config resets and no endpoint shows: the kept one is sent again
)

// In reports whether a field has all these uses.
func (f *Field) In(u Use) bool { return f.Use&u == u }

// Key is the field's name in the config file and in the sales agent's contract.
func (f *Field) Key() string { return Key(f.Name) }

// Key writes a name in snake_case.
func Key(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// TakenWords are the values of a Word that the sales agent takes.
func (f *Field) TakenWords() []string {
	return slices.DeleteFunc(slices.Clone(f.Words), func(w string) bool { return slices.Contains(f.UntakenWords, w) })
}

// Find gives the descriptor of a type, nil for one that is not known.
func Find(name string) *Type {
	for _, t := range types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Types gives all descriptors.
func Types() []*Type { return slices.Clone(types) }

// Field gives the field with a key; nil when the type has none.
func (t *Type) Field(key string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Key() == key {
			return &t.Fields[i]
		}
	}
	return nil
}

// with gives the fields that have all these uses.
func (t *Type) with(u Use) (some []*Field) {
	for i := range t.Fields {
		if t.Fields[i].In(u) {
			some = append(some, &t.Fields[i])
		}
	}
	return some
}

// Account is the field by which the ad server knows its customer; nil when there is none.
func (t *Type) Account() *Field {
	if sent := t.with(Sent); len(sent) > 0 {
		return sent[0]
	}
	return nil
}

// NeedsAccount reports whether the type is reached through the operator's service account.
func (t *Type) NeedsAccount() bool {
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == accountKey })
}

// The fields that the operator's service account fills in.
const (
	accountEmail = "serviceAccountEmail"
	accountKey   = "serviceAccountKeyJson"
)

// CallersName gives the name by which callers send what the sales agent calls key; "" when they
// can't send it.
func CallersName(key string) string {
	for _, t := range types {
		if f := t.Field(key); f != nil && f.In(Sent|Taken) {
			return f.Name
		}
	}
	return ""
}

// Bounds of texts, in code points. The contract gives all but that of credentials.
const (
	maxName   = 255
	maxLogin  = 255
	maxID     = 64
	maxSecret = 16 << 10
)

const production = "production"

// environment is the field that several types have; untaken words are in words too.
func environment(words []string, untaken ...string) Field {
	return Field{
		Name: "environment", Form: Word, Use: Sent | Kept | Taken | Unshown,
		Words: words, UntakenWords: untaken, Default: strconv.Quote(production),
	}
}

// password and apiToken are the credentials of types with a Login.
var (
	password = Field{Name: "password", Form: Secret, Use: Sent | Taken}
	apiToken = Field{Name: "apiToken", Form: Secret, Use: Sent | Taken}
)

// untaken says that the sales agent knows no such thing.
const untaken = " can't be taken by the sales agent at its present version."
