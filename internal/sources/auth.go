package sources

import (
	"slices"

	"esagate/internal/jsonbody"
	"esagate/registry"
)

// authWords are the words of auth.type that each authentication type takes (contract 6.3). A type
// that is not here takes no `auth`.
var authWords = map[registry.AuthenticationType][]string{
	registry.AuthAPIKey: {"bearer", "apikey", "api_key"},
	registry.AuthJWT:    {"jwt"},
	registry.AuthBasic:  {"basic"},
}

var allAuthWords = slices.Concat(authWords[registry.AuthAPIKey], authWords[registry.AuthJWT], authWords[registry.AuthBasic])

// takesAuth reports whether sources of an authentication type have an `auth`.
func takesAuth(t registry.AuthenticationType) bool { return authWords[t] != nil }

// auth is `auth` as it was given; {} is as if it weren't.
type auth struct {
	jsonbody.Object
	given   bool
	problem string // of the whole
	check   CheckURL
}

func parseAuth(body jsonbody.Object, check CheckURL) *auth {
	inner, problem := body.Nested("auth")
	return &auth{Object: inner, given: !inner.Empty() || problem != "", problem: problem, check: check}
}

// credential reads the credentials of a source of an authentication type, "" where it
// is not known; nil if there are none. required says that there must be some if the
// type takes any.
func (a *auth) credential(l *jsonbody.Issues, t registry.AuthenticationType, required bool) *registry.Credential {
	switch {
	case !a.given:
		if required && takesAuth(t) {
			l.Add("auth", "auth is required for the authenticationType "+string(t)+".")
		}
		return nil
	case a.problem != "":
		l.Add("auth", a.problem)
		return nil
	case t != "" && !takesAuth(t):
		l.Add("auth", "auth can't be given for the authenticationType "+string(t)+".")
		return nil
	}
	word := l.Need(a.Text("auth.type", jsonbody.OneOf(allAuthWords...)))
	own := t // without a word: so that what else is missing is named in the same answer
	for taker, words := range authWords {
		if slices.Contains(words, word) {
			own = taker
		}
	}
	if t != "" && own != t {
		l.Take(a.Text("auth.type", jsonbody.OneOf(authWords[t]...)))
	}
	switch own {
	case registry.AuthAPIKey:
		token := l.Need(a.Text("auth.token", jsonbody.Length(1, maxSecret)))
		return &registry.Credential{Token: &registry.TokenCredential{Scheme: word, Token: token}}
	case registry.AuthJWT:
		return &registry.Credential{JWT: a.jwt(l)}
	case registry.AuthBasic:
		return &registry.Credential{Basic: &registry.BasicCredential{
			Username: l.Need(a.Text("auth.username", jsonbody.Length(1, maxShort))),
			Password: l.Need(a.Text("auth.password", jsonbody.Length(0, maxSecret))),
		}}
	}
	return nil
}

func (a *auth) jwt(l *jsonbody.Issues) *registry.JWTCredential {
	return &registry.JWTCredential{
		PrivateKey:       l.Need(a.Text("auth.privateKey", jsonbody.Length(1, maxSecret))),
		Issuer:           l.Need(a.Text("auth.issuer", jsonbody.Length(1, maxShort))),
		Subject:          l.Need(a.Text("auth.subject", jsonbody.Length(1, maxShort))),
		KeyID:            l.Need(a.Text("auth.keyId", jsonbody.Length(1, maxShort))),
		Scope:            l.Need(a.Text("auth.scope", jsonbody.Length(1, maxShort))),
		TokenEndpointURL: l.Need(a.Text("auth.tokenEndpointUrl", jsonbody.Length(1, maxURL), callable(a.check))),
		AudienceURL:      l.Need(a.Text("auth.audienceUrl", jsonbody.Length(1, maxURL), absoluteURI)),
		Algorithm:        l.Take(a.Text("auth.algorithm", jsonbody.OneOf("ES256", "RS256"))),
		Environment:      l.Take(a.Text("auth.environment", jsonbody.Length(0, maxShort))),
	}
}
