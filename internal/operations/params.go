package operations

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/jsonbody"
	"esagate/internal/word"
)

// parameter is a parameter of an operation, ready to be read.
type parameter struct {
	api.Parameter
	upstream string // the sales agent's name
	also     string // its other spelling; the same where there is but one
	pattern  *regexp.Regexp
}

// parametersOf gives the parameters of an operation's path or query.
func parametersOf(o *api.Operation, in string) (all []parameter) {
	for _, p := range o.Parameters {
		if p.In != in {
			continue
		}
		r := parameter{Parameter: p, upstream: p.Upstream.Name, also: word.Snake(p.Name)}
		if r.also == p.Name {
			r.also = word.Camel(p.Name)
		}
		if r.upstream == "" {
			r.upstream = word.Snake(p.Name)
		}
		if p.Schema.Pattern != "" {
			r.pattern = regexp.MustCompile(p.Schema.Pattern)
		}
		all = append(all, r)
	}
	return all
}

// parameters reads a query, and gives it in the sales agent's names, defaults included. given reports whether the
// caller asked for anything by it.
func (o *Operation) parameters(raw string, l *jsonbody.Issues) (query url.Values, given bool) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		l.Add("query", "The query string is not properly encoded.")
		return nil, false
	}
	query = url.Values{}
	named := map[string]bool{} // by the sales agent's names
	for i := range o.query {
		p := &o.query[i]
		asked, path := values[p.Name], "query."+p.Name
		both := p.also != p.Name && asked != nil && values.Has(p.also)
		if asked == nil {
			asked = values[p.also]
		}
		delete(values, p.Name)
		delete(values, p.also)
		switch most := p.Schema.MaxItems; {
		case both:
			l.Add(path, p.Name+" is given in two spellings.")
		case p.Schema.Type != "array" && len(asked) > 1:
			l.Add(path, p.Name+" is given more than once.")
		case most != nil && len(asked) > *most:
			l.Add(path, p.Name+" is given more than "+strconv.Itoa(*most)+" times.")
		case len(asked) > 0 && named[p.upstream]:
			l.Add(path, p.Name+" and "+p.upstream+" are two names of one parameter.")
		case len(asked) > 0:
			named[p.upstream] = true
			given = p.take(asked, query, path, l) || given
		case p.Required:
			l.Add(path, p.Name+" is required.")
		case p.Schema.Default != "" && p.isSent():
			query.Set(p.upstream, p.Schema.Default)
		}
	}
	for _, name := range o.Refuses {
		for _, spelling := range []string{name, word.Snake(name)} {
			if values.Has(spelling) {
				l.Add("query."+name, name+" is not supported by this sales agent.")
				delete(values, spelling)
			}
		}
	}
	if len(values) > 0 {
		l.Add("query", "There is a query parameter that this operation does not know.")
	}
	return query, given
}

// take reads what was given for a parameter into a query, and reports whether there is anything.
func (p *parameter) take(asked []string, query url.Values, path string, l *jsonbody.Issues) (any bool) {
	for _, text := range asked {
		value, problem := p.read(text)
		switch {
		case p.isNone(text):
		case problem != "":
			l.Add(path, p.Name+" "+problem)
		case p.isSent():
			any = true
			query.Add(p.upstream, value)
		}
	}
	return any
}

func (p *parameter) isSent() bool { return p.Upstream.Sent == nil || *p.Upstream.Sent }

// isNone reports whether a text says nothing: an empty one of a parameter that has no least length.
func (p *parameter) isNone(text string) bool {
	return text == "" && p.Schema.Type == "string" && p.Schema.MinLength == nil && p.pattern == nil && p.Schema.Format == ""
}

const badCursor = "must be the nextCursor of an earlier page."

// read reads a value, and gives it as the sales agent takes it, or what is wrong with it.
func (p *parameter) read(text string) (value, problem string) {
	s := p.Schema
	if s.Type == "array" {
		s = s.Items
	}
	switch s.Type {
	case "integer":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strings.HasPrefix(text, "+") || s.Minimum != nil && n < *s.Minimum || s.Maximum != nil && n > *s.Maximum {
			return "", "must be a whole number from " + strconv.FormatInt(*s.Minimum, 10) + " to " + strconv.FormatInt(*s.Maximum, 10) + "."
		}
		return strconv.FormatInt(n, 10), ""
	case "boolean":
		if text != "true" && text != "false" {
			return "", "must be true or false."
		}
		return text, ""
	}
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		return "", "must be text in UTF-8, without the character U+0000."
	case p.Upstream.Cursor != "" && (s.MaxLength != nil && n > *s.MaxLength || !isCursor(p.Upstream.Cursor, text) || p.pattern != nil && !p.pattern.MatchString(text)):
		return "", badCursor
	case s.MinLength != nil && n < *s.MinLength:
		return "", "can't be empty."
	case s.MaxLength != nil && n > *s.MaxLength:
		return "", "is longer than " + strconv.Itoa(*s.MaxLength) + " characters."
	case s.Format == "date":
		return asDay(text)
	case s.Enum != nil && !slices.Contains(s.Enum, text):
		return "", strings.TrimPrefix(jsonbody.OneOf(s.Enum...)("", text), " ")
	case p.pattern != nil && !p.pattern.MatchString(text):
		return "", "has characters that it can't have, or too many."
	}
	return text, ""
}

// asDay gives the day of a day or a moment, as it is written.
func asDay(text string) (day, problem string) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 { // the sales agent knows no year 0000
			return text[:len(time.DateOnly)], ""
		}
	}
	return "", "must be a day that exists, as 2026-11-30."
}

// maxOffset bounds the offset in a cursor.
const maxOffset = 1_000_000_000

// isCursor reports whether a text is a cursor of a kind: it can't be seen that the sales agent gave it, but it has a
// form that the sales agent reads.
func isCursor(kind, text string) bool {
	if kind == "decimal" {
		return true // its pattern says all
	}
	document, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "=")))
	if err != nil || jsonbody.Sound(document, jsonbody.Bounds{Depth: 2}) != nil {
		return false
	}
	if kind == "object" {
		return true
	}
	offset := jsontext.Value(member(document, "offset"))
	n, err := strconv.ParseInt(string(offset), 10, 64)
	return err == nil && offset.Kind() == '0' && n >= 0 && n < maxOffset
}
