package agentauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"esagate/internal/agentauth"
)

// TestChallenges has each form in which a challenge may name the metadata, which can't be
// found without it.
func TestChallenges(t *testing.T) {
	const at = "https://" + agentHost + "/custom/prm"
	rows := map[string]struct {
		fields string // one a line; AT is where the metadata stand
		hidden bool   // the metadata are not named
		scope  string // found: other than the metadata's
	}{
		"as usual":              {fields: `Bearer realm="agents", resource_metadata="AT"`},
		"empty text":            {fields: `Bearer realm="", resource_metadata="AT"`},
		"blanks around =":       {fields: `Bearer realm="agents", resource_metadata = "AT"`},
		"tabs around =":         {fields: "Bearer realm\t=\t\"agents\" ,\tresource_metadata \t= \"AT\""},
		"other case":            {fields: `BEARER Realm="x", Resource_Metadata="AT"`},
		"quoted pairs":          {fields: `Bearer realm="a \"b\", Basic realm=\\", resource_metadata="https:\/\/` + agentHost + `/custom\/prm"`},
		"comma in a text":       {fields: `Bearer error_description="no token, or an old one", resource_metadata="AT"`},
		"equals in a text":      {fields: `Bearer realm="resource_metadata=https://evil.example", resource_metadata="AT"`},
		"empty elements":        {fields: `, ,Bearer realm="x",, , resource_metadata="AT",`},
		"after another":         {fields: `Basic realm="x", charset="UTF-8", Bearer resource_metadata="AT"`},
		"before another":        {fields: `Bearer resource_metadata="AT", Basic realm="x", resource_metadata="https://evil.example"`},
		"between others":        {fields: `Digest qop="auth, auth-int", nonce="a==", Bearer resource_metadata="AT", Negotiate`},
		"after a bare scheme":   {fields: `Negotiate, Bearer resource_metadata="AT"`},
		"after credentials":     {fields: `Negotiate YIIJ/vQ+dg-._~==, Bearer resource_metadata="AT"`},
		"after plain ones":      {fields: `NTLM TlRMTVNTUAAC, Bearer resource_metadata="AT"`},
		"in two fields":         {fields: "Basic realm=\"x\"\nBearer resource_metadata=\"AT\""},
		"over two fields":       {fields: "Bearer realm=\"x\"\nresource_metadata=\"AT\""},
		"a field that ends not": {fields: "Basic realm=\"x\nBearer resource_metadata=\"AT\""},
		"second Bearer":         {fields: `Bearer realm="x", Bearer resource_metadata="AT"`},
		"unquoted":              {fields: `Bearer realm=x, resource_metadata=AT`},
		"without a comma":       {fields: `Bearer realm="x" resource_metadata="AT"`},
		"a word too much":       {fields: `Bearer missing_token, resource_metadata="AT"`},
		"odd letters":           {fields: `Bearer @;:{}"x" realm="é", resource_metadata="AT"`},
		"with its scope":        {fields: `Bearer scope="only this", resource_metadata = "AT"`, scope: "only this"},
		"second scope":          {fields: `Bearer scope="", resource_metadata="AT", scope="only this"`, scope: "only this"},
		"long":                  {fields: `Bearer realm="` + strings.Repeat(`\x`, 8000) + `", resource_metadata="AT"`},

		"another scheme's":    {fields: `DPoP resource_metadata="AT"`, hidden: true},
		"of no scheme":        {fields: `resource_metadata="AT"`, hidden: true},
		"in a text":           {fields: `Bearer realm="x, resource_metadata=\"AT\""`, hidden: true},
		"in a stray text":     {fields: `Bearer "see resource_metadata=AT there"`, hidden: true},
		"unending":            {fields: `Bearer resource_metadata="AT`, hidden: true},
		"another name":        {fields: `Bearer x-resource_metadata="AT"`, hidden: true},
		"scheme with letters": {fields: `BearerX resource_metadata="AT"`, hidden: true},
		"endless":             {fields: "Bearer " + strings.Repeat("a,", 30000), hidden: true},
	}
	inWorld(t, func(w *world) {
		w.site.places = map[string]http.Handler{"/custom/prm": resourceDoc}
		for name, tt := range rows {
			w.Log(name)
			w.site.challenge = strings.ReplaceAll(tt.fields, "AT", at)
			if tt.hidden {
				_, err := w.tryBegin()
				w.want(err, agentauth.ReasonNoServer)
				continue
			}
			if tt.scope == "" {
				tt.scope = "read buy"
			}
			if got := w.begin().Query().Get("scope"); got != tt.scope {
				w.Errorf("the scope is %q", got)
			}
		}
		if w.web.times("GET evil.example") > 0 {
			w.Error("a place that is not the agent's word was asked")
		}
	})
}

// TestPointersInOrder: the places that an agent names are tried in their order, none twice.
func TestPointersInOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		w.site.places = map[string]http.Handler{}
		w.site.challenge = strings.ReplaceAll(`Bearer resource_metadata="AT/1", resource_metadata="AT/2", Basic realm="x"
Bearer resource_metadata="AT/3"`, "AT", "https://"+agentHost)
		for _, at := range []string{"/3", "/2", "/1"} {
			w.site.places[at], w.web.asked = resourceDoc, nil
			w.begin()
			if w.web.times("GET "+agentHost+at) != 1 || w.web.times("GET "+agentHost) > int(at[1]-'0') {
				w.Errorf("%s: %q", at, w.web.asked)
			}
		}
		w.site.challenge, w.web.asked = `Bearer resource_metadata="https://`+agentHost+insertedPath+`"`, nil
		w.site.places = map[string]http.Handler{insertedPath: answer(502, "text/plain", "CANARY"), rootPath: resourceDoc}
		if w.begin(); w.web.times("GET "+agentHost+insertedPath) != 2 { // with a slash and without
			w.Errorf("asked: %q", w.web.asked)
		}
	})
}

// TestRequestsAreBounded: of the hundred places and servers that an agent names, only some are
// asked.
func TestRequestsAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		const at = "https://" + agentHost + "/mcp?tenant=alpha"
		w.moveTo(at, rootPath)
		var servers []string
		for i := range 100 {
			w.site.challenge += fmt.Sprintf(`Bearer resource_metadata="https://%s/no/%d", `, agentHost, i)
			servers = append(servers, fmt.Sprintf("%s/t/%d", issuer, i))
		}
		w.site.places[rootPath] = resourceDoc.with("resource", at).with("authorization_servers", servers)
		_, err := w.tryBegin()
		if w.want(err, agentauth.ReasonNoServer); len(w.web.asked) != 1+4+6+4*6 {
			w.Errorf("%d requests", len(w.web.asked))
		}
	})
}
