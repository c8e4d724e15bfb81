package agentauth_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/go-oauth2/oauth2/v4/server"
)

// authServer is an authorization server: the OAuth in it is go-oauth2's, PKCE
// included; metadata, registration and the resource parameter are added.
type authServer struct {
	mu       sync.Mutex
	doc      document
	clients  map[string]*models.Client
	methods  map[string]string // of the clients
	tokens   map[string]models.Token
	secrets  []string // whatever must never show
	resource map[string]string
	grants   []string // the grant types that were asked for
	seen     []http.Header
	forms    []map[string][]string

	life     time.Duration
	denies   error
	expires  int64 // client_secret_expires_at
	override map[string]http.Handler

	oauth *server.Server
}

var serverDoc = document{
	"issuer": issuer, "authorization_endpoint": issuer + "/authorize?tenant=t-7", "token_endpoint": issuer + "/token",
	"registration_endpoint": issuer + "/register", "response_types_supported": []string{"code"},
	"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
	"token_endpoint_auth_methods_supported": []string{"none", "client_secret_basic", "client_secret_post"},
	"code_challenge_methods_supported":      []string{"S256"}, "extra": "ignored",
}

func newAuthServer() *authServer {
	as := &authServer{
		doc: serverDoc, clients: map[string]*models.Client{}, methods: map[string]string{}, tokens: map[string]models.Token{},
		resource: map[string]string{}, life: time.Hour, override: map[string]http.Handler{},
	}
	m := manage.NewDefaultManager()
	m.MapClientStorage(as)
	m.MapTokenStorage(as)
	m.SetAuthorizeCodeTokenCfg(&manage.Config{AccessTokenExp: time.Hour, RefreshTokenExp: 90 * 24 * time.Hour, IsGenerateRefresh: true})
	as.oauth = server.NewServer(&server.Config{
		TokenType: "bearer", AllowedResponseTypes: []oauth2.ResponseType{oauth2.Code},
		AllowedGrantTypes:           []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Refreshing},
		AllowedCodeChallengeMethods: []oauth2.CodeChallengeMethod{oauth2.CodeChallengeS256}, ForcePKCE: true,
	}, m)
	as.oauth.UserAuthorizationHandler = func(http.ResponseWriter, *http.Request) (string, error) { return "user-1", as.denies }
	as.oauth.ClientInfoHandler = as.client
	as.oauth.AccessTokenExpHandler = func(http.ResponseWriter, *http.Request) (time.Duration, error) { return as.life, nil }
	return as
}

// client tells who asks for tokens; only in the way that it was registered for.
func (as *authServer) client(r *http.Request) (string, string, error) {
	id, secret, basic := r.BasicAuth()
	method := "client_secret_basic"
	if !basic {
		id, secret, method = r.PostFormValue("client_id"), r.PostFormValue("client_secret"), "client_secret_post"
		if secret == "" {
			method = "none"
		}
	}
	as.mu.Lock()
	defer as.mu.Unlock()
	c := as.clients[id]
	if c == nil || as.methods[id] != method || c.Secret != secret {
		return "", "", oautherrors.ErrInvalidClient
	}
	return id, secret, nil
}

func (as *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := as.override[r.URL.Path]; h != nil {
		as.note(r)
		h.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case serverPath:
		as.doc.ServeHTTP(w, r)
	case "/register":
		as.register(w, r)
	case "/authorize":
		if r.FormValue("tenant") != "t-7" || r.FormValue("resource") == "" {
			http.Error(w, "CANARY-bad", http.StatusBadRequest)
			return
		}
		as.mu.Lock()
		as.resource[r.FormValue("code_challenge")] = r.FormValue("resource")
		as.mu.Unlock()
		_ = as.oauth.HandleAuthorizeRequest(w, r)
	case "/token":
		as.note(r)
		as.mu.Lock()
		known := slices.Contains(values(as.resource), r.PostFormValue("resource"))
		as.mu.Unlock()
		if !known {
			answer(http.StatusBadRequest, "application/json", `{"error":"invalid_target","error_description":"CANARY-target"}`)(w, r)
			return
		}
		_ = as.oauth.HandleTokenRequest(w, r)
	default:
		http.NotFound(w, r)
	}
}

