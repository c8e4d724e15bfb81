package registrytest

import (
	"testing"

	"esagate/registry"
)

// reopenLife: what a crash cuts short is found by the next process.
func reopenLife(t *testing.T, open Opener) {
	c := newClock()
	s := open(t, Options{Now: c.read})
	m := makeManaged(t, s, alice, newManaged("cut short"))
	m = changeConnection(t, s, m, func(c *registry.Connection) {
		active(c)
		c.UnsettledSince, c.Epoch, c.ProvisionedAt, c.MCPURL = at(7), 3, at(8), "https://sales.example.net/mcp"
	})
	if err := s.Customer(alice).KeepSettings(t.Context(), m.Connection.ID, []byte("to put back")); err != nil {
		t.Fatal(err)
	}
	beginOnce(t, s, registry.IdempotencyRecord{Key: "open"}, false, nil)
	beginOnce(t, s, registry.IdempotencyRecord{Key: "forgotten"}, false, nil)
	forgetOnce(t, s, alice, "forgotten")
	lease(t, s, "leader", "first", 1<<40, true)
	shut(t, s)

	s = open(t, Options{Now: c.read})
	defer shut(t, s)
	same(t, "opened again", read(t, s, alice, "cut short"), m)
	wants(t, s, "opened again", registry.Upkeep{Kind: registry.UpkeepUnsettled}, "cut short")
	holdsSettings(t, s, m, []byte("to put back"))
	beginRefused(t, s, registry.IdempotencyRecord{Key: "open"}, registry.ErrAnswerPending)
	beginOnce(t, s, registry.IdempotencyRecord{Key: "forgotten", Fingerprint: [32]byte{1}}, false, nil)
	lease(t, s, "leader", "second", 1<<40, false)
}

// reopenTwoLives has two processes work on the same connections.
func reopenTwoLives(t *testing.T, open Opener) {
	stores := []registry.Store{open(t, Options{}), open(t, Options{})}
	defer shut(t, stores[0])
	defer shut(t, stores[1])
	operationClaimed(t, stores)
	changesFollow(t, stores)
	leaseContested(t, stores)
}
