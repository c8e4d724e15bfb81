package ops_test

import (
	"html"
	"maps"
	"slices"
	"strings"
	"testing"

	"esagate/gateway/ops"
)

// scene is one state of a page.
type scene struct {
	name string
	page []byte
}

// gallery gives every state that the pages have. It is looked at, too: the tests in a browser make pictures of
// all of them.
func gallery() []scene {
	return slices.Concat(wallScenes(), sourceScenes(), signInScenes(), homeScenes(), failureScenes(), consentScenes())
}

// hostile is a name that is markup, if a page lets it be.
const hostile = `<script>alert("canary")</script><img src=x onerror=alert(1)>'"&`

func sourceScenes() (scenes []scene) {
	for _, name := range slices.Sorted(maps.Keys(sourceStates)) {
		v := aSource()
		sourceStates[name](&v)
		scenes = append(scenes, scene{"source-" + name, ops.Source(v)})
	}
	return scenes
}

func signInScenes() []scene {
	page := func(v ops.SignInView) []byte {
		v.Page = ops.Page{Title: "Sign in", RequestID: "req-gallery", Now: noon}
		return ops.SignIn(v)
	}
	return []scene{
		{"sign-in", page(ops.SignInView{Next: "/ops"})},
		{"sign-in-oidc", page(ops.SignInView{Next: "/ops?state=down", Issuer: "https://gateway.example/ops/sign-in/oidc"})},
		{"sign-in-wrong-key", page(ops.SignInView{Next: "/ops", Issuer: "https://gateway.example/ops/sign-in/oidc", Problem: "That key is not known, or was revoked."})},
		{"sign-in-refused", page(ops.SignInView{Refused: "Signing in needs https: open this page at the address in server.public_url."})},
		{"sign-in-hostile", page(ops.SignInView{Next: hostile, Problem: hostile, Issuer: hostile})},
		{"signed-in", ops.Onward(ops.OnwardView{Page: ops.Page{Title: "You are signed in", RequestID: "req-gallery", Now: noon}, Address: "/ops?" + onward})},
	}
}

func homeScenes() (scenes []scene) {
	for _, status := range []string{"ready", "starting", "stopping"} {
		scenes = append(scenes, scene{"home-" + status, ops.Home(ops.HomeView{Page: ops.Page{Title: "Home"}, Status: status})})
	}
	return scenes
}

func failureScenes() []scene {
	page := func(title, message string, retry int, viewer *ops.Viewer) []byte {
		return ops.Failure(ops.FailureView{Page: ops.Page{Title: title, Viewer: viewer, RequestID: "req-gallery", Now: noon}, Message: message, Retry: retry})
	}
	return []scene{
		{"failure-not-found", page("There is nothing here", "There is nothing at this address, or nothing that this key may see.", 0, operator)},
		{"failure-store-away", page("This can't be done at the moment", "The database can't be reached.", 5, operator)},
		{"failure-query", page("The request can't be understood", "sort must be state, name, since, sourceId, customerId or age, or one of them after a -.", 0, customer)},
		{"failure-hostile", page(hostile, hostile, 0, nil)},
	}
}

func consentScenes() []scene {
	page := func(title, message string, given bool) []byte {
		return ops.Consent(ops.ConsentView{Page: ops.Page{Title: title, RequestID: "req-gallery"}, Given: given, Message: message})
	}
	return []scene{
		{"consent-given", page("The agent is connected", "You can close this page and go on where you came from.", true)},
		{"consent-denied", page("The agent could not be connected", "The consent was denied.", false)},
	}
}

// TestHostileNames: they are shown, and are text.
func TestHostileNames(t *testing.T) {
	for _, s := range gallery() {
		if s.name != "wall-names" && s.name != "failure-hostile" && s.name != "sign-in-hostile" {
			continue
		}
		if p := string(s.page); strings.Contains(p, "<script>alert") || strings.Contains(p, "<img") || !strings.Contains(p, html.EscapeString(hostile)) {
			t.Errorf("%s: %s", s.name, p)
		}
	}
}

// TestGallery holds every state of every page against what all pages promise.
func TestGallery(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range gallery() {
		if seen[s.name] {
			t.Errorf("there are two scenes %s", s.name)
		}
		seen[s.name] = true
		t.Run(s.name, func(t *testing.T) { checkPage(t, s.page) })
	}
}
