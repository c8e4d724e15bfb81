package sources_test

import (
	"fmt"
	"testing"

	"esagate/internal/fault"
	"esagate/registry"
)

var statuses = []registry.SourceStatus{registry.SourcePending, registry.SourceActive, registry.SourceDisabled}

const (
	needsAuth = "A source can only be ACTIVE with the credentials that its authenticationType needs: give auth, or finish the OAuth consent, first."
	onlyOff   = "An ACTIVE source can only become DISABLED."
	forever   = "A DISABLED source can't get another status."
)

// TestStatusMatrix holds every status against every one asked for, for every
// authentication type, with and without credentials, old or given with the change.
func TestStatusMatrix(t *testing.T) {
	for _, at := range authenticationTypes {
		for _, stored := range []bool{true, false} {
			for _, given := range []bool{true, false} {
				for _, was := range statuses {
					for _, asked := range statuses {
						cur := agent(at, was)
						if !stored {
							cur = unarmed(cur)
						}
						body := members{"status": asked}
						if auth := authFor(at); given && auth != nil {
							body = body.but("auth", auth)
						} else if given {
							continue
						}
						armed := stored || given || at == registry.AuthNone
						conflict := ""
						switch {
						case asked == was:
						case was == registry.SourceDisabled:
							conflict = forever
						case was == registry.SourceActive && asked == registry.SourcePending:
							conflict = onlyOff
						case asked == registry.SourceActive && !armed:
							conflict = needsAuth
						}
						name := fmt.Sprintf("%s stored %v given %v: %s to %s", at, stored, given, was, asked)
						change, err := decide(t, cur, body.json(t))
						wantConflict(t, name, change, err, conflict)
						if err == nil && statusAfter(cur, change) != asked {
							t.Errorf("%s: became %s", name, statusAfter(cur, change))
						}
						if err == nil && (change.Agent != nil) != (asked != was) {
							t.Errorf("%s: Agent is %+v", name, change.Agent)
						}
					}
				}
			}
		}
	}
}

// TestNewAuthenticationTypeMatrix holds every change of type against every status
// and every one asked for.
func TestNewAuthenticationTypeMatrix(t *testing.T) {
	for _, from := range authenticationTypes {
		for _, to := range authenticationTypes {
			for _, was := range statuses {
				for _, asked := range append(statuses, "") {
					body := members{"authenticationType": to}
					if auth := authFor(to); auth != nil && from != to {
						body = body.but("auth", auth)
					}
					if asked != "" {
						body = body.but("status", asked)
					}
					armed := from == to || to != registry.AuthOAuth
					after, conflict := asked, ""
					switch {
					case asked == "" && was == registry.SourceActive && !armed:
						after = registry.SourcePending
					case asked == "":
						after = was
					case was == registry.SourceDisabled && asked != was:
						conflict = forever
					case was == registry.SourceActive && asked == registry.SourcePending:
						conflict = onlyOff
					case asked == registry.SourceActive && was != registry.SourceDisabled && !armed:
						conflict = needsAuth
					}
					name := fmt.Sprintf("%s to %s: %s asked %q", from, to, was, asked)
					cur := agent(from, was)
					change, err := decide(t, cur, body.json(t))
					wantConflict(t, name, change, err, conflict)
					if err != nil {
						continue
					}
					next := apply(cur, change).Agent
					if next.Status != after || next.Authentication != to {
						t.Errorf("%s: %s and %s, want %s", name, next.Status, next.Authentication, after)
					}
					if from != to {
						// Nothing of the old type is left.
						if next.CredentialID == "cred-1" || change.EraseCredential == (change.Credential != nil) || next.OAuthAudience != "" {
							t.Errorf("%s: %+v", name, change)
						}
					} else if next.CredentialID != cur.Agent.CredentialID {
						t.Errorf("%s: the credentials did not stay", name)
					}
				}
			}
		}
	}
}

func statusAfter(cur *registry.Source, change registry.SourceChange) registry.SourceStatus {
	return apply(cur, change).Agent.Status
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
