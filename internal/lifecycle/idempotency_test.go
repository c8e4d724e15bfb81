package lifecycle_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/internal/lifecycle"
	"esagate/registry"
)

// TestKeyOfAnotherRequestIsNotReleased: a request that is refused because another uses its
// key does not release it.
func TestKeyOfAnotherRequestIsNotReleased(t *testing.T) {
	inWorld(t, func(w *world) {
		other := once("k")
		other.Fingerprint[0] = 9
		w.agent.next("provision", behaviour{before: 10 * time.Second})
		go func() { _, _ = w.one.Connect(w.Context(), customer, w.parseConnect(freewheel), once("k")) }()
		w.pass(time.Second)
		for range 2 { // the second would find what the first had given away
			w.connectFails(mock, other, fault.Conflict)
			w.pass(time.Second)
		}
		for range 2 {
			if f := w.connectFails(freewheel, once("k"), fault.Conflict); !strings.Contains(f.Message, "still being answered") {
				w.Errorf("%v", f)
			}
		}
		// Nor by one that can't be done here, or while the store is away.
		w.connectFails(gam, other, fault.Conflict)
		w.pass(time.Second)
		w.connectFails(freewheel, once("k"), fault.Conflict)
		w.pass(20 * time.Second)
		w.sources(1)
	})
}

// delete deletes a source, as its customer does.
func (w *world) delete(sourceID string) {
	w.Helper()
	_, err := w.one.directory.DeleteSource(w.Context(), customer, sourceID, func(*registry.Source) error { return nil })
	w.must(err)
}

// TestDeletedSourceIsNotMadeAgain: repetitions of the request that made a source do not make
// it again.
func TestDeletedSourceIsNotMadeAgain(t *testing.T) {
	inWorlds(t, map[string]func(w *world, k *registry.IdempotencyRecord){
		"before the repetition": func(w *world, k *registry.IdempotencyRecord) {
			w.delete(w.connectOnce(freewheel, k).Source.SourceID)
			w.pass(2 * time.Second)
		},
		"while it is made": func(w *world, k *registry.IdempotencyRecord) {
			w.agent.next("provision", behaviour{before: 10 * time.Second})
			time.AfterFunc(5*time.Second, func() {
				page, _, err := w.one.store.Customer(customer).ManagedSources(w.Context(), 0, 10)
				w.must(err)
				w.delete(page[0].SourceID)
			})
			w.connectFails(freewheel, k, fault.NotFound)
		},
	}, func(w *world, before func(w *world, k *registry.IdempotencyRecord)) {
		k := once("k")
		k.Pending = time.Second
		before(w, k)
		for range 3 {
			if f := w.connectFails(freewheel, k, fault.Conflict); !strings.Contains(f.Message, "deleted") {
				w.Errorf("%v", f)
			}
		}
		w.calls("provision", 1)
	})
}

// TestStoredAnswer: what was answered is given again, whatever the operator has removed
// since.
func TestStoredAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts[customer] = &adserver.Account{Email: "gate@operator.example", Key: `{"private_key":"CANARY"}`}
		made := w.connectOnce(gam, once("k"))
		w.must(w.one.directory.KeepAnswer(w.Context(), customer, "k", []byte("answer")))
		delete(w.accounts, customer)
		again := w.connectOnce(gam, once("k"))
		if !again.Replayed || string(again.Answer) != "answer" || again.Source.Connection.ID != made.Source.Connection.ID {
			w.Errorf("%+v", again)
		}
		w.connectFails(gam, once("new"), fault.Conflict)
		// The key that could not be used is free.
		again = w.connectOnce(mock, once("new"))
		if again.Replayed {
			w.Errorf("%+v", again)
		}
	})
}

// TestRepetitionThatConfigures: a repetition that replaces the config waits no longer than
// for a tenant.
func TestRepetitionThatConfigures(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 5 * time.Second, status: 502, body: `{}`})
		w.agent.next("list", refuse(502, `{}`))
		id := w.connectFails(freewheel, once("k"), fault.Unavailable).ESAID
		w.agent.next("put-config", behaviour{before: 70 * time.Second})
		var again lifecycle.Connected
		w.takes(25*time.Second, func() { again = w.connectOnce(freewheel, once("k")) })
		if c := *again.Source.Connection; c.ID != id || c.Provisioning != registry.StatusActive {
			w.Errorf("%+v", c)
		}
		w.pass(time.Minute)
		w.is(w.stored(id), registry.StatusActive, "")
		w.calls("put-config", 1)
	})
}

// TestOrgIDTooLong: an id that upstream can't take is refused before upstream is asked.
func TestOrgIDTooLong(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.ExternalOrgID = "shop-{source_id}-{esa_id}"
		w.restart()
		fits := strings.Repeat("a", 91-len("shop--1000"))
		long := fits + "a"
		m := w.connected(`{"type":"mock","sourceId":"` + fits + `"}`)
		if m.Connection.ID != 1000 {
			w.Fatalf("the first has the id %d", m.Connection.ID)
		}
		if f := w.connectFails(`{"type":"mock","sourceId":"`+long+`"}`, once("k"), fault.Validation); f.Field != "sourceId" {
			w.Errorf("%+v", f)
		}
		w.sources(1)
		stands := w.pending(long)
		w.saveFails(stands.Connection.ID, mock, fault.Validation)
		w.is(w.stored(stands.Connection.ID), registry.StatusPending, "")
		w.calls("provision", 1)
		// The key is free.
		w.connectOnce(`{"type":"mock","sourceId":"short"}`, once("k"))
	})
}

// TestCallerLeavesKeyOfAnotherRequest: a caller who leaves releases no key of another
// request.
func TestCallerLeavesKeyOfAnotherRequest(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 10 * time.Second})
		go func() { _, _ = w.one.Connect(w.Context(), customer, w.parseConnect(freewheel), once("k")) }()
		w.pass(time.Second)
		ctx, leave := context.WithCancel(w.Context())
		leave()
		_, err := w.one.Connect(ctx, customer, w.parseConnect(freewheel), once("k"))
		if err == nil {
			w.Fatal("no request waited")
		}
		w.pass(time.Second)
		w.connectFails(freewheel, once("k"), fault.Conflict)
	})
}
