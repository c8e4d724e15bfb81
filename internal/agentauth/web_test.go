package agentauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

const (
	agentHost = "agent.example.com"
	loginHost = "login.example.com"

	endpoint    = "https://" + agentHost + "/v1/mcp"
	issuer      = "https://" + loginHost
	redirectURI = "https://gateway.example.com/oauth/callback"
)

// web is the hosts that can be reached. It calls them in the caller's goroutine, so that
// a bubble's clock runs while one hangs.
type web struct {
	mu     sync.Mutex
	hosts  map[string]http.Handler
	asked  []string            // method, host and path, in order
	check  func(string) string // what is wrong with an address
	unsafe []string            // addresses that should not have been asked
}

var errNoHost = errors.New("no such host: CANARY-dial")

// breakOff breaks the connection off.
func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// RoundTrip implements http.RoundTripper.
func (w *web) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	w.mu.Lock()
	if w.check(req.URL.String()) != "" {
		w.unsafe = append(w.unsafe, req.URL.String())
	}
	h := w.hosts[req.URL.Host]
	if h != nil {
		w.asked = append(w.asked, req.Method+" "+req.URL.Host+req.URL.Path)
	}
	w.mu.Unlock()
	if h == nil || req.URL.Scheme != "https" {
		return nil, errNoHost
	}
	in := req.Clone(req.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() {
		if r := recover(); r != nil {
			resp, err = nil, errNoHost
		}
	}()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, in)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	resp = rec.Result()
	resp.Request = req
	return resp, nil
}

// times counts the requests that began so.
func (w *web) times(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// document is a JSON document that a test can bend.
type document map[string]any

func (d document) with(key string, value any) document {
	next := maps.Clone(d)
	if next[key] = value; value == nil {
		delete(next, key)
	}
	return next
}

func (d document) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d)
}

// answer answers everything with one status, type and body.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

// refusal answers with an OAuth error.
func refusal(code string) http.HandlerFunc {
	return answer(http.StatusBadRequest, "application/json", `{"error":"`+code+`","error_description":"CANARY"}`)
}

// hang never answers.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// site is an agent: its endpoint wants a token, and it says where one is to be had.
type site struct {
	places    map[string]http.Handler // by path, with its query or for any
	endpoint  string                  // its path
	challenge string                  // the endpoint's WWW-Authenticate fields, one a line
	status    int                     // the endpoint's; 0: 401
}

const (
	insertedPath = "/.well-known/oauth-protected-resource/v1/mcp"
	rootPath     = "/.well-known/oauth-protected-resource"
	serverPath   = "/.well-known/oauth-authorization-server"
	openIDPath   = "/.well-known/openid-configuration"
)

var resourceDoc = document{
	"resource": endpoint, "authorization_servers": []string{issuer}, "scopes_supported": []string{"read", "buy"},
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, at := range []string{r.URL.RequestURI(), r.URL.Path} {
		if h := s.places[at]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	if r.URL.Path != s.endpoint {
		http.Error(w, "CANARY-nothing here", http.StatusNotFound)
		return
	}
	for _, field := range strings.Split(s.challenge, "\n") {
		w.Header().Add("WWW-Authenticate", field)
	}
	status := s.status
	if status == 0 {
		status = http.StatusUnauthorized
	}
	http.Error(w, "CANARY-endpoint", status)
}
