package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/outbound"
)

// TestOneHostLeavesSlotsForOthers: many requests to a host that never answers wait for
// each other, through either client, and others begin at once.
func TestOneHostLeavesSlotsForOthers(t *testing.T) {
	var stuck atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(strings.ToLower(r.Host), "tar.") {
			hello(w, r)
			return
		}
		stuck.Add(1)
		defer stuck.Add(-1)
		<-r.Context().Done()
	}
	bubble(t, h, func(t *testing.T, c *outbound.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		const all = 2 * outbound.MaxAtOnce
		errs := make(chan error, all)
		for i := range all {
			client, url := c.HTTP(), "https://tar.example.com/"
			if i%2 == 0 {
				client, url = c.HTTPDirect(), "https://TAR.example.com:443/"
			}
			go func() {
				resp, err := client.Do(request(t, http.MethodGet, url, "").WithContext(ctx))
				if err == nil {
					_ = resp.Body.Close()
				}
				errs <- err
			}()
		}
		synctest.Wait()
		if n := stuck.Load(); n != outbound.MaxPerHost {
			t.Errorf("%d at once of one host", n)
		}
		for _, url := range []string{"https://h1.example.com/", "https://tar2.example.com/", "https://h1.example.com:8443/"} {
			if took, err := exchange(t.Context(), t, c, url); err != nil || took != 0 {
				t.Errorf("another host, after %v: %v", took, err)
			}
		}
		cancel()
		for range all {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		synctest.Wait()
		if n := c.Hosts(); n != 0 {
			t.Errorf("%d hosts keep slots without exchanges", n)
		}
	})
}

// TestExchangesAtOnceAreBounded: of ten hosts there are more exchanges than slots of all,
// and of each more than slots of its own. One that waits gives up with its context, and
// with it the slot of its host, for which another waits.
func TestExchangesAtOnceAreBounded(t *testing.T) {
	var now, most atomic.Int32
	var gate chan struct{} // of the bubble
	h := func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
	}
	bubble(t, h, func(t *testing.T, c *outbound.Client) {
		gate = make(chan struct{})
		const all = 10*outbound.MaxPerHost + 10
		errs, gaveUp := make(chan error, all+1), make(chan error, outbound.MaxPerHost)
		ask := func(ctx context.Context, url string, to chan<- error) {
			_, err := exchange(ctx, t, c, url)
			to <- err
		}
		for i := range all {
			go ask(t.Context(), fmt.Sprintf("https://h%d.example.com/", i%10), errs)
		}
		synctest.Wait()
		if n := now.Load(); n != outbound.MaxAtOnce {
			t.Errorf("%d at once", n)
		}
		late, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		for range outbound.MaxPerHost {
			go ask(late, agent, gaveUp)
		}
		synctest.Wait()
		go ask(t.Context(), agent, errs)
		for range outbound.MaxPerHost {
			if err := <-gaveUp; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		close(gate)
		for range all + 1 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if n := most.Load(); n != outbound.MaxAtOnce {
			t.Errorf("%d at most", n)
		}
	})
}
