package upstream

import (
	"errors"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"esagate/upstream/wire"
)

// echo finds the credentials of a request in what upstream answers to it. Upstream, and
// the ad servers behind it, put what they were given into sentences, paths and words,
// and credentials go nowhere else (contract, "Rules for the connection"). The shapes
// that package redact knows are no help with a password of one short word.
type echo struct {
	whole  []string            // folded
	pieces map[string]struct{} // of pieceLength bytes, folded: a text may have been cut short
}

// pieceLength is how much of a credential gives it away. Less is found only where it is
// all of it.
const pieceLength = 8

// shortest is the least length, in characters, of a credential that an id or an address
// is looked through for: those hold any two or three letters by chance.
const shortest = 4

// echoOf looks for these credentials, none of them empty.
func echoOf(sent []wire.Secret) *echo {
	e := &echo{pieces: map[string]struct{}{}}
	for _, s := range sent {
		folded := fold(string(s))
		e.whole = append(e.whole, folded)
		if strings.HasPrefix(folded, "{") {
			continue // a key file: what it holds beside its secrets may be spoken of
		}
		for i := range len(folded) - pieceLength + 1 {
			e.pieces[folded[i:i+pieceLength]] = struct{}{}
		}
	}
	return e
}

// in reports whether a text holds a credential, or a telling piece of one, escaped or
// not. Short ones are found in nearly every text: it errs on the side of yes.
func (e *echo) in(text string) bool { return e.found(text, 0) }

// inID is in for ids and addresses, in which credentials under shortest count only
// where they are all of it.
func (e *echo) inID(id string) bool { return e.found(id, shortest) }

func (e *echo) found(text string, least int) bool {
	if text == "" || len(e.whole) == 0 {
		return false
	}
	return slices.ContainsFunc(readings(text), func(reading string) bool {
		for _, w := range e.whole {
			if reading == w || utf8.RuneCountInString(w) >= least && strings.Contains(reading, w) {
				return true
			}
		}
		for i := range len(reading) - pieceLength + 1 {
			if _, is := e.pieces[reading[i:i+pieceLength]]; is {
				return true
			}
		}
		return false
	})
}

// clean takes from an answer's error whatever holds a credential. Words that mean
// something to the gateway stay: they are ours, whatever a password may be.
func (e *echo) clean(p *wire.Problem) {
	if !meaningful(p.Code) && e.in(p.Code) {
		p.Code = ""
	}
	if e.in(p.Message) {
		p.Message = ""
	}
	for i := range p.Fields {
		if f := &p.Fields[i]; e.in(f.Message) {
			f.Message = ""
		}
	}
}

// without gives an address, or none if a credential is in it.
func (e *echo) without(o wire.Opt[string]) wire.Opt[string] {
	if e.inID(o.Value) {
		return wire.Opt[string]{}
	}
	return o
}

var errEcho = errors.New("the answer's id repeats a credential")

// fold gives a text without what is not seen and in one case, as it is compared. The
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
			for _, undo := range []func(string) string{unquoted, unpercented, html.UnescapeString} {
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

// unquoted undoes the escapes of JSON and of the programming languages around it.
func unquoted(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '\\')
		if at < 0 || at+1 == len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		kind := s[at+1]
		s = s[at+2:]
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[kind]
		switch {
		case digits > 0:
			r, rest, ok := codePoint(s, digits)
			if low, after, is := codePoint(strings.TrimPrefix(rest, `\u`), digits); is && utf16.IsSurrogate(r) {
				r, rest = utf16.DecodeRune(r, low), after
			}
			if ok {
				b.WriteRune(r)
				s = rest
			}
		case strings.IndexByte("abfnrtv", kind) >= 0:
		default:
			b.WriteByte(kind)
		}
	}
}

// codePoint reads so many hexadecimal digits.
func codePoint(s string, digits int) (r rune, rest string, ok bool) {
	if len(s) < digits {
		return 0, s, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 31)
	return rune(n), s[digits:], err == nil
}

// unpercented undoes the escapes of URLs.
func unpercented(s string) string {
	var b strings.Builder
	s = strings.ReplaceAll(s, "+", " ")
	for {
		at := strings.IndexByte(s, '%')
		if at < 0 || at+2 >= len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		if n, err := strconv.ParseUint(s[at+1:at+3], 16, 8); err == nil {
			b.WriteByte(byte(n))
			s = s[at+3:]
			continue
		}
		b.WriteByte('%')
		s = s[at+1:]
	}
}
