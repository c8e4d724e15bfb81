package sources_test

import (
	"fmt"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

var statuses = []registry.SourceStatus{registry.SourcePending, registry.SourceActive, registry.SourceDisabled}

const (
	needsAuth = "A source can only be ACTIVE with the credentials that its authenticationType needs: " +
		"give auth, or finish the OAuth consent, first."
	onlyOff = "An ACTIVE source can only become DISABLED."
	forever = "A DISABLED source can't get another status."
)

// kinds are what can be given as auth, with the authentication type that takes it; "" takes what
// counts as none.
var kinds = []struct {
	name    string
	auth    any
	takenBy registry.AuthenticationType
}{
	{"no auth", absent{}, ""}, {"an empty auth", members{}, ""},
	{"bearer", tokenAuth(), registry.AuthAPIKey}, {"apikey", tokenAuth().but("type", "apikey"), registry.AuthAPIKey},
	{"api_key", tokenAuth().but("type", "api_key"), registry.AuthAPIKey},
	{"jwt", jwtAuth(), registry.AuthJWT}, {"basic", basicAuth(), registry.AuthBasic},
}

var wrongKind = map[registry.AuthenticationType]string{
	registry.AuthAPIKey: "auth.type: auth.type must be bearer, apikey or api_key.",
	registry.AuthJWT:    "auth.type: auth.type must be jwt.",
	registry.AuthBasic:  "auth.type: auth.type must be basic.",
	registry.AuthNone:   "auth: auth can't be given for the authenticationType NO_AUTH.",
	registry.AuthOAuth:  "auth: auth can't be given for the authenticationType OAUTH.",
}

// wrongAuth says what is wrong with auth that a type takes, given for another; "" for none given.
func wrongAuth(at, takenBy registry.AuthenticationType, required bool) string {
	switch {
	case takenBy == "" && required && authFor(at) != nil:
		return "auth: auth is required for the authenticationType " + string(at) + "."
	case takenBy == "" || takenBy == at:
		return ""
	}
	return wrongKind[at]
}

// TestCreateMatrix holds every authentication type against every kind of auth.
func TestCreateMatrix(t *testing.T) {
	for _, at := range authenticationTypes {
		for _, kind := range kinds {
			s, err := sources.ParseCreate(good().but("authenticationType", at).but("auth", kind.auth).json(t), check)
			if got, want := issuesOf(t, err), wrongAuth(at, kind.takenBy, true); got != want {
				t.Errorf("%s with %s: %q, want %q", at, kind.name, got, want)
			}
			if err == nil && (s.Agent.Status != registry.SourcePending || (s.Credential != nil) != (kind.takenBy != "")) {
				t.Errorf("%s with %s: %+v", at, kind.name, s)
			}
		}
	}
}

// TestUpdateMatrix holds sources of every authentication type and status, with stored credentials
// and without, against every type, kind of auth and status that can be asked for.
func TestUpdateMatrix(t *testing.T) {
	for _, from := range authenticationTypes {
		for _, to := range append(authenticationTypes, "") {
			for _, kind := range kinds {
				for _, was := range statuses {
					for _, asked := range append(statuses, "") {
						body := members{}.but("auth", kind.auth)
						if to != "" {
							body["authenticationType"] = to
						}
						if asked != "" {
							body["status"] = asked
						}
						for _, cur := range []*registry.Source{agent(from, was), unarmed(agent(from, was))} {
							holdUpdate(t, cur, to, asked, kind.takenBy, body)
						}
					}
				}
			}
		}
	}
}

// holdUpdate expects of an update what the rules say. to and asked are "" where it names none.
func holdUpdate(t *testing.T, cur *registry.Source, to registry.AuthenticationType, asked registry.SourceStatus,
	given registry.AuthenticationType, body members) {
	t.Helper()
	from, was := cur.Agent.Authentication, cur.Agent.Status
	if to == "" {
		to = from
	}
	name := fmt.Sprintf("%s of %s (credentials %q): %s", was, from, cur.Agent.CredentialID, body.json(t))
	change, err := decide(t, cur, body.json(t))
	if want := wrongAuth(to, given, to != from); want != "" {
		if got := issuesOf(t, err); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		return
	}
	armed := to == registry.AuthNone || given != "" || to == from && cur.Agent.CredentialID != ""
	left := to != from && was == registry.SourceActive && !armed // without the credentials that it needs
	after, conflict := asked, ""
	switch {
	case asked == "" && left:
		after = registry.SourcePending
	case asked == "":
		after = was
	case asked == was && left, asked == registry.SourceActive && was == registry.SourcePending && !armed:
		conflict = needsAuth
	case asked == was:
	case was == registry.SourceDisabled:
		conflict = forever
	case was == registry.SourceActive && asked == registry.SourcePending:
		conflict = onlyOff
	}
	wantConflict(t, name, change, err, conflict)
	if err != nil {
		return
	}
	next := apply(cur, change).Agent
	if next.Status != after || next.Authentication != to || (change.Agent != nil) != (after != was || to != from) {
		t.Errorf("%s: %s of %s, want %s; %+v", name, next.Status, next.Authentication, after, change)
	}
	if (change.Credential != nil) != (given != "") || change.EraseCredential != (to != from && given == "") ||
		to != from && next.OAuthAudience != "" {
		t.Errorf("%s: what is left of the old type, or new, is %+v", name, change)
	}
}

func wantConflict(t *testing.T, name string, change registry.SourceChange, err error, message string) {
	t.Helper()
	if message == "" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	if f := fault.As(err); f == nil || f.Kind != fault.Conflict || f.Message != message || f.Field != "status" {
		t.Errorf("%s: %v, want Conflict: %s", name, err, message)
	}
	if !changesNothing(change) {
		t.Errorf("%s: refused, and %+v", name, change)
	}
}
