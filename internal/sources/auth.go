package sources

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/registry"
)

// shape is one form of `auth`: the words of auth.type that name it and the
// authentication type that takes it.
type shape struct {
	takenBy registry.AuthenticationType
	words   []string
}

var shapes = []shape{
	{registry.AuthAPIKey, []string{"bearer", "apikey", "api_key"}},
	{registry.AuthJWT, []string{"jwt"}},
	{registry.AuthBasic, []string{"basic"}},
}

// authMembers are the members of `auth` in all its shapes; others are ignored.
var authMembers = []string{"type", "token", "privateKey", "issuer", "subject", "keyId", "scope",
	"tokenEndpointUrl", "audienceUrl", "algorithm", "environment", "username", "password"}

// authTypeWords are all words of auth.type.
func authTypeWords() (all []string) {
	for _, s := range shapes {
		all = append(all, s.words...)
	}
	return all
}

// wordsOf gives the words of auth.type that an authentication type takes, none for
// one that takes no `auth`.
func wordsOf(t registry.AuthenticationType) []string {
	for _, s := range shapes {
		if s.takenBy == t {
			return s.words
		}
	}
	return nil
}

// takerOf gives the authentication type that takes a word of auth.type, "" for no
// such word.
func takerOf(word string) registry.AuthenticationType {
	for _, s := range shapes {
		if slices.Contains(s.words, word) {
			return s.takenBy
		}
	}
	return ""
}

// takesAuth reports whether sources of an authentication type have an `auth`.
func takesAuth(t registry.AuthenticationType) bool { return wordsOf(t) != nil }

// auth is `auth` as it was given; {} is as if it weren't.
type auth struct {
	object
	given   bool
	problem string // of the whole
	check   CheckURL
}

func parseAuth(body object, check CheckURL) *auth {
	raw, ok := body.members["auth"]
	switch {
	case !ok:
		return &auth{}
	case raw.Kind() == 'n':
		return &auth{given: true, problem: "auth can't be null."}
	case raw.Kind() != '{':
		return &auth{given: true, problem: "auth must be an object."}
	}
	o, err := parseObject(jsontext.Value(raw), authMembers)
	if err != nil { // the body was sound, so this is not reached
		return &auth{given: true, problem: "auth must be an object."}
	}
	return &auth{object: o, given: o.size > 0, check: check}
}

// credential reads the credentials of a source of an authentication type, "" where it
// is not known; nil if there are none. required says that there must be some if the
// type takes any.
func (a *auth) credential(l *issues, t registry.AuthenticationType, required bool) *registry.Credential {
	switch {
	case !a.given:
		if required && takesAuth(t) {
			l.add("auth", "auth is required for the authenticationType "+string(t)+".")
		}
		return nil
	case a.problem != "":
		l.add("auth", a.problem)
		return nil
	case t != "" && !takesAuth(t):
		l.add("auth", "auth can't be given for the authenticationType "+string(t)+".")
		return nil
	}
	kind := a.text("auth.type", oneOf(authTypeWords()...))
	word := l.need(kind)
	own := takerOf(word)
	if own == "" {
		own = t // so that what else is missing is named in the same answer
	} else if t != "" && own != t {
		l.take(a.text("auth.type", oneOf(wordsOf(t)...)))
	}
	switch own {
	case registry.AuthAPIKey:
		return &registry.Credential{Token: a.token(l, word)}
	case registry.AuthJWT:
		return &registry.Credential{JWT: a.jwt(l)}
	case registry.AuthBasic:
		return &registry.Credential{Basic: a.basic(l)}
	}
	return nil
}

func (a *auth) token(l *issues, scheme string) *registry.TokenCredential {
	return &registry.TokenCredential{
		Scheme: scheme,
		Token:  l.need(a.text("auth.token", length(1, maxSecret))),
	}
}

func (a *auth) jwt(l *issues) *registry.JWTCredential {
	return &registry.JWTCredential{
		PrivateKey:       l.need(a.text("auth.privateKey", length(1, maxSecret))),
		Issuer:           l.need(a.text("auth.issuer", length(1, maxShort))),
		Subject:          l.need(a.text("auth.subject", length(1, maxShort))),
		KeyID:            l.need(a.text("auth.keyId", length(1, maxShort))),
		Scope:            l.need(a.text("auth.scope", length(1, maxShort))),
		TokenEndpointURL: l.need(a.text("auth.tokenEndpointUrl", length(1, maxURL), callable(a.check))),
		AudienceURL:      l.need(a.text("auth.audienceUrl", length(1, maxURL), absoluteURI)),
		Algorithm:        l.take(a.text("auth.algorithm", oneOf("ES256", "RS256"))),
		Environment:      l.take(a.text("auth.environment", length(0, maxShort))),
	}
}

func (a *auth) basic(l *issues) *registry.BasicCredential {
	return &registry.BasicCredential{
		Username: l.need(a.text("auth.username", length(1, maxShort))),
		Password: l.need(a.text("auth.password", length(0, maxSecret))),
	}
}
