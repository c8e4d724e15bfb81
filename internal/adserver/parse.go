package adserver

import (
	"regexp"
	"slices"
	"strings"

	"esagate/internal/jsonbody"
	"esagate/internal/sources"
	"esagate/internal/word"
)

// Connect is the body of a request that connects a new ad server. Printed or logged, it is one
// phrase.
type Connect struct {
	*Config
	SourceID string // empty: none was asked for, and Slug is to be used
	Slug     string // made of Name
	Name     string
}

// reader reads the members of a config.
type reader struct {
	jsonbody.Object
	jsonbody.Issues
	given map[string]value
}

// Parse reads the body of a request that replaces an ad-server config. Its error is a
// *fault.Error: a BadRequest for what is no JSON object, else a Validation with every issue.
func Parse(body []byte) (*Config, error) {
	c, err := parse(body, false)
	if err != nil {
		return nil, err
	}
	return c.Config, nil
}

// ParseConnect reads the body of a request that connects a new ad server: a config, with name
// and sourceId beside it where the caller gives them. Errors as Parse.
func ParseConnect(body []byte) (*Connect, error) { return parse(body, true) }

func parse(body []byte, connect bool) (*Connect, error) {
	o, err := jsonbody.Parse(body)
	if err != nil {
		return nil, err
	}
	var out Connect
	var issues jsonbody.Issues
	known := []string{"type", "connectionContract"}
	if connect {
		known = append(known, "name", "sourceId")
		out.Name = issues.Take(o.Text("name", jsonbody.Length(1, maxName)))
		out.SourceID = issues.Take(o.Text("sourceId", func(_, id string) string { return sources.CheckSourceID(id) }))
	}
	t := Find(issues.Need(o.Text("type", typeRule)))
	if t == nil { // what the other members should be can't be known
		return nil, issues.Err()
	}
	for _, f := range t.with(Sent) {
		known = append(known, f.Name)
	}
	known = append(known, t.Refused...)
	r := &reader{Object: o, Issues: issues, given: map[string]value{}}
	r.connectionContract()
	r.fields(t)
	for _, name := range t.Refused {
		if r.Has(name) {
			r.Add(name, name+t.Why)
		}
	}
	r.unknown("", r.Others(known), "This is not a field of an ad server of the type "+t.Name+".")
	if err := r.Err(); err != nil {
		return nil, err
	}
	config := &sent{t, r.given}
	out.Config = &Config{open: func() *sent { return config }}
	if connect {
		if out.Name == "" {
			out.Name = cut(config.label(), maxName)
		}
		out.Slug = sources.Slug(out.Name)
	}
	return &out, nil
}

// typeRule is the rule of type.
func typeRule(path, value string) string {
	var taken []string
	for _, t := range types {
		switch {
		case !t.Untaken:
			taken = append(taken, t.Name)
		case t.Name == value:
			return "An ad server of the type " + value + untaken
		}
	}
	return jsonbody.OneOf(taken...)(path, value)
}

// fields reads the fields of a type.
func (r *reader) fields(t *Type) {
	if t.Login != "" {
		r.login(t)
	}
	for _, f := range t.with(Sent) {
		switch {
		case t.Login != "" && slices.Contains([]string{t.Login, password.Name, apiToken.Name}, f.Name): // read already
		case f.Form == Integer:
			if n := r.Positive(&r.Issues, f.Name); n != nil {
				r.given[f.Name] = value{number: n}
			}
		default:
			r.take(r.Text(f.Name, f.rules()...), f.Required)
		}
	}
}

// take notes a member's text, or what is wrong with it.
func (r *reader) take(m jsonbody.Member, required bool) {
	text := r.Take(m)
	switch {
	case m.Given:
		r.given[m.Path] = value{text: text}
	case required:
		r.Need(m)
	}
}

