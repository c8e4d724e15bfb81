package agentauth_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"esagate/internal/agentauth"
)

// TestUnwellPlaces has each way in which a place can fail: the places after it are still read,
// and if all fail, the error is that of the first.
func TestUnwellPlaces(t *testing.T) {
	type kind struct {
		what   http.Handler
		reason agentauth.Reason // if all places are so
	}
	anywhere := map[string]kind{
		"500":                {answer(500, js, `{"error":"CANARY"}`), agentauth.ReasonAway},
		"429":                {answer(429, "text/plain", "CANARY"), agentauth.ReasonAway},
		"hangs":              {http.HandlerFunc(hang), agentauth.ReasonAway},
		"breaks off":         {http.HandlerFunc(breakOff), agentauth.ReasonAway},
		"404":                {http.NotFoundHandler(), agentauth.ReasonNoServer},
		"nothing":            {answer(204, "", ""), agentauth.ReasonNoServer},
		"HTML":               {answer(200, "text/html", "<p>CANARY"), agentauth.ReasonNoServer},
		"text":               {answer(200, "text/plain", "CANARY"), agentauth.ReasonNoServer},
		"a list in JSON":     {answer(200, js, `["CANARY"]`), agentauth.ReasonMetadata},
		"null":               {answer(200, js, `null`), agentauth.ReasonMetadata},
		"no JSON":            {answer(200, js, "CANARY"), agentauth.ReasonMetadata},
		"JSON cut short":     {answer(200, js, `{"resource":"`+endpoint+`","issuer":"`+issuer), agentauth.ReasonMetadata},
		"redirect to nobody": {http.RedirectHandler("https://gone.example/meta", http.StatusFound), agentauth.ReasonAway},
		"redirect elsewhere": {http.RedirectHandler("https://evil.example/meta", http.StatusFound), agentauth.ReasonNoServer},
	}
	with := func(more map[string]kind) map[string]kind {
		maps.Copy(more, anywhere)
		return more
	}
	agents := with(map[string]kind{
		"another's resource":  {resourceDoc.with("resource", "https://bank.example/v1/mcp"), agentauth.ReasonMismatch},
		"neighbour's":         {resourceDoc.with("resource", endpoint+"-other"), agentauth.ReasonMismatch},
		"resource over http":  {resourceDoc.with("resource", "http://"+agentHost+"/v1/mcp"), agentauth.ReasonAddress},
		"resource of a type":  {resourceDoc.with("resource", 5), agentauth.ReasonMetadata},
		"metadata of another": {serverDoc, agentauth.ReasonMetadata},
		"server that is away": {resourceDoc.with("authorization_servers", "https://gone.example"), agentauth.ReasonAway},
		"servers over http":   {resourceDoc.with("authorization_servers", []string{"http://" + loginHost, "http://gone.example"}), agentauth.ReasonAddress},
		"server of no kind":   {resourceDoc.with("authorization_servers", "https://evil.example"), agentauth.ReasonMetadata},
	})
	servers := with(map[string]kind{
		"another's issuer": {serverDoc.with("issuer", "https://bank.example"), agentauth.ReasonMismatch},
		"page elsewhere":   {serverDoc.with("authorization_endpoint", "https://bank.example/authorize"), agentauth.ReasonMismatch},
		"no tokens":        {serverDoc.with("token_endpoint", nil), agentauth.ReasonMetadata},
		"plain challenges": {serverDoc.with("code_challenge_methods_supported", []string{"plain"}), agentauth.ReasonNoPKCE},
		"no codes":         {serverDoc.with("response_types_supported", "token"), agentauth.ReasonUnsupported},
	})
	inWorld(t, func(w *world) {
		try := func(name string, k kind, good document, places ...string) {
			w.next(name + " at " + places[0])
			w.web.hosts["evil.example"] = resourceDoc
			w.site.challenge = `Bearer resource_metadata="https://` + agentHost + `/meta"`
			bend := func(at string, h http.Handler) {
				if at == serverPath || at == openIDPath {
					w.as.override[at] = h
				} else {
					w.site.places[at] = h
				}
			}
			for _, at := range places {
				bend(at, good)
			}
			for i, at := range places {
				w.Logf("with those up to %s", at)
				bend(at, k.what)
				if i < len(places)-1 {
					w.begin()
					continue
				}
				_, err := w.tryBegin()
				w.want(err, k.reason)
			}
		}
		for name, k := range agents {
			try(name, k, resourceDoc, "/meta", insertedPath, insertedPath+"/", rootPath)
		}
		for name, k := range servers {
			try(name, k, serverDoc, serverPath, openIDPath)
		}
	})
}

// TestManyPlacesHang: those after them still get their time.
func TestManyPlacesHang(t *testing.T) {
	const slow = "https://" + agentHost + "/v1/mcp?tenant=alpha"
	inWorld(t, func(w *world) {
		w.moveTo(slow, rootPath)
		w.site.challenge = `Bearer resource_metadata="https://` + agentHost + `/meta"`
		for _, at := range []string{"/v1/mcp", "/meta", insertedPath, insertedPath + "/"} {
			w.site.places[at] = http.HandlerFunc(hang)
		}
		w.as.override[serverPath], w.as.override[openIDPath] = http.HandlerFunc(hang), serverDoc
		w.begin()
	})
}

// moveTo moves the agent to another endpoint, with its metadata at one place only.
func (w *world) moveTo(endpointURL, place string) {
	u, err := url.Parse(endpointURL)
	w.must(err)
	w.site.endpoint = u.Path
	w.site.places = map[string]http.Handler{place: resourceDoc.with("resource", endpointURL)}
	w.source = w.create(fmt.Sprintf("moved-%d", len(w.web.asked)), endpointURL)
}

