package upstreamtest_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestDeliveryFaults(t *testing.T) {
	for name, c := range map[string]struct {
		script []ut.DeliveryFault
		types  string // of three events
	}{
		"none":      {nil, "one/1 two/1 three/1"},
		"lost":      {[]ut.DeliveryFault{{}, {Lose: true}}, "one/1 three/1"},
		"twice":     {[]ut.DeliveryFault{{Repeat: 1}}, "one/1 one/2 two/1 three/1"},
		"reordered": {[]ut.DeliveryFault{{Hold: true}}, "two/1 one/1 three/1"},
		"backwards": {[]ut.DeliveryFault{{Hold: true}, {Hold: true}}, "one/1 three/1 two/1"},
		"last held": {[]ut.DeliveryFault{{}, {}, {Hold: true}}, "one/1 two/1"},
		"late":      {[]ut.DeliveryFault{{Delay: time.Hour}}, "one/1 two/1 three/1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a"}`)
				id := a.TenantIDs()[0]
				a.ScriptDeliveries(id, c.script...)
				for _, event := range []string{"one", "two", "three"} {
					a.Announce(id, event, nil)
				}
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if got := p.types(); got != c.types {
					t.Errorf("delivered %q, want %q", got, c.types)
				}
				for i, d := range p.seen() {
					if d.Attempt > 1 && d.ID != p.seen()[i-1].ID {
						t.Error("the event id changes between deliveries of one event")
					}
				}
			})
		})
	}
}

// TestNewsIsDatedByWhatHappened holds that a run which is noticed late is told of
// with the time of its end.
func TestNewsIsDatedByWhatHappened(t *testing.T) {
	p := &post{t: t}
	a, id, set := clocked(t, ut.Options{RunTakes: 25 * time.Second, Deliver: p.deliver})
	want(t, a, 201, "POST", "/tenants/"+id+"/webhooks", `{"url":"https://hook.example/"}`)
	a.StartRun(id, "inventory")
	set(time.Hour)
	a.Runs(id)
	if err := a.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := p.seen(); len(all) != 2 || all[0].Occurred != "2026-07-04T10:00:25.250000+00:00" || all[1].Type != "sync_health.changed" {
		t.Errorf("delivered %+v", all)
	}
}

func TestForgedAndSkewedDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a"}`)
		id := a.TenantIDs()[0]
		a.FaultDeliveries(id, ut.DeliveryFault{Forge: true})
		a.Announce(id, "one", nil)
		a.FaultDeliveries(id, ut.DeliveryFault{Skew: time.Hour})
		a.Announce(id, "two", nil)
		a.FaultDeliveries(id, ut.DeliveryFault{})
		a.Announce(id, "three", nil)
		if err := a.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct {
			ahead int64
			good  bool
		}{{0, false}, {3600, true}, {0, true}} {
			d := p.seen()[i]
			stamp := d.header.Get(ut.TimestampHeader)
			seconds, _ := strconv.ParseInt(stamp, 10, 64)
			if good := d.header.Get(ut.SignatureHeader) == ut.Sign(secret, stamp, d.body); good != c.good || seconds-time.Now().Unix() != c.ahead {
				t.Errorf("%d: signed well %t, %d s ahead", i, good, seconds-time.Now().Unix())
			}
		}
	})
}