// login reads the credentials of a type with a Login, of which exactly one kind must be whole:
// the login with password, or apiToken. Refused members count as credentials of a third kind.
func (r *reader) login(t *Type) {
	name := r.Text(t.Login, t.Account().rules()...)
	word := r.Text(password.Name, password.rules()...)
	token := r.Text(apiToken.Name, apiToken.rules()...)
	pair, other := name.Given || word.Given, slices.ContainsFunc(t.Refused, r.Has)
	switch {
	case pair && token.Given, other && (pair || token.Given):
		for _, m := range []*jsonbody.Member{&name, &word, &token} {
			if m.Given && m.Problem == "" {
				m.Problem = "Credentials of one kind can be given, not of several: " + t.Login + " with password, or apiToken."
			}
		}
	case pair && !name.Given:
		r.Add(t.Login, t.Login+" is required with password.")
	case pair && !word.Given:
		r.Add(word.Path, "password is required with "+t.Login+".")
	case !pair && !token.Given && !other:
		const unless = ", unless apiToken is given."
		r.Add(t.Login, t.Login+" is required, with password"+unless)
		r.Add(word.Path, "password is required, with "+t.Login+unless)
	}
	for _, m := range []jsonbody.Member{name, word, token} {
		r.take(m, false)
	}
}

// rules are those of a field that callers send.
func (f *Field) rules() []jsonbody.Rule {
	switch f.Form {
	case Secret:
		return []jsonbody.Rule{jsonbody.Length(1, maxSecret)}
	case Word:
		return []jsonbody.Rule{f.word}
	case Currency:
		return []jsonbody.Rule{currency}
	case Digits:
		return []jsonbody.Rule{jsonbody.Length(f.Min, f.Max), digits}
	case Email:
		return []jsonbody.Rule{jsonbody.Length(f.Min, f.Max), email}
	}
	return []jsonbody.Rule{jsonbody.Length(f.Min, f.Max)}
}

func (f *Field) word(path, value string) string {
	if slices.Contains(f.UntakenWords, value) {
		return "The " + path + " " + value + untaken
	}
	return jsonbody.OneOf(f.TakenWords()...)(path, value)
}

func currency(path, value string) string {
	if !isCurrency(value) {
		return path + " must be three capital letters."
	}
	return ""
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func digits(path, value string) string {
	if strings.Trim(value, "0123456789") != "" {
		return path + " must be digits."
	}
	return ""
}

var emailForm = regexp.MustCompile(`^[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}$`)

// email wants an address of the plain form that the contract takes.
func email(path, value string) string {
	if !emailForm.MatchString(value) || value[0] == '.' || strings.Contains(value, "..") {
		return path + " must be an e-mail address."
	}
	return ""
}

// maxContractID bounds connectionContract.id, in bytes: it is ASCII.
const maxContractID = 128

var contractID = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// connectionContract checks the pin of a built-in connection contract, which a caller may send
// along with any type. It has no effect: there is one way to connect a type.
func (r *reader) connectionContract() {
	const path = "connectionContract"
	if !r.Has(path) {
		return
	}
	o, problem := r.Nested(path)
	if problem != "" {
		r.Add(path, problem)
		return
	}
	r.Need(o.Text(path+".id", jsonbody.Length(1, maxContractID), func(path, value string) string {
		if !contractID.MatchString(value) {
			return path + " must be lower-case letters, digits, - and _, a letter first."
		}
		return ""
	}))
	if !o.Has("version") {
		r.Add(path+".version", path+".version is required.")
	}
	o.Positive(&r.Issues, path+".version")
	r.Need(o.Text(path+".authenticationMethod", jsonbody.OneOf("none", "bearer_token", "api_key",
		"credential_exchange", "basic_auth", "oauth2", "jwt", "platform_service_account")))
	r.unknown(path+".", o.Others([]string{"id", "version", "authenticationMethod"}), "This is not a field of "+path+".")
}

// unknown names members that are not known. What a caller calls a member is repeated only where
// it is a plain word: a secret may have slipped there.
func (r *reader) unknown(prefix string, names []string, message string) {
	nameless := false
	for _, name := range names {
		switch {
		case word.Name.Is(name):
			r.Add(prefix+name, message)
		case !nameless:
			nameless = true
			path := strings.TrimSuffix(prefix, ".")
			if path == "" {
				path = "body"
			}
			r.Add(path, "There is a field that is not known.")
		}
	}
}

// cut gives the first code points of a text.
func cut(s string, most int) string {
	count := 0
	for i := range s {
		if count++; count > most {
			return s[:i]
		}
	}
	return s
}
