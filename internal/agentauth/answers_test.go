package agentauth_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/internal/agentauth"
)

const (
	js  = "application/json"
	bom = "\ufeff"
)

// TestRegistrationAnswers has the answers of real registration endpoints, with odd values where
// nobody needs them.
func TestRegistrationAnswers(t *testing.T) {
	table := map[string]struct {
		body  string
		basic time.Duration // with a secret, which is good for that long; -1: for good
	}{
		"keys":                  {body: `{"client_id":"c-17","redirect_uris":["` + redirectURI + `"],"jwks":{"keys":[]}}`},
		"a fraction":            {body: `{"client_id":"c-17","client_id_issued_at":1777708800.25,"token_endpoint_auth_method":"none"}`},
		"times as text":         {body: `{"client_id":"c-17","client_id_issued_at":"2026-05-01T00:00:00Z","client_secret_expires_at":"0"}`},
		"scopes as a list":      {body: `{"client_id":"c-17","scope":["read","buy"],"contacts":"ops@example.com","logo_uri":"data:,x"}`},
		"one redirect":          {body: `{"client_id":"c-17","redirect_uris":"` + redirectURI + `"}`},
		"redirects of no kind":  {body: `{"client_id":"c-17","redirect_uris":{},"token_endpoint_auth_method":null,"client_secret":null}`},
		"odd all over":          {body: `{"client_name":5,"grant_types":{},"response_types":"code","client_uri":[],"a":{"b":1,"b":2},"a":0,"client_id":"c-17"}`},
		"secret's end in text":  {body: `{"client_id":"c-17","client_secret":"CANARY","client_secret_expires_at":"@"}`, basic: time.Hour},
		"secret's end, a point": {body: `{"client_id":"c-17","client_secret":"CANARY","client_secret_expires_at":@.0}`, basic: time.Hour},
		"secret for good":       {body: `{"client_id":"c-17","client_secret":"CANARY","client_secret_expires_at":0.0}`, basic: -1},
		"secret, no end":        {body: `{"client_id":"c-17","client_secret":"CANARY","client_secret_expires_at":null}`, basic: -1},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			end := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
			w.as.override["/register"] = answer(200, "text/plain", strings.ReplaceAll(tt.body, "@", end))
			at := w.begin()
			if at.Query().Get("client_id") != "c-17" {
				w.Errorf("the client is %q", at.Query().Get("client_id"))
			}
			w.replies(answer(200, js, `{"access_token":"CANARY-a","token_type":"Bearer"}`))
			w.must(w.end(url.Values{"state": at.Query()["state"], "code": {"CANARY-code"}}))
			c := w.held().Client
			want := "none"
			if tt.basic != 0 {
				want = "client_secret_basic"
			}
			if c.AuthMethod != want {
				w.Errorf("the method is %q", c.AuthMethod)
			}
			left := time.Until(c.SecretExpires)
			if tt.basic > 0 && left != tt.basic || tt.basic <= 0 && !c.SecretExpires.IsZero() {
				w.Errorf("the secret ends at %v", c.SecretExpires)
			}
		}
	})
}

