package agentauth

import (
	"bytes"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// list is a list of texts in a document of a server. One text counts as a list of its words,
// with blanks or commas between them; elements that are no texts are left out. nil: the list
// was left out.
type list []string

// UnmarshalJSON implements json.Unmarshaler. What is neither text nor list is an empty list,
// not one that was left out: those mean that everything is supported.
func (l *list) UnmarshalJSON(b []byte) error {
	var elements []jsontext.Value
	switch v := jsontext.Value(b); v.Kind() {
	case 'n':
		*l = nil
		return nil
	case '"':
		*l = strings.FieldsFunc(text(v), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
		return nil
	case '[':
		if err := json.Unmarshal(v, &elements, lenient); err != nil {
			return err
		}
	}
	*l = list{}
	for _, v := range elements {
		if s := text(v); v.Kind() == '"' && s != "" {
			*l = append(*l, s)
		}
	}
	return nil
}

// flag is a boolean that may be written as text.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == `true` || text(b) == "true"
	return nil
}

// lenient lets servers repeat members, and write letters in another encoding than UTF-8:
// most of what they answer is not read at all.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// members are those of an answer's object, or the parameters of one that is a form. A member
// of another type than expected is as good as none.
type members map[string]jsontext.Value

// membersOf reads an answer, whatever its content type: servers send JSON as text/plain, and
// forms as JSON. nil: it is neither. A page of HTML and JSON that is cut short hold quotes or
// tags, as no form does, and may hold links whose queries look like one.
func membersOf(answer []byte) members {
	var m members
	if json.Unmarshal(answer, &m, lenient) == nil {
		return m
	}
	form, err := url.ParseQuery(string(answer))
	if err != nil || bytes.ContainsAny(answer, `<"`) {
		return nil
	}
	m = make(members, len(form))
	for name := range form {
		m[name], _ = jsontext.AppendQuote(nil, form.Get(name))
	}
	return m
}

// text gives a member that is a text, or a number as it is written; "" for others.
func (m members) text(name string) string { return text(m[name]) }

func text(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		if s, err := jsontext.AppendUnquote(nil, v); err == nil {
			return string(s)
		}
	case '0':
		return string(v)
	}
	return ""
}

// list gives a member that is a list of texts, or one text.
func (m members) list(name string) []string {
	var l list
	_ = l.UnmarshalJSON(m[name]) // of what can't be read, nothing is taken
	return l
}

// maxSeconds is more than 200 years, and fits a time.Duration.
const maxSeconds = 1 << 33

// seconds gives a member that is a number of seconds, written as a number or as text. 0: it
// is missing or empty, or 0. false: it is a text that is no number.
func (m members) seconds(name string) (float64, bool) {
	s := strings.TrimSpace(m.text(name))
	if s == "" {
		return 0, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) {
		return 0, false
	}
	return min(f, maxSeconds), true
}
