package lifecycle_test

import (
	"reflect"
	"testing"

	"esagate/internal/fault"
	"esagate/registry"
)

var errStale = fault.New(fault.PreconditionFailed, "The precondition does not hold.")

// TestPrecondition: a change whose precondition does not hold is not begun, and upstream hears nothing
// of it, not even a question.
func TestPrecondition(t *testing.T) {
	inWorld(t, func(w *world) {
		active := w.connected(freewheel).Connection.ID
		pending := w.pending("weekly").Connection.ID
		w.agent.add("tnt_given", "org", "shop", "freewheel")
		unread := w.given(customer, "given", "tnt_given").Connection.ID // its config was not read yet
		asked := w.agent.asked()
		for _, id := range []int64{active, pending, unread} {
			before := w.stored(id)
			var seen *registry.Source
			stale := w.one.If(func(m *registry.Source) error {
				seen = m
				return errStale
			})
			for _, change := range []string{"save", "save another", "rotate", "test", "refresh", "deactivate", "reactivate"} {
				seen = nil
				err := (&replica{w: w, Lifecycle: stale}).do(w.Context(), change, id)
				if w.fails(err, fault.PreconditionFailed); seen == nil || seen.Connection.ID != id {
					w.Errorf("%s: held against %+v", change, seen)
				}
			}
			if after := w.stored(id); !reflect.DeepEqual(before, after) {
				w.Errorf("%+v became %+v", before, after)
			}
		}
		if n := w.agent.asked() - asked; n != 0 {
			w.Errorf("upstream was called %d times", n)
		}
	})
}

// TestPreconditionAtTheClaim: the transaction that records an operation holds the precondition against
// what another change left, and not against what the request itself has learned.
func TestPreconditionAtTheClaim(t *testing.T) {
	inWorld(t, func(w *world) {
		active := w.connected(freewheel).Connection.ID
		pending := w.pending("weekly").Connection.ID
		for change, id := range map[string]int64{"save": pending, "save another": active, "rotate": active, "deactivate": active} {
			checks, before := 0, w.stored(id)
			once := w.one.If(func(*registry.Source) error {
				if checks++; checks > 1 {
					return errStale
				}
				return nil
			})
			w.fails((&replica{w: w, Lifecycle: once}).do(w.Context(), change, id), fault.PreconditionFailed)
			if after := w.stored(id); !reflect.DeepEqual(before, after) {
				w.Errorf("%s: %+v became %+v", change, before, after)
			}
		}
		w.calls("provision", 1)
		w.calls("put-config", 0)
		w.calls("deactivate", 0)

		w.agent.add("tnt_given", "org", "shop", "freewheel")
		unread := w.given(customer, "given", "tnt_given")
		_, err := w.one.If(func(m *registry.Source) error {
			if m.Connection.AdServer != nil || !m.Connection.UpdatedAt.Equal(unread.Connection.UpdatedAt) {
				return errStale
			}
			return nil
		}).Save(w.Context(), customer, unread.Connection.ID, w.parse(freewheelNew))
		w.must(err)
		w.calls("put-config", 1)
	})
}