// TestTokenAnswers has the answers of real token endpoints, for a code and for a refresh.
func TestTokenAnswers(t *testing.T) {
	const fields = `"access_token":"CANARY-a","token_type":"Bearer","refresh_token":"CANARY-r"`
	in := func(expiry string) string { return `{` + fields + `,"expires_in":` + expiry + `}` }
	table := map[string]struct {
		kind, body string
		life       time.Duration // 0: for good
	}{
		"text":             {"text/plain", in("3600"), time.Hour},
		"a form's type":    {"application/x-www-form-urlencoded", in("3600"), time.Hour},
		"no type":          {"", in("3600"), time.Hour},
		"a type of none":   {"json;;", in("3600"), time.Hour},
		"mark, as text":    {"text/plain", bom + "\r\n" + in("3600") + "\n", time.Hour},
		"fraction":         {js, in("3600.0"), time.Hour},
		"part of a second": {js, in("1800.5"), 1800*time.Second + 500*time.Millisecond},
		"text of a number": {js, in(`"3600"`), time.Hour},
		"text of a power":  {js, in(`"3.6E3"`), time.Hour},
		"empty text":       {js, in(`""`), 0},
		"null":             {js, in("null"), 0},
		"endless":          {js, in("1e17"), 1 << 33 * time.Second},
		"zero":             {js, in("0"), 0},
		"no expiry":        {js, `{` + fields + `}`, 0},
		"no type of token": {js, `{"access_token":"CANARY-a","refresh_token":"CANARY-r","expires_in":3600}`, time.Hour},
		"a null type":      {js, `{"access_token":"CANARY-a","token_type":null,"refresh_token":"CANARY-r","expires_in":3600}`, time.Hour},
		"scopes as a list": {js, `{` + fields + `,"scope":["read","buy"],"expires_in":3600}`, time.Hour},
		"odd all over":     {js, `{"scope":5,"id_token":{"a":1,"a":2},"a":[],"a":0,"error":null,` + fields + `,"expires_in":3600}`, time.Hour},
		"other letters":    {js, "{\"note\":\"caf\xe9\"," + fields + ",\"expires_in\":3600}", time.Hour},
		"form, as text":    {"text/plain", "access_token=CANARY-a&token_type=bearer&expires_in=3600.0&refresh_token=CANARY-r\r\n", time.Hour},
		"form, as JSON":    {js, "access_token=CANARY-a&token_type=bearer&refresh_token=CANARY-r&expires_in=", 0},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			check := func(door string) {
				held := w.held()
				if held == nil || held.AccessToken != "CANARY-a" || held.RefreshToken != "CANARY-r" {
					w.Fatalf("%s: the tokens are not stored as they were given", door)
				}
				if tt.life == 0 && !held.ExpiresAt.IsZero() || tt.life > 0 && time.Until(held.ExpiresAt) != tt.life {
					w.Errorf("%s: it expires at %v", door, held.ExpiresAt)
				}
			}
			back := w.browse(w.begin())
			w.replies(answer(200, tt.kind, tt.body))
			w.must(w.end(back))
			check("code")

			delete(w.as.override, "/token")
			w.connect()
			time.Sleep(2 * time.Hour)
			w.replies(answer(200, tt.kind, tt.body))
			w.tokenIs(w.agents, "CANARY-a")
			check("refresh")
		}
	})
}

// TestRefusalsInAnyForm: an error is read in the same forms as tokens are.
func TestRefusalsInAnyForm(t *testing.T) {
	const no = `{"error":"invalid_grant","error_description":"CANARY"}`
	table := map[string]http.Handler{
		"text":        answer(400, "text/plain", no),
		"odd members": answer(400, js, `{"error":"invalid_grant","error_description":{"CANARY":1},"error_uri":5,"expires_in":"soon"}`),
		"with a 200":  answer(200, "text/plain", no),
		"form":        answer(400, "application/x-www-form-urlencoded", "error=invalid_grant&error_description=CANARY"),
	}
	inWorld(t, func(w *world) {
		for name, refusal := range table {
			w.next(name)
			back := w.browse(w.begin())
			w.replies(refusal)
			err := w.end(back)
			w.want(err, agentauth.ReasonRefused)
			if e, _ := err.(*agentauth.Error); e.Code != "invalid_grant" {
				w.Errorf("the code is %q", e.Code)
			}
			delete(w.as.override, "/token")
			w.connect()
			time.Sleep(2 * time.Hour)
			w.replies(refusal)
			w.tokenFails(w.agents, agentauth.ReasonConsentDue)
			if w.held() != nil {
				w.Error("what is void is still there")
			}
		}
	})
}

