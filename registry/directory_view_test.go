package registry_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/registry"
)

// agent is a new AGENT source; agentIDs gives ids that differ.
func agent(sourceID string) registry.NewSource {
	return registry.NewSource{
		SourceID: sourceID, Name: sourceID,
		Agent: registry.Agent{
			Status: registry.SourcePending, Type: "SALES", EndpointURL: "https://agent.example.net/mcp", Protocol: "MCP",
			Authentication: registry.AuthNone,
		},
		AgentID: agentIDs,
	}
}

var (
	agentIDsGiven int
	agentIDsMu    sync.Mutex
)

func agentIDs() string {
	agentIDsMu.Lock()
	defer agentIDsMu.Unlock()
	agentIDsGiven++
	return fmt.Sprint("agent_", agentIDsGiven)
}

// made makes an AGENT source in the store alone, as another process would.
func made(t testing.TB, f *faulty, customer int64, sourceID string) *registry.Source {
	t.Helper()
	c, err := f.Store.Customer(customer).CreateSource(t.Context(), agent(sourceID), nil)
	must(t)(err)
	return c.Source
}

// rename gives a change of the name alone.
func rename(to string) func(*registry.Source) (registry.SourceChange, error) {
	return func(*registry.Source) (registry.SourceChange, error) {
		return registry.SourceChange{Name: &to}, nil
	}
}

// renamed renames a source in the store alone.
func renamed(t testing.TB, f *faulty, sourceID, to string) {
	t.Helper()
	must(t)(elsewhere(f).UpdateSource(t.Context(), sourceID, rename(to)))
}

func allow(*registry.Source) error { return nil }

// back has the store return, and waits until that is known.
func back(t testing.TB, d *registry.Directory, f *faulty) {
	t.Helper()
	f.is(healthy, 0)
	time.Sleep(4 * time.Second)
	isThere(t, d, true, "the store's return was not noticed")
}

// view is all that readers see of a customer's sources, each by every way to ask.
type view struct {
	d *registry.Directory
}

// name gives the name that a source is read with, in all ways; "" if in none.
func (v view) name(t *testing.T, sourceID string) string {
	t.Helper()
	name := ""
	s, err := v.d.Source(t.Context(), customer, sourceID)
	if err != nil {
		notFound(t, err)
	} else {
		name = s.Name
	}
	page := all(t, v.d)
	listed := ""
	for _, s := range page {
		if s.SourceID == sourceID {
			listed = s.Name
		}
	}
	if listed != name {
		t.Fatalf("%q is %q alone and %q in the list", sourceID, name, listed)
	}
	if _, n, err := v.d.Sources(t.Context(), customer, 0, 1); err != nil || n != len(page) {
		t.Fatalf("%d sources are listed, %d counted, %v", len(page), n, err)
	}
	return name
}

func (v view) is(t *testing.T, what, sourceID, want string) {
	t.Helper()
	if got := v.name(t, sourceID); got != want {
		t.Fatalf("%s: %q is %q, want %q", what, sourceID, got, want)
	}
}

// pair makes an AGENT source a and a managed one m in the store, and has all read.
func pair(t *testing.T, d *registry.Directory, f *faulty) view {
	t.Helper()
	made(t, f, customer, "a")
	adopted(t, f, customer, "m")
	v := view{d}
	v.is(t, "before", "a", "a")
	return v
}

// ids gives the sourceIds of a page.
func ids(page []*registry.Source) []string {
	var out []string
	for _, s := range page {
		out = append(out, s.SourceID)
	}
	return out
}

// must ends the test unless the last of some results is no error: must(t)(d.Call(…)).
func must(t testing.TB) func(results ...any) {
	return func(results ...any) {
		t.Helper()
		if err := results[len(results)-1]; err != nil {
			t.Fatal(err)
		}
	}
}

// elsewhere is the customer as another process reaches it: past the Directory and the
// faults of its store.
func elsewhere(f *faulty) registry.CustomerStore { return f.Store.Customer(customer) }

// source reads a source of either kind.
func source(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	s, err := d.Source(t.Context(), customer, sourceID)
	must(t)(err)
	return s
}

// all lists the sources of both kinds.
func all(t testing.TB, d *registry.Directory) []*registry.Source {
	t.Helper()
	page, _, err := d.Sources(t.Context(), customer, 0, 50)
	must(t)(err)
	return page
}

// allManaged lists the managed sources.
func allManaged(t testing.TB, d *registry.Directory) []*registry.Source {
	t.Helper()
	page, _, err := d.ManagedSources(t.Context(), customer, 0, 50)
	must(t)(err)
	return page
}

// wantNotFound holds the error of a call, its last result, to notFound; the next two do so
// with unavailable and unavailableWrite.
func wantNotFound(t *testing.T) func(results ...any)         { return failsWith(t, notFound) }
func wantUnavailable(t *testing.T) func(results ...any)      { return failsWith(t, unavailable) }
func wantUnavailableWrite(t *testing.T) func(results ...any) { return failsWith(t, unavailableWrite) }

func failsWith(t *testing.T, check func(*testing.T, error)) func(results ...any) {
	return func(results ...any) {
		t.Helper()
		err, _ := results[len(results)-1].(error)
		check(t, err)
	}
}
