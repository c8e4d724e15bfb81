package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// TestOverviewReadsWhatNobodyHasRead, in the background, a few at a time and each source once; who asks waits for
// nothing.
func TestOverviewReadsWhatNobodyHasRead(t *testing.T) {
	s, _ := many(19)
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		w.agent.Fault("", upstreamtest.Fault{Delay: time.Second})
		begun := time.Now()
		for range 3 {
			if o := w.overview(""); o.Counts["unknown"] != 20 || !strings.HasPrefix(o.Headline, "The sales agent has not answered since the gateway was started; ") {
				w.Errorf("%v: %s", o.Counts, o.Headline)
			}
		}
		if time.Now() != begun {
			w.Errorf("it took %v", time.Since(begun))
		}
		w.pass(500 * time.Millisecond)
		for second := range 5 {
			if n := w.agent.Calls(""); n != 4*(second+1) {
				w.Errorf("%d calls after %d s", n, second)
			}
			w.overview("?take=1")
			w.pass(time.Second)
		}
		w.pass(10 * time.Second)
		if o := w.overview(""); o.Counts["unknown"] != 0 || o.Counts["blocked"] != 19 || o.Counts["live"] != 1 {
			w.Errorf("%v", o.Counts)
		}
		for _, c := range s.sources {
			if n := w.agent.Calls(c.TenantID); n != 1 {
				w.Errorf("%s was read %d times", c.SourceID, n)
			}
		}
	})
}

// TestOverviewInAnOutage: rows stay as they were and say that they are old and why, and the headline whose doing
// that is.
func TestOverviewInAnOutage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.get(statusOf)
		since := *w.overview("").row(w, source).Since
		w.agent.SetDown(true)
		for range 100 {
			w.pass(time.Second)
			w.unchecked(statusOf)
		}
		calls := w.agent.Calls("")
		o := w.overview("")
		row := o.row(w, source)
		if row.State != "live" || !row.Stale || row.Breaker != "open" || *row.Since != since || *row.Age < 100 {
			w.Errorf("%+v", row)
		}
		if pending := o.row(w, unplanned); pending.Breaker != "closed" || pending.Stale {
			w.Errorf("%+v", pending)
		}
		if o.Headline != "The sales agent gives no status of any source; as last known, 1 of 2 sources sells; 1 is being connected." {
			w.Errorf("%s", o.Headline)
		}
		if n := w.agent.Calls("") - calls; n != 0 {
			w.Errorf("%d calls", n)
		}
		w.agent.SetDown(false)
		for range 60 {
			w.pass(time.Second)
			w.unchecked(statusOf)
		}
		o = w.overview("")
		if row := o.row(w, source); row.State != "live" || row.Stale || row.Breaker != "closed" || *row.Since != since || *row.Age > 6 {
			w.Errorf("%+v", row)
		}
		if o.Headline != "1 of 2 sources sells; 1 is being connected." {
			w.Errorf("%s", o.Headline)
		}
	})
}

// TestOverviewOrders: each order, and turned round; what is equal in it stays in the order of customers and sourceIds.
func TestOverviewOrders(t *testing.T) {
	s, paths := many(3)
	s.sources = append(s.sources, registry.ConfigSource{CustomerID: stranger, SourceID: "a-stranger", Name: "Z"})
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		for _, path := range []string{paths[2], statusOf, paths[0], paths[1]} {
			w.get(path)
			w.pass(2 * time.Second)
		}
		w.overview("")
		w.pass(time.Second)
		for sort, want := range map[string]string{
			"since": "many-02 meadow-daily many-00 many-01 not-yet-provisioned a-stranger", "-since": "a-stranger not-yet-provisioned many-01 many-00 meadow-daily many-02",
			"age": "many-01 many-00 meadow-daily many-02 not-yet-provisioned a-stranger", "-age": "not-yet-provisioned a-stranger many-02 meadow-daily many-00 many-01",
			"customerId":  "many-00 many-01 many-02 meadow-daily not-yet-provisioned a-stranger",
			"-customerId": "a-stranger many-00 many-01 many-02 meadow-daily not-yet-provisioned",
			"state":       "many-02 many-00 many-01 not-yet-provisioned a-stranger meadow-daily",
			"-state":      "meadow-daily a-stranger not-yet-provisioned many-01 many-00 many-02",
			"name":        "many-00 many-01 many-02 meadow-daily not-yet-provisioned a-stranger",
			"-sourceId":   "not-yet-provisioned meadow-daily many-02 many-01 many-00 a-stranger",
		} {
			o := decode[overviewView](w, w.send(request("GET", overviewPath+"?sort="+sort, wallKey, "")), 200)
			if got := strings.Join(o.order(), " "); got != want {
				w.Errorf("by %s:\n got %s\nwant %s", sort, got, want)
			}
		}
	})
}

// TestOverviewEchoesNothing: what a request says is in Link encoded, and nowhere else.
func TestOverviewEchoesNothing(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.get(overviewPath + "?q=%0d%0aX-Evil:%201%3E%3B%20rel=%22next%22")
		const want = "?q=%0D%0AX-Evil%3A+1%3E%3B+rel%3D%22next%22&skip=0&take=200"
		if got := link(a, "first"); got != overviewPath+want {
			w.Errorf("%s", a.header.Get("Link"))
		}
		if n := len(a.header.Values("Link")); n != 1 || strings.ContainsAny(a.header.Get("Link"), "\r\n") || strings.Count(a.header.Get("Link"), `rel="next"`) != 0 {
			w.Errorf("%q", a.header.Values("Link"))
		}
		for name, values := range a.header {
			if name != "Link" && strings.Contains(fmt.Sprint(name, values), "Evil") {
				w.Errorf("%s: %q", name, values)
			}
		}
		if strings.Contains(string(a.body), "Evil") {
			w.Errorf("%s", a.body)
		}
	})
}