// TestListsOfOne: a list that a server writes as one string counts as the list.
func TestListsOfOne(t *testing.T) {
	const iss = "authorization_response_iss_parameter_supported"
	elsewhere := serverDoc.with("authorization_endpoint", "https://id.example.net/authorize")
	table := map[string]struct {
		bend   func(*world)
		reason agentauth.Reason // "": found
		scope  string           // found: other than "read buy"
	}{
		"grant":                 {bend: says("grant_types_supported", "authorization_code")},
		"two grants":            {bend: says("grant_types_supported", "authorization_code refresh_token")},
		"another grant":         {bend: says("grant_types_supported", "client_credentials"), reason: agentauth.ReasonUnsupported},
		"two challenge methods": {bend: says("code_challenge_methods_supported", "plain, S256")},
		"challenge method":      {bend: says("code_challenge_methods_supported", "S256")},
		"plain challenges":      {bend: says("code_challenge_methods_supported", "plain"), reason: agentauth.ReasonNoPKCE},
		"challenges of nothing": {bend: says("code_challenge_methods_supported", ""), reason: agentauth.ReasonNoPKCE},
		"challenges of no kind": {bend: says("code_challenge_methods_supported", map[string]any{"S256": true}), reason: agentauth.ReasonNoPKCE},
		"elements of all kinds": {bend: says("code_challenge_methods_supported", []any{nil, 5, []string{"plain"}, "S256"})},
		"response type":         {bend: says("response_types_supported", "code")},
		"method":                {bend: says("token_endpoint_auth_methods_supported", "none")},
		"unread members":        {bend: says("ui_locales_supported", map[string]any{"en": 5})},
		"server":                {bend: doc("authorization_servers", issuer)},
		"scope":                 {bend: doc("scopes_supported", "read"), scope: "read"},
		"scopes":                {bend: doc("scopes_supported", "read buy")},
		"scopes of all kinds":   {bend: doc("scopes_supported", []any{nil, 5, "", []string{"buy"}, "read"}), scope: "read"},
		"scopes of no kind":     {bend: doc("scopes_supported", map[string]any{"read": "CANARY"}), scope: "-"},
		"iss as a text":         {bend: func(w *world) { w.as.doc = elsewhere.with(iss, "true") }},
		"iss as another text":   {bend: func(w *world) { w.as.doc = elsewhere.with(iss, "no") }, reason: agentauth.ReasonMismatch},
		"as text": {bend: func(w *world) {
			w.site.places[insertedPath] = answer(200, "text/plain",
				`{"resource":"`+endpoint+`","authorization_servers":["`+issuer+`"],"scopes_supported":["read","buy"]}`)
		}},
		"byte order mark": {bend: func(w *world) {
			w.site.places[insertedPath] = answer(200, js, bom+`{"resource":"`+endpoint+`","authorization_servers":"`+issuer+
				`","resource_name":"caf`+"\xe9"+`","scopes_supported":["read","buy"]}`)
		}},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			tt.bend(w)
			if tt.reason != "" {
				_, err := w.tryBegin()
				w.want(err, tt.reason)
				continue
			}
			want := "read buy"
			if tt.scope != "" {
				want = strings.Trim(tt.scope, "-")
			}
			if got := w.begin().Query().Get("scope"); got != want {
				w.Errorf("the scope is %q", got)
			}
		}
	})
}

