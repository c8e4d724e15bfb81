package agentauth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// authServer is an authorization server that registers clients and holds every request
// against what it was told before: RFC 6749, 7591, 7636 (S256 alone) and 8707.
type authServer struct {
	mu       sync.Mutex
	doc      document
	clients  map[string]client // by id
	grants   map[string]grant  // by code or refresh token; each is good once
	secrets  []string          // whatever must never show
	requests []tokenRequest

	life     time.Duration // of access tokens
	denies   string        // the error code that every browser comes back with; empty: none
	expires  int64         // client_secret_expires_at
	override map[string]http.Handler
}

type client struct{ redirect, method, secret string }

type grant struct{ client, redirect, challenge, resource string }

type tokenRequest struct {
	header http.Header
	form   url.Values
}

var serverDoc = document{
	"issuer": issuer, "authorization_endpoint": issuer + "/authorize?tenant=t-7", "token_endpoint": issuer + "/token",
	"registration_endpoint": issuer + "/register", "response_types_supported": []string{"code"},
	"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
	"token_endpoint_auth_methods_supported": []string{"none", "client_secret_basic", "client_secret_post"},
	"code_challenge_methods_supported":      []string{"S256"}, "extra": "ignored",
}

func newAuthServer() *authServer {
	return &authServer{
		doc: serverDoc, clients: map[string]client{}, grants: map[string]grant{}, life: time.Hour, override: map[string]http.Handler{},
	}
}

func (as *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		as.note(r)
	}
	if h := as.override[r.URL.Path]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case serverPath:
		as.doc.ServeHTTP(w, r)
	case "/register":
		as.register(w, r)
	case "/authorize":
		as.authorize(w, r)
	case "/token":
		as.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (as *authServer) register(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		RedirectURIs []string `json:"redirect_uris"`
		Method       string   `json:"token_endpoint_auth_method"`
		Grants       []string `json:"grant_types"`
		Name         string   `json:"client_name"`
		Responses    []string `json:"response_types"`
		Scope        *string  `json:"scope"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.RedirectURIs) != 1 || asked.Name != "esagate" ||
		!slices.Equal(asked.Responses, []string{"code"}) || asked.Scope != nil && *asked.Scope == "" {
		refusal("invalid_client_metadata")(w, r)
		return
	}
	id, c := "client-"+rand.Text(), client{redirect: asked.RedirectURIs[0], method: asked.Method}
	out := document{"client_id": id, "token_endpoint_auth_method": asked.Method, "redirect_uris": asked.RedirectURIs, "grant_types": asked.Grants}
	if c.method != "none" {
		c.secret = "CANARY-secret-" + rand.Text()
		out["client_secret"], out["client_secret_expires_at"] = c.secret, as.expires
	}
	as.mu.Lock()
	as.clients[id] = c
	as.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(out)
}

func (as *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	as.mu.Lock()
	defer as.mu.Unlock()
	q := r.URL.Query()
	g := grant{q.Get("client_id"), q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("resource")}
	if as.clients[g.client].redirect != g.redirect || g.challenge == "" || g.resource == "" ||
		q.Get("tenant") != "t-7" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "CANARY-bad", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": q["state"]}
	if as.denies != "" {
		back.Set("error", as.denies)
	} else {
		back.Set("code", as.give("code", g))
	}
	http.Redirect(w, r, g.redirect+"?"+back.Encode(), http.StatusFound)
}

// give makes a secret that stands for a grant; as.mu is held.
func (as *authServer) give(kind string, g grant) string {
	secret := kind + "-" + rand.Text()
	as.grants[secret] = g
	as.secrets = append(as.secrets, secret)
	return secret
}

func (as *authServer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	method := "client_secret_basic"
	if !basic {
		id, secret, method = r.PostFormValue("client_id"), r.PostFormValue("client_secret"), "client_secret_post"
		if secret == "" {
			method = "none"
		}
	}
	code := r.PostFormValue("grant_type") == "authorization_code"
	given := r.PostFormValue("refresh_token")
	if code {
		given = r.PostFormValue("code")
	}
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))

	as.mu.Lock()
	defer as.mu.Unlock()
	g := as.grants[given]
	switch c := as.clients[id]; {
	case c.redirect == "" || c.method != method || c.secret != secret:
		refusal("invalid_client")(w, r)
	case g.client != id, code && (g.redirect != r.PostFormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(verifier[:])):
		refusal("invalid_grant")(w, r)
	case g.resource != r.PostFormValue("resource"):
		refusal("invalid_target")(w, r)
	default:
		delete(as.grants, given)
		document{
			"access_token": as.give("access", grant{}), "refresh_token": as.give("refresh", g),
			"token_type": "bearer", "expires_in": as.life.Seconds(),
		}.ServeHTTP(w, r)
	}
}

// note keeps what a token request said.
func (as *authServer) note(r *http.Request) {
	_ = r.ParseForm()
	as.mu.Lock()
	defer as.mu.Unlock()
	as.requests = append(as.requests, tokenRequest{r.Header, r.PostForm})
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret"} {
		as.secrets = append(as.secrets, r.PostFormValue(name))
	}
}

// count says how often a grant was asked for.
func (as *authServer) count(kind string) int {
	as.mu.Lock()
	defer as.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(as.requests), func(r tokenRequest) bool { return r.form.Get("grant_type") == kind })
	return len(as.requests) - len(others)
}
