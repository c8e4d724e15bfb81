package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// Where people come back to, and what the client is known by.
const (
	redirectURI  = "https://gateway.example/ops/callback"
	clientSecret = "secret of +the client/" + canary
)

type revealed string

func (s revealed) Reveal() string { return string(s) }

// front is the part of an issuer at which people sign in: it is strict.
type front struct {
	codes    map[string]url.Values // by code: what was asked for it
	secret   string                // of the client; empty: a public one
	inBody   bool                  // it is not taken from a header
	answer   func(w http.ResponseWriter)
	gives    string // the access token; empty: a good one
	location string // where the token endpoint sends who asks it
	last     url.Values
}

func (p *idp) discoveryDocument() string {
	doc := map[string]any{"issuer": p.issuer, "jwks_uri": p.issuer + "/keys", "x": canary,
		"authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token",
		"response_types_supported": []string{"code", "id_token"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
	}
	maps.Copy(doc, p.metadata)
	maps.DeleteFunc(doc, func(_ string, v any) bool { return v == nil })
	return string(must(json.Marshal(doc)))
}

// consent plays a browser at the issuer, and gives the query that it is sent back with.
func (p *idp) consent(t testing.TB, address string) url.Values {
	t.Helper()
	u := must(url.Parse(address))
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "ops pages", "redirect_uri": redirectURI, "code_challenge_method": "S256",
	} {
		if !slices.Equal(q[name], []string{want}) {
			t.Errorf("%s is %q, want %q", name, q[name], want)
		}
	}
	if at := u.Scheme + "://" + u.Host + u.Path; at != p.issuer+"/authorize" {
		t.Errorf("signing in is at %s", at)
	}
	if len(q.Get("state")) < 43 || len(q.Get("code_challenge")) != 43 {
		t.Errorf("too short: %s", address)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codes == nil {
		p.codes = map[string]url.Values{}
	}
	code := fmt.Sprintf("code/%s+%d", canary, len(p.codes))
	p.codes[code] = q
	return url.Values{"state": {q.Get("state")}, "code": {code}}
}

// exchange is the token endpoint.
func (p *idp) exchange(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	p.last = form
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	asked, known := p.codes[form.Get("code")]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	w.Header().Set("Content-Type", "application/json")
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error": %q, "error_description": "%s"}`, code, canary)
	}
	switch {
	case p.location != "":
		http.Redirect(w, r, p.location, http.StatusTemporaryRedirect)
	case p.answer != nil:
		p.answer(w)
	case err != nil, r.Method != http.MethodPost, r.Header.Get("Content-Type") != "application/x-www-form-urlencoded",
		form.Get("grant_type") != "authorization_code", r.URL.RawQuery != "":
		refuse(400, "invalid_request")
	case id != "ops pages", secret != p.secret, basic && (p.inBody || p.secret == ""):
		refuse(401, "invalid_client")
	case !known, base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"), form.Get("redirect_uri") != redirectURI:
		refuse(400, "invalid_grant")
	default:
		delete(p.codes, form.Get("code"))
		token := p.gives
		if token == "" {
			token = p.token()
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 3600,
			"id_token": "of no interest " + canary, "refresh_token": canary})
	}
}