// TestQueryOfTheAuthorizationEndpoint: it is kept, and no parameter is sent twice.
func TestQueryOfTheAuthorizationEndpoint(t *testing.T) {
	table := []struct {
		query           string
		audience, scope bool // we send one
		refused         bool
	}{
		{query: "audience=urn:acme:api"},
		{query: "audience=urn:acme:api", scope: true},
		{query: "audience=urn:acme:api", audience: true, refused: true},
		{query: "audience=", audience: true, refused: true},
		{query: "aud%69ence=x", audience: true, refused: true},
		{query: "scope=offline_access"},
		{query: "scope=offline_access", audience: true},
		{query: "scope=offline_access", scope: true, refused: true},
		{query: "audience=a&scope=b&prompt=consent"},
		{query: "audience=a&scope=b", scope: true, refused: true},
		{query: "prompt=consent", audience: true, scope: true},
		{query: "Audience=a", audience: true},
		{query: "", audience: true, scope: true},
		{query: "client_id=c", refused: true},
		{query: "redirect_uri=https://evil.example", refused: true},
		{query: "state=1", refused: true},
		{query: "code_challenge=c", refused: true},
		{query: "code_challenge_method=plain", refused: true},
		{query: "response_type=token", refused: true},
		{query: "resource=https://bank.example", refused: true},
	}
	inWorld(t, func(w *world) {
		for _, tt := range table {
			w.next(tt.query)
			w.as.doc = serverDoc.with("authorization_endpoint", issuer+"/authorize?"+tt.query)
			if tt.audience {
				w.source.Agent.OAuthAudience = "https://api.example.com/ads"
			}
			if !tt.scope {
				w.site.places[insertedPath] = resourceDoc.with("scopes_supported", nil)
			}
			if tt.refused {
				_, err := w.tryBegin()
				if w.want(err, agentauth.ReasonMetadata); w.registrations() > 0 {
					w.Error("a client was registered all the same")
				}
				continue
			}
			got := w.begin()
			if tt.query != "" && !strings.HasPrefix(got.RawQuery, tt.query+"&") {
				w.Errorf("%q became %q", tt.query, got.RawQuery)
			}
			for name, values := range got.Query() {
				if len(values) != 1 {
					w.Errorf("%s is there %d times", name, len(values))
				}
			}
		}
	})
}

// TestAuthorizationURLIsEscaped: nothing of the endpoint's own path and query ends a string or a tag of a page that
// shows the address, and its escapes stay as they are.
func TestAuthorizationURLIsEscaped(t *testing.T) {
	inWorld(t, func(w *world) {
		for at, want := range map[string]string{
			`/authorize"x'y<z>\\` + "`" + `^|?a="><script>alert('1')</script>&b=%zz&c=%41%2f{}[]&d=ü`: `/authorize%22x%27y%3Cz%3E%5C%5C%60%5E%7C?` +
				`a=%22%3E%3Cscript%3Ealert(%271%27)%3C/script%3E&b=%25zz&c=%41%2f%7B%7D%5B%5D&d=%C3%BC&`,
			"/a%2Fb//authorize?":      "/a%2Fb//authorize?",
			"/authorize?x=1&x;y=:@/?": "/authorize?x=1&x;y=:@/?&",
		} {
			w.next(at)
			w.as.doc = serverDoc.with("authorization_endpoint", issuer+at)
			got, err := w.tryBegin()
			if err != nil || !strings.HasPrefix(got, issuer+want) || strings.ContainsAny(got, "\"'<>\\`^|{} ") {
				w.Errorf("%s became %s, %v; want %s", at, got, err, want)
			}
		}
	})
}

// TestAuthorizationURLHasAPlainHost: a host that is not ASCII gets its ASCII form, and any other that may be asked stays.
func TestAuthorizationURLHasAPlainHost(t *testing.T) {
	inWorld(t, func(w *world) {
		for host, want := range map[string]string{
			"b\u00fccher.example:8443": "xn--bcher-kva.example:8443", "my_tenant.login.example": "my_tenant.login.example", "ab--c.example:444": "ab--c.example:444",
		} {
			w.next(host)
			w.as.doc = serverDoc.with("authorization_endpoint", "https://"+host+"/authorize").with("authorization_response_iss_parameter_supported", true)
			if got, err := w.tryBegin(); err != nil || !strings.HasPrefix(got, "https://"+want+"/authorize?") {
				w.Errorf("%s became %s, %v", host, got, err)
			}
		}
	})
}

// TestWordsOfAServer: what a server names is taken over only if it is made of letters, digits and plain signs.
func TestWordsOfAServer(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, value := range map[string]string{
			"token_endpoint": issuer + "/a/../token", "registration_endpoint": issuer + `/register"x`,
		} {
			w.next(name)
			w.as.doc = serverDoc.with(name, value)
			_, err := w.tryBegin()
			w.want(err, agentauth.ReasonAddress)
		}
		w.next("resource")
		w.site.places[insertedPath] = resourceDoc.with("resource", "https://"+agentHost+"/%2e%2e/mcp")
		_, err := w.tryBegin()
		w.want(err, agentauth.ReasonAddress)
	})
}