// TestPlaceOfAnEndpoint: path and query are inserted, and one slash may be there or not.
func TestPlaceOfAnEndpoint(t *testing.T) {
	table := []struct{ path, place string }{
		{"/mcp?tenant=alpha", rootPath + "/mcp?tenant=alpha"},
		{"/mcp?tenant=alpha", rootPath + "/mcp/?tenant=alpha"},
		{"/mcp?tenant=alpha", rootPath + "/mcp"},
		{"/mcp?tenant=alpha", rootPath + "/mcp/"},
		{"/mcp?tenant=alpha", rootPath},
		{"/mcp?tenant=alpha", rootPath + "?tenant=alpha"},
		{"/mcp?a=%20%2F&a=b&c", rootPath + "/mcp?a=%20%2F&a=b&c"},
		{"/a%2Fb/mcp", rootPath + "/a%2Fb/mcp"},
		{"/mcp/", rootPath + "/mcp/"},
		{"/mcp/", rootPath + "/mcp"},
		{"/mcp/", rootPath},
		{"/mcp/?tenant=alpha", rootPath + "/mcp/?tenant=alpha"},
		{"/mcp/?tenant=alpha", rootPath + "/mcp?tenant=alpha"},
		{"/mcp", rootPath + "/mcp/"},
		{"/", rootPath},
		{"/", rootPath + "/"},
		{"", rootPath},
		{"?tenant=alpha", rootPath + "?tenant=alpha"},
		{"/?tenant=alpha", rootPath + "?tenant=alpha"},
		{"/?tenant=alpha", rootPath},
	}
	inWorld(t, func(w *world) {
		for _, tt := range table {
			w.Logf("%s at %s", tt.path, tt.place)
			w.moveTo("https://"+agentHost+tt.path, tt.place)
			if got := w.begin().Query().Get("resource"); got != "https://"+agentHost+tt.path {
				w.Errorf("the resource is %q", got)
			}
		}
		// The more exact place counts.
		w.moveTo("https://"+agentHost+"/mcp/?tenant=alpha", rootPath+"/mcp/?tenant=alpha")
		for _, at := range []string{"/mcp?tenant=alpha", "/mcp/", "/mcp", ""} {
			w.site.places[rootPath+at] = resourceDoc.with("resource", "https://"+agentHost)
		}
		if got := w.begin().Query().Get("resource"); !strings.HasSuffix(got, "?tenant=alpha") {
			w.Errorf("the resource is %q", got)
		}
	})
}

// TestPlacesOfAServer: with the issuer's path inserted or appended, with a slash or not.
func TestPlacesOfAServer(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, named := range []string{issuer + "/t/9", issuer + "/t/9/"} {
			for _, place := range []string{
				serverPath + "/t/9", openIDPath + "/t/9", "/t/9" + openIDPath, "/t/9" + serverPath, serverPath + "/t/9/", openIDPath + "/t/9/",
			} {
				w.Logf("%s at %s", named, place)
				clear(w.as.override)
				w.tenantIssuer(place)
				w.site.places[insertedPath] = resourceDoc.with("authorization_servers", []string{named})
				w.begin()
			}
		}
	})
}

// TestPointers: those that can't be followed do not hide the well-known places, and unsafe
// ones are never asked.
func TestPointers(t *testing.T) {
	const good = "https://" + agentHost + "/meta"
	named := func(pointers ...string) string {
		return `Bearer resource_metadata="` + strings.Join(pointers, `", resource_metadata="`) + `"`
	}
	table := map[string]struct {
		challenge string
		reason    agentauth.Reason // if nothing stands at the well-known places
	}{
		"http":              {named("http://" + agentHost + insertedPath), agentauth.ReasonAddress},
		"a private address": {named("https://169.254.169.254/latest"), agentauth.ReasonAddress},
		"a path":            {named("/meta"), agentauth.ReasonAddress},
		"no address":        {named("CANARY"), agentauth.ReasonAddress},
		"nothing":           {named(""), agentauth.ReasonNoServer},
		"404":               {named("https://" + agentHost + "/nothing"), agentauth.ReasonNoServer},
		"502":               {named("https://" + agentHost + "/ill"), agentauth.ReasonAway},
		"a host that isn't": {named("https://gone.example/meta"), agentauth.ReasonAway},
		"many":              {named("http://a.example", "https://10.0.0.1", "https://"+agentHost+"/nothing"), agentauth.ReasonAddress},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			find := func(at, challenge string) (string, error) {
				w.Logf("found at %q", at)
				w.site.challenge = challenge
				w.site.places = map[string]http.Handler{at: resourceDoc, "/ill": answer(502, "text/plain", "CANARY")}
				return w.tryBegin()
			}
			for _, at := range []string{insertedPath, rootPath} {
				if u, err := find(at, tt.challenge); u == "" {
					w.Error(err)
				}
			}
			if u, err := find("/meta", tt.challenge+`, resource_metadata="`+good+`"`); u == "" {
				w.Error(err)
			}
			_, err := find("", tt.challenge)
			w.want(err, tt.reason)
		}
	})
}

// TestProbeThatFails: the metadata of an agent that does not answer are read nonetheless.
func TestProbeThatFails(t *testing.T) {
	for name, h := range map[string]http.Handler{
		"hangs": http.HandlerFunc(hang), "breaks off": http.HandlerFunc(breakOff), "503": answer(503, "text/plain", "CANARY"),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.site.places["/v1/mcp"] = h
				w.begin()
				w.site.places = map[string]http.Handler{"/v1/mcp": h}
				_, err := w.tryBegin()
				w.want(err, agentauth.ReasonAway)
			})
		})
	}
}