// note keeps what a token request said.
func (as *authServer) note(r *http.Request) {
	_ = r.ParseForm()
	as.mu.Lock()
	defer as.mu.Unlock()
	as.grants = append(as.grants, r.PostFormValue("grant_type"))
	as.seen = append(as.seen, r.Header)
	as.forms = append(as.forms, r.PostForm)
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret"} {
		as.secrets = append(as.secrets, r.PostFormValue(name))
	}
}

func (as *authServer) register(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		RedirectURIs []string `json:"redirect_uris"`
		Method       string   `json:"token_endpoint_auth_method"`
		Grants       []string `json:"grant_types"`
		Name         string   `json:"client_name"`
		Scope        string   `json:"scope"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.RedirectURIs) != 1 || asked.Name != "esagate" {
		answer(http.StatusBadRequest, "application/json", `{"error":"invalid_client_metadata","error_description":"CANARY-meta"}`)(w, r)
		return
	}
	c := &models.Client{ID: "client-" + rand.Text(), Domain: asked.RedirectURIs[0], Public: asked.Method == "none"}
	out := document{"client_id": c.ID, "token_endpoint_auth_method": asked.Method, "redirect_uris": asked.RedirectURIs, "grant_types": asked.Grants}
	if !c.Public {
		c.Secret = "CANARY-secret-" + rand.Text()
		out["client_secret"], out["client_secret_expires_at"] = c.Secret, as.expires
	}
	as.mu.Lock()
	as.clients[c.ID], as.methods[c.ID] = c, asked.Method
	as.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(out)
}

// count says how often a grant was asked for.
func (as *authServer) count(grant string) int {
	as.mu.Lock()
	defer as.mu.Unlock()
	n := 0
	for _, g := range as.grants {
		if g == grant {
			n++
		}
	}
	return n
}

// revoke takes back every refresh token.
func (as *authServer) revoke() {
	as.mu.Lock()
	defer as.mu.Unlock()
	clear(as.tokens)
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

var errNone = errors.New("none")

// GetByID implements oauth2.ClientStore.
func (as *authServer) GetByID(_ context.Context, id string) (oauth2.ClientInfo, error) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if c := as.clients[id]; c != nil {
		return c, nil
	}
	return nil, errNone
}

// Create implements oauth2.TokenStore, whose own in-memory one leaves a goroutine.
func (as *authServer) Create(_ context.Context, info oauth2.TokenInfo) error {
	t := *info.(*models.Token)
	as.mu.Lock()
	defer as.mu.Unlock()
	for kind, value := range map[string]string{"code": t.Code, "access": t.Access, "refresh": t.Refresh} {
		if value != "" {
			as.tokens[kind+value] = t
			as.secrets = append(as.secrets, value)
		}
	}
	return nil
}

func (as *authServer) get(key string) (oauth2.TokenInfo, error) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if t, ok := as.tokens[key]; ok {
		return &t, nil
	}
	return nil, nil
}

func (as *authServer) remove(key string) error {
	as.mu.Lock()
	defer as.mu.Unlock()
	delete(as.tokens, key)
	return nil
}

func (as *authServer) RemoveByCode(_ context.Context, s string) error { return as.remove("code" + s) }
func (as *authServer) RemoveByAccess(_ context.Context, s string) error {
	return as.remove("access" + s)
}
func (as *authServer) RemoveByRefresh(_ context.Context, s string) error {
	return as.remove("refresh" + s)
}
func (as *authServer) GetByCode(_ context.Context, s string) (oauth2.TokenInfo, error) {
	return as.get("code" + s)
}
func (as *authServer) GetByAccess(_ context.Context, s string) (oauth2.TokenInfo, error) {
	return as.get("access" + s)
}
func (as *authServer) GetByRefresh(_ context.Context, s string) (oauth2.TokenInfo, error) {
	return as.get("refresh" + s)
}
