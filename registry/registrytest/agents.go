package registrytest

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esagate/registry"
)

// clock is a Store's clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: at(0)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass moves the clock on and gives where it then stands.
func (c *clock) pass(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

var agentIDs atomic.Int64

// nextAgentID gives an id that no agent has.
func nextAgentID() string { return fmt.Sprintf("agent_%06d", agentIDs.Add(1)) }

// newAgent is an AGENT source with a sourceId and all fields but credentials.
func newAgent(sourceID string) registry.NewSource {
	return registry.NewSource{
		SourceID: sourceID,
		Name:     "Name of " + sourceID,
		Agent: registry.Agent{
			Status: registry.SourcePending, Type: "SALES", EndpointURL: "https://agents.example.net/" + sourceID,
			Protocol: "MCP", Description: "Sells what " + sourceID + " has.", Authentication: registry.AuthAPIKey,
		},
		AgentID: nextAgentID,
	}
}

// token is a credential like many.
func token(secret string) *registry.Credential {
	return &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: secret}}
}

// withToken is newAgent with credentials.
func withToken(sourceID, secret string) registry.NewSource {
	s := newAgent(sourceID)
	s.Credential = token(secret)
	return s
}

// create makes a source and reads it back.
func create(t testing.TB, s registry.Store, customer int64, entry registry.NewSource) *registry.Source {
	t.Helper()
	made, err := s.Customer(customer).CreateSource(t.Context(), entry, nil)
	if err != nil {
		t.Fatalf("create %q%q: %v", entry.SourceID, entry.Slug, err)
	}
	if made.Replayed || made.Answer != nil || made.Source == nil {
		t.Fatalf("create %q%q: %+v", entry.SourceID, entry.Slug, made)
	}
	sameSource(t, "read back", readSource(t, s, customer, made.Source.SourceID), made.Source)
	return made.Source
}

func readSource(t testing.TB, s registry.Store, customer int64, sourceID string) *registry.Source {
	t.Helper()
	src, err := s.Customer(customer).Source(t.Context(), sourceID)
	if err != nil {
		t.Fatalf("read %q: %v", sourceID, err)
	}
	return src
}

// update changes a source and reads it back.
func update(t testing.TB, s registry.Store, customer int64, sourceID string, decide func(*registry.Source) registry.SourceChange) *registry.Source {
	t.Helper()
	after, err := s.Customer(customer).UpdateSource(t.Context(), sourceID, func(src *registry.Source) (registry.SourceChange, error) {
		return decide(src), nil
	})
	if err != nil {
		t.Fatalf("update %q: %v", sourceID, err)
	}
	sameSource(t, "read back", readSource(t, s, customer, sourceID), after)
	return after
}

// agentChange is a change of the agent's own fields.
func agentChange(f func(*registry.Agent)) func(*registry.Source) registry.SourceChange {
	return func(src *registry.Source) registry.SourceChange {
		next := *src.Agent
		f(&next)
		return registry.SourceChange{Agent: &next}
	}
}

// always is a decision that looks at nothing.
func always(change registry.SourceChange) func(*registry.Source) registry.SourceChange {
	return func(*registry.Source) registry.SourceChange { return change }
}

// allowed lets every deletion pass.
func allowed(*registry.Source) error { return nil }

// secretOf reads the credentials of a source.
func secretOf(t testing.TB, s registry.Store, customer int64, sourceID string) (*registry.Credential, string) {
	t.Helper()
	cred, id, err := s.Customer(customer).Credential(t.Context(), sourceID)
	if err != nil {
		t.Fatalf("credentials of %q: %v", sourceID, err)
	}
	return cred, id
}

// holds checks whose credentials a source has.
func holds(t testing.TB, s registry.Store, customer int64, sourceID string, want *registry.Credential) {
	t.Helper()
	got, id := secretOf(t, s, customer, sourceID)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q holds other credentials than it should", sourceID)
	}
	if shown := readSource(t, s, customer, sourceID).Agent.CredentialID; shown != id {
		t.Fatalf("%q: the source names %q, the credentials are %q", sourceID, shown, id)
	}
}

// sameSource compares two sources whole.
func sameSource(t testing.TB, what string, got, want *registry.Source) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, printed(got), printed(want))
	}
}

func printed(s *registry.Source) string {
	if s == nil {
		return "none"
	}
	text := fmt.Sprintf("%+v", *s)
	if s.Agent != nil {
		text += fmt.Sprintf(" %+v", *s.Agent)
	}
	if s.Connection != nil {
		text += fmt.Sprintf(" %+v", *s.Connection)
	}
	return text
}
