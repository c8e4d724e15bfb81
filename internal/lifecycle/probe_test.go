package lifecycle_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestTest(t *testing.T) {
	type test struct {
		body   string
		passed bool
		code   string
		text   string
	}
	inWorlds(t, map[string]test{
		"passed":      {`{"success":true,"capability_checks":[]}`, true, "", ""},
		"failed":      {`{"success":false,"error":"It says no.","error_code":"permission_denied"}`, false, "ADAPTER_PERMISSION_DENIED", "It says no."},
		"a secret":    {`{"success":false,"error":"password=CANARY","error_code":"invalid_credentials"}`, false, "ADAPTER_INVALID_CREDENTIALS", "The ad server refused the saved credentials."},
		"no word why": {`{"success":false}`, false, "INTERNAL_ERROR", "Something went wrong on our side while the ad server was connected."},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.pass(time.Minute)
		began := time.Now()
		w.agent.next("test", behaviour{before: 10 * time.Second, status: 200, body: x.body})
		result, m, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		if result.Success != x.passed {
			w.Errorf("result %+v", result)
		}
		c := w.stored(id)
		w.is(c, registry.StatusActive, x.code)
		if c.LastError != x.text || c.LastTestPassed != x.passed || !c.LastTestedAt.Equal(began) || c.Epoch <= before.Epoch || m.Connection.Version != c.Version {
			w.Errorf("%+v", c)
		}
	})
}

// TestATestOfTheEarlierConfig does not vouch for the one that was saved meanwhile.
func TestATestOfTheEarlierConfig(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.pass(time.Minute)
		w.agent.next("test", behaviour{after: 20 * time.Second})
		time.AfterFunc(5*time.Second, func() {
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
			w.must(err)
		})
		_, m, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		if c := *m.Connection; !c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, saved at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
	})
}

func TestATestThatCantBeMade(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("test", behaviour{status: 500, body: `{}`}, refuse(404, noTenant), behaviour{after: 100 * time.Second})
		_, _, err := w.one.Test(w.Context(), customer, id)
		w.fails(err, fault.Unavailable)
		_, _, err = w.one.Test(w.Context(), customer, id)
		if f := w.fails(err, fault.NotFound); f.Reason != fault.TenantNotFound {
			w.Errorf("%+v", f)
		}
		_, _, err = w.one.Test(w.Context(), customer, id)
		if f := w.fails(err, fault.Unavailable); f.Reason != fault.UpstreamTimeout {
			w.Errorf("%+v", f)
		}
		if c := w.stored(id); !c.LastTestedAt.IsZero() {
			w.Errorf("%+v", c)
		}
	})
}

// TestAResultThatCantBeRecorded is given all the same, and the snapshots become old
// when the store is back.
func TestAResultThatCantBeRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.one.faulty.away.Store(true)
		result, m, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		if !result.Success || m.Connection.ID != id {
			w.Errorf("%+v", result)
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		if c := w.stored(id); c.Epoch <= before.Epoch {
			w.Error("snapshots from before the test are still new")
		}
	})
}

func TestRefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		answer, err := w.one.Refresh(w.Context(), customer, id)
		w.must(err)
		if answer.AlreadyRunning || len(answer.SyncRunIDs) != 1 || w.stored(id).Epoch != before.Epoch+1 {
			w.Errorf("%+v", answer)
		}
		w.agent.next("refresh", behaviour{status: 503, body: `{}`})
		_, err = w.one.Refresh(w.Context(), customer, id)
		w.fails(err, fault.Unavailable)
	})
}
