package gateway_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// One customer's readers wait for a sales agent that hangs, as many as may: more of them are refused at once, and
// neither reads from memory nor another customer's wait for that.
func TestReadersWhoWaitLeaveRoom(t *testing.T) {
	s, paths := many(40)
	s.waiting = 20
	s.sources = append(s.sources, registry.ConfigSource{CustomerID: stranger, SourceID: "far", Name: "Far", TenantID: "tnt_far"})
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		w.get(statusOf) // there is a copy
		w.agent.Fault("", upstreamtest.Fault{Hang: true})
		w.agent.Fault("tnt_far", upstreamtest.Fault{Delay: time.Millisecond})
		begun := time.Now()
		var readers sync.WaitGroup
		var mu sync.Mutex
		atOnce, late := 0, 0
		for _, path := range append(paths, paths...) { // two readers of each source
			readers.Go(func() {
				a := w.unchecked(path)
				mu.Lock()
				defer mu.Unlock()
				after, _ := strconv.Atoi(a.header.Get("Retry-After"))
				switch took := time.Since(begun); {
				case a.status != http.StatusServiceUnavailable || after < 1:
					w.Errorf("%d, Retry-After %d: %s", a.status, after, a.body)
				case took == 0 && strings.Contains(string(a.body), "more than it can do"):
					atOnce++
				default:
					late++
				}
			})
		}
		time.Sleep(time.Second)
		if a := w.get(statusOf); a.status != http.StatusOK || time.Since(begun) != time.Second {
			w.Errorf("from memory: %d after %v", a.status, time.Since(begun))
		}
		if a := w.send(request("GET", strings.Replace(statusOf, source, "far", 1), otherKey, "")); a.status != http.StatusOK {
			w.Errorf("another customer's: %d: %s", a.status, a.body)
		}
		readers.Wait()
		if atOnce != 70 || late != 10 {
			w.Errorf("%d were refused at once and %d later", atOnce, late)
		}
		if want := `esagate_limits_refusals_total{limit="waits"} 70`; !strings.Contains(string(w.do("GET", "/metrics").body), want) {
			w.Errorf("no line %s", want)
		}
		w.agent.Fault("", upstreamtest.Fault{})
		time.Sleep(time.Minute)
		if a := w.get(paths[0]); a.status != http.StatusOK { // those who waited have left
			w.Errorf("afterwards: %d", a.status)
		}
	})
}
