package tools

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/word"
)

// problems are what is wrong with the arguments of a call.
type problems []api.ErrorIssue

func (p *problems) add(path, message string) {
	*p = append(*p, api.ErrorIssue{Path: path, Message: message})
}

// request makes the request of a tool's operation. What a value must be, the API says; here is checked what would make
// another request of it.
func (t *tool) request(arguments []byte, operator bool) (*Request, problems) {
	given, bad := members(arguments)
	r := &Request{Method: t.op.method, Header: http.Header{}}
	path, query := t.op.path, url.Values{}
	var known []string
	for _, p := range t.op.Parameters {
		name := argument(p, operator)
		if name == "" {
			continue
		}
		known = append(known, name)
		values, ok := texts(given, name)
		switch {
		case !ok:
			bad.add(name, name+" must be a text, a number, true or false.")
		case len(values) == 0 || p.In == "path" && values[0] == "":
			if p.Required {
				bad.add(name, name+" is required.")
			}
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(values[0]), 1)
		case p.In == "query":
			query[p.Name] = values
		default:
			r.Header[http.CanonicalHeaderKey(p.Name)] = values
		}
	}
	if t.op.Body.json() != nil {
		known = append(known, bodyArgument)
		r.Body = t.body(given, &bad)
	}
	for _, m := range given {
		if !slices.Contains(known, m.Name) {
			bad.add(m.Name[:min(len(m.Name), maxShown)], unknown(m.Name, known))
		}
	}
	r.Target = path
	if len(query) > 0 {
		r.Target += "?" + query.Encode()
	}
	return r, bad
}

// members reads an object; nothing and null are one without members.
func members(arguments []byte) (given api.Members[jsontext.Value], bad problems) {
	if len(arguments) > 0 {
		if err := json.Unmarshal(arguments, &given); err != nil {
			bad.add("", "The arguments must be an object, with each name once.")
		}
	}
	return given, bad
}

// maxRepeated bounds the values of one argument.
const maxRepeated = 100

// texts gives the values of an argument, as a query or a path has them; none where it is left out or null.
func texts(given api.Members[jsontext.Value], name string) (values []string, ok bool) {
	i := given.Index(name)
	if i < 0 {
		return nil, true
	}
	list := []jsontext.Value{given[i].Value}
	switch given[i].Value.Kind() {
	case 'n':
		return nil, true
	case '[':
		if json.Unmarshal(given[i].Value, &list) != nil || len(list) > maxRepeated {
			return nil, false
		}
	}
	for _, v := range list {
		switch v.Kind() {
		case '"':
			var text string
			if json.Unmarshal(v, &text) != nil {
				return nil, false
			}
			values = append(values, text)
		case '0', 't', 'f':
			values = append(values, string(v))
		default:
			return nil, false
		}
	}
	return values, true
}

// body gives the body of a request. One that holds a credential is not sent.
func (t *tool) body(given api.Members[jsontext.Value], bad *problems) []byte {
	i := given.Index(bodyArgument)
	if i < 0 {
		if t.op.Body.Required {
			bad.add(bodyArgument, bodyArgument+" is required.")
		}
		return nil
	}
	var body api.Members[jsontext.Value]
	if given[i].Value.Kind() != '{' || json.Unmarshal(given[i].Value, &body) != nil {
		bad.add(bodyArgument, bodyArgument+" must be an object, with each name once.")
		return nil
	}
	for _, m := range body {
		if slices.ContainsFunc(t.credentials, func(name string) bool { return strings.EqualFold(name, m.Name) }) {
			bad.add(bodyArgument, "An assistant is given no credentials: they would stay in its transcript. Nothing was sent. "+elsewhere)
		}
	}
	return given[i].Value
}

// maxShown bounds what is repeated of a caller's own name for an argument, in bytes.
const maxShown = 64

// unknown says that there is no argument of a name, without saying it: it may be anything.
func unknown(name string, known []string) string {
	if near := word.Closest(name, known); near != "" {
		return "There is no such argument; did you mean " + near + "?"
	}
	return "There is no such argument. There are: " + strings.Join(known, ", ") + "."
}
