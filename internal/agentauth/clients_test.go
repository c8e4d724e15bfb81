package agentauth_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"esagate/internal/agentauth"
)

// registrations counts those that the server was asked for.
func (w *world) registrations() int { return w.web.times("POST " + loginHost + "/register") }

// TestRegisteredAnew: each consent names a client that the server has just made, but
// for those that follow each other at once.
func TestRegisteredAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		between func(w *world)
		again   bool // the same client is named once more
	}{
		"at once":             {func(*world) {}, true},
		"a little later":      {func(*world) { time.Sleep(10*time.Minute - time.Second) }, true},
		"later":               {func(*world) { time.Sleep(10 * time.Minute) }, false},
		"server moved":        {func(w *world) { w.moveIssuer() }, false},
		"another method":      {says("token_endpoint_auth_methods_supported", []string{"client_secret_post"}), false},
		"another scope":       {doc("scopes_supported", []string{"read"}), false},
		"another source":      {func(w *world) { w.source = w.create("another", endpoint) }, false},
		"another replica":     {func(w *world) { w.agents.Close(w.Context()); w.agents = w.replica() }, false},
		"secret about to end": {func(*world) { time.Sleep(6 * time.Minute) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.as.doc = serverDoc.with("token_endpoint_auth_methods_supported", []string{"client_secret_basic"})
				w.as.expires = time.Now().Add(time.Hour).Unix()
				if name == "secret about to end" {
					w.as.expires = time.Now().Add(15 * time.Minute).Unix()
				}
				first := w.begin()
				w.must(w.end(w.browse(first)))
				tt.between(w)
				second := w.begin()
				if same := first.Query().Get("client_id") == second.Query().Get("client_id"); same != tt.again {
					w.Errorf("the same client: %v, want %v", same, tt.again)
				}
			})
		})
	}
}

// moveIssuer lets the agent name another server, which is the same machine.
func (w *world) moveIssuer() {
	const other = "https://other.example.com"
	w.web.hosts["other.example.com"] = w.as
	w.as.doc = w.as.doc.with("issuer", other).with("authorization_endpoint", other+"/authorize")
	w.site.places[insertedPath] = resourceDoc.with("authorization_servers", []string{other})
}

// TestClientThatIsNone: once the server says so, to a browser, or to a request for
// tokens or for a refresh, the next consent has another.
func TestClientThatIsNone(t *testing.T) {
	for name, refuse := range map[string]func(w *world, at *url.URL){
		"to a browser": func(w *world, at *url.URL) {
			w.as.denies = "unauthorized_client"
			w.want(w.end(w.browse(at)), agentauth.ReasonRefused)
		},
		"for a code": func(w *world, at *url.URL) {
			w.replies(refusal("invalid_client"))
			w.want(w.end(w.browse(at)), agentauth.ReasonRefused)
		},
		"for a refresh": func(w *world, at *url.URL) {
			w.as.life = time.Minute
			w.must(w.end(w.browse(at)))
			time.Sleep(2 * time.Minute)
			w.replies(refusal("invalid_client"))
			w.tokenFails(w.agents, agentauth.ReasonConsentDue)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				at := w.begin()
				refuse(w, at)
				if w.begin().Query().Get("client_id") == at.Query().Get("client_id") {
					w.Error("the client is named again")
				}
			})
		})
	}
}

// TestServerThatRegistersNobody: the client of the stored tokens is all that there is.
func TestServerThatRegistersNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(w *world)
		again  bool
	}{
		"known from before":   {func(*world) {}, true},
		"of another server":   {func(w *world) { w.moveIssuer() }, false},
		"secret about to end": {func(*world) { time.Sleep(time.Hour - 9*time.Minute) }, false},
		"tokens of no consent": {func(w *world) {
			_, id, err := w.store.Customer(customer).Credential(w.Context(), sourceID)
			w.must(err)
			_, err = w.store.Customer(customer).ReplaceCredential(w.Context(), sourceID, id, nil)
			w.must(err)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.as.doc = serverDoc.with("token_endpoint_auth_methods_supported", []string{"client_secret_basic"})
				w.as.expires = time.Now().Add(time.Hour).Unix()
				w.connect()
				known := w.held().Client.ClientID
				tt.before(w)
				w.as.doc = w.as.doc.with("registration_endpoint", nil)
				if !tt.again {
					_, err := w.tryBegin()
					w.want(err, agentauth.ReasonNoClient)
					return
				}
				if got := w.begin().Query().Get("client_id"); got != known {
					w.Error("another client is named")
				}
			})
		})
	}
}

// TestRememberedClientsAreBounded: the least used of more than 1,000 is forgotten.
func TestRememberedClientsAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.as.override["/register"] = answer(201, "application/json", `{"client_id":"c","token_endpoint_auth_method":"none"}`)
		w.agents.Close(w.Context())
		w.agents = w.over(&boundless{})
		begin := func(source int) {
			w.source.SourceID = fmt.Sprint("s", source)
			w.begin()
		}
		for i := range 1001 {
			begin(i)
		}
		for _, tt := range []struct{ source, more int }{{1000, 0}, {1, 0}, {0, 1}} {
			before := w.registrations()
			if begin(tt.source); w.registrations()-before != tt.more {
				w.Errorf("source %d: %d more registrations", tt.source, w.registrations()-before)
			}
		}
	})
}
