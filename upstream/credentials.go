package upstream

import (
	"errors"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"esagate/internal/redact"
	"esagate/upstream/wire"
)

// credentials finds the credentials of a request in what upstream answers to it: upstream,
// and the ad servers behind it, repeat what they were given (contract 5.5). The shapes that
// package redact knows are no help with a password of one short word.
type credentials struct {
	whole  []string            // folded
	pieces map[string]struct{} // of pieceLength bytes, folded: a text may have been cut short
}

const (
	pieceLength = 8 // so much of a credential gives it away
	shortest    = 4 // characters of a credential that ids and addresses are searched for: fewer are there by chance
)

// credentialsOf looks for these credentials, none of them empty.
func credentialsOf(sent []wire.Secret) *credentials {
	c := &credentials{pieces: map[string]struct{}{}}
	for _, s := range sent {
		folded := fold(string(s))
		c.whole = append(c.whole, folded)
		if strings.HasPrefix(folded, "{") {
			continue // a key file: what it holds beside its secrets may be shown
		}
		for i := range len(folded) - pieceLength + 1 {
			c.pieces[folded[i:i+pieceLength]] = struct{}{}
		}
	}
	return c
}

// in reports whether a text holds a credential, or a telling piece of one, escaped or
// not. Short ones are found in nearly every text: it errs on the side of yes.
func (c *credentials) in(text string) bool { return c.found(text, 0) }

// inID is in for ids and addresses, in which credentials under shortest count only
// where they are all of it.
func (c *credentials) inID(id string) bool { return c.found(id, shortest) }

func (c *credentials) found(text string, least int) bool {
	if text == "" || len(c.whole) == 0 {
		return false
	}
	return slices.ContainsFunc(readings(text), func(reading string) bool {
		for _, w := range c.whole {
			if reading == w || utf8.RuneCountInString(w) >= least && strings.Contains(reading, w) {
				return true
			}
		}
		for i := range len(reading) - pieceLength + 1 {
			if _, ok := c.pieces[reading[i:i+pieceLength]]; ok {
				return true
			}
		}
		return false
	})
}

// clean removes from an answer's error whatever holds a credential. Codes that the
// gateway knows stay: they are ours, whatever a password may be. Issues stay too: only operations
// on an ad server show them, whose requests hold no credential.
func (c *credentials) clean(p *wire.Problem) {
	if !knownCode(p.Code) && c.in(p.Code) {
		p.Code = ""
	}
	if c.in(p.Message) {
		p.Message = ""
	}
	if c.in(p.ErrorID) {
		p.ErrorID = ""
	}
	for i := range p.Fields {
		if f := &p.Fields[i]; c.in(f.Message) {
			f.Message = ""
		}
	}
}

// without gives an address, or none if a credential is in it.
func (c *credentials) without(o wire.Opt[string]) wire.Opt[string] {
	if c.inID(o.Value) {
		return wire.Opt[string]{}
	}
	return o
}

var errCredential = errors.New("the answer's id repeats a credential")

// fold gives a text in one case and without invisible characters, for comparing. The
// treatment of texts drops the same characters.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) ||
			unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, s)
}

// readings gives what a text can be read as, folded: as it is, and with one or two
// kinds of escapes undone, or one kind twice.
func readings(text string) []string {
	texts := []string{text}
	for begin := range 2 {
		for _, t := range texts[begin:] {
			for _, undo := range []func(string) string{redact.Unquote, unescapeForm, html.UnescapeString} {
				if u := undo(t); !slices.Contains(texts, u) {
					texts = append(texts, u)
				}
			}
		}
	}
	for i, t := range texts {
		texts[i] = fold(t)
	}
	return texts
}

// unescapeForm undoes the escapes of forms.
func unescapeForm(s string) string { return redact.UnescapeURL(strings.ReplaceAll(s, "+", " ")) }
