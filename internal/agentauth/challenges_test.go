package agentauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"esagate/internal/agentauth"
)

// TestChallenges has each form in which a challenge may name the metadata, which stand
// nowhere else.
func TestChallenges(t *testing.T) {
	const at = "https://" + agentHost + "/custom/prm"
	rows := map[string]struct {
		fields string // one a line
		hidden bool   // the metadata are not named
		scope  string // found: other than the metadata's
	}{
		"as usual":              {fields: `Bearer realm="agents", resource_metadata="` + at + `"`},
		"empty text":            {fields: `Bearer realm="", resource_metadata="` + at + `"`},
		"empty text after":      {fields: `Bearer resource_metadata="` + at + `", error=""`},
		"blanks around =":       {fields: `Bearer realm="agents", resource_metadata = "` + at + `"`},
		"tabs around =":         {fields: "Bearer realm\t=\t\"agents\" ,\tresource_metadata \t= \"" + at + "\""},
		"first and blanks":      {fields: `Bearer   resource_metadata= "` + at + `"`},
		"no blanks":             {fields: `Bearer realm="agents",resource_metadata="` + at + `"`},
		"token as value":        {fields: `Bearer realm=agents, resource_metadata="` + at + `"`},
		"other case":            {fields: `BEARER Realm="x", Resource_Metadata="` + at + `"`},
		"quoted pairs":          {fields: `Bearer realm="a \"b\", Basic realm=\\", resource_metadata="https:\/\/` + agentHost + `/custom\/prm"`},
		"comma in a text":       {fields: `Bearer error_description="no token, or an old one", resource_metadata="` + at + `"`},
		"equals in a text":      {fields: `Bearer realm="resource_metadata=https://evil.example", resource_metadata="` + at + `"`},
		"empty elements":        {fields: `, ,Bearer realm="x",, , resource_metadata="` + at + `",`},
		"after another":         {fields: `Basic realm="x", charset="UTF-8", Bearer resource_metadata="` + at + `"`},
		"before another":        {fields: `Bearer resource_metadata="` + at + `", Basic realm="x", resource_metadata="https://evil.example"`},
		"between others":        {fields: `Digest qop="auth, auth-int", nonce="a==", Bearer resource_metadata="` + at + `", Negotiate`},
		"after a bare scheme":   {fields: `Negotiate, Bearer resource_metadata="` + at + `"`},
		"after credentials":     {fields: `Negotiate YIIJ/vQ+dg-._~==, Bearer resource_metadata="` + at + `"`},
		"after plain ones":      {fields: `NTLM TlRMTVNTUAAC, Bearer resource_metadata="` + at + `"`},
		"in two fields":         {fields: "Basic realm=\"x\"\nBearer resource_metadata=\"" + at + "\""},
		"over two fields":       {fields: "Bearer realm=\"x\"\nresource_metadata=\"" + at + "\""},
		"a field that ends not": {fields: "Basic realm=\"x\nBearer resource_metadata=\"" + at + "\""},
		"second Bearer":         {fields: `Bearer realm="x", Bearer resource_metadata="` + at + `"`},
		"unquoted":              {fields: `Bearer realm=x, resource_metadata=` + at},
		"without a comma":       {fields: `Bearer realm="x" resource_metadata="` + at + `"`},
		"a word too much":       {fields: `Bearer missing_token, resource_metadata="` + at + `"`},
		"odd letters":           {fields: `Bearer @;:{}"x" realm="é", resource_metadata="` + at + `"`},
		"with its scope":        {fields: `Bearer scope="only this", resource_metadata = "` + at + `"`, scope: "only this"},
		"second scope":          {fields: `Bearer scope="", resource_metadata="` + at + `", scope="only this"`, scope: "only this"},
		"long":                  {fields: `Bearer realm="` + strings.Repeat(`\x`, 8000) + `", resource_metadata="` + at + `"`},

		"another scheme's":    {fields: `DPoP resource_metadata="` + at + `"`, hidden: true},
		"of no scheme":        {fields: `resource_metadata="` + at + `"`, hidden: true},
		"in a text":           {fields: `Bearer realm="x, resource_metadata=\"` + at + `\""`, hidden: true},
		"in a stray text":     {fields: `Bearer "see resource_metadata=` + at + ` there"`, hidden: true},
		"unending":            {fields: `Bearer resource_metadata="` + at, hidden: true},
		"another name":        {fields: `Bearer x-resource_metadata="` + at + `"`, hidden: true},
		"scheme with letters": {fields: `BearerX resource_metadata="` + at + `"`, hidden: true},
		"endless":             {fields: "Bearer " + strings.Repeat("a,", 30000), hidden: true},
	}
	inWorld(t, func(w *world) {
		w.site.places = map[string]http.Handler{"/custom/prm": resourceDoc}
		for name, tt := range rows {
			w.Log(name)
			w.site.challenge = tt.fields
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

// TestPointersInOrder: all that an agent names are tried, in their order, and none twice.
func TestPointersInOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		w.site.places = map[string]http.Handler{}
		w.site.challenge = "Bearer resource_metadata=\"https://" + agentHost + "/1\", resource_metadata=\"https://" + agentHost +
			"/2\", Basic realm=\"x\"\nBearer resource_metadata=\"https://" + agentHost + "/3\""
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

// TestRequestsAreBounded: an agent that names a hundred places and servers, the servers in
// two documents, has some asked, and none twice.
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
