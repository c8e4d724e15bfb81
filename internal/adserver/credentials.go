package adserver

import (
	"esagate/internal/jsonbody"
	"esagate/upstream/wire"
)

// login is one of two kinds of credentials: a name with a password, or a token.
type login struct {
	name     string
	password wire.Secret
	token    wire.Secret
}

// login reads credentials, of which exactly one kind must be whole: what nameField
// names with password, or apiToken. others are members with credentials of a kind
// that is refused anyway.
func (r *reader) login(nameField string, rules []jsonbody.Rule, others ...string) login {
	name := r.Text(nameField, rules...)
	password := r.Text("password", jsonbody.Length(1, maxSecret))
	token := r.Text("apiToken", jsonbody.Length(1, maxSecret))
	pair, other := name.Given || password.Given, false
	for _, m := range others {
		other = other || r.Has(m)
	}
	switch {
	case pair && token.Given, other && (pair || token.Given):
		for _, m := range []*jsonbody.Member{&name, &password, &token} {
			if m.Given && m.Problem == "" {
				m.Problem = "Credentials of one kind can be given, not of several: " + nameField + " with password, or apiToken."
			}
		}
	case pair:
		r.missing(name, "password")
		r.missing(password, nameField)
	case !token.Given && !other:
		const unless = ", unless apiToken is given."
		r.Add(nameField, nameField+" is required, with password"+unless)
		r.Add("password", "password is required, with "+nameField+unless)
	}
	return login{name: r.Take(name), password: wire.Secret(r.Take(password)), token: wire.Secret(r.Take(token))}
}

// missing names the half of a pair that was not given.
func (r *reader) missing(half jsonbody.Member, other string) {
	if !half.Given {
		r.Add(half.Path, half.Path+" is required with "+other+".")
	}
}

// secret reads a credential that must be there.
func (r *reader) secret(path string) wire.Secret {
	return wire.Secret(r.Need(r.Text(path, jsonbody.Length(1, maxSecret))))
}
