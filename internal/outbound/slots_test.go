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
			client, url := c.HTTP(), "https://tar.agents.test/"
			if i%2 == 0 {
				client, url = c.HTTPDirect(), "https://TAR.agents.test:443/"
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
		for _, url := range []string{"https://h1.agents.test/", "https://tar2.agents.test/", "https://h1.agents.test:8443/"} {
			if took, err := inFrom(c, request(t, http.MethodGet, url, "")); err != nil || took != 0 {
				t.Errorf("another host, after %v: %v", took, err)
			}
		}
		// One that waits gives up with its context.
		late, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if took, err := inFrom(c, request(t, http.MethodGet, "https://tar.agents.test/", "").WithContext(late)); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("waiting for a slot, after %v: %v", took, err)
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

// TestSlotsAreReleased: many more exchanges than slots, one after the other.
func TestSlotsAreReleased(t *testing.T) {
	bubble(t, hello, func(t *testing.T, c *outbound.Client) {
		for i := range 3 * outbound.MaxPerHost {
			took, err := inFrom(c, request(t, http.MethodGet, agent, ""))
			if err != nil || took != 0 {
				t.Fatalf("exchange %d, after %v: %v", i, took, err)
			}
		}
		for i := range 2 * outbound.MaxAtOnce {
			took, err := inFrom(c, request(t, http.MethodGet, fmt.Sprintf("https://h%d.agents.test/", i), ""))
			if err != nil || took != 0 {
				t.Fatalf("host %d, after %v: %v", i, took, err)
			}
		}
	})
}

// TestGivingUpReleasesTheSlotOfTheHost for the request that waits behind it.
func TestGivingUpReleasesTheSlotOfTheHost(t *testing.T) {
	var gate chan struct{} // of the bubble
	h := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
		case <-r.Context().Done():
		}
	}
	bubble(t, h, func(t *testing.T, c *outbound.Client) {
		gate = make(chan struct{})
		errs := make(chan error, outbound.MaxAtOnce)
		for i := range outbound.MaxAtOnce { // none is left of all
			go func() {
				_, _, err := get(t, c, fmt.Sprintf("https://h%d.agents.test/", i))
				errs <- err
			}()
		}
		synctest.Wait()
		late, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		gaveUp := make(chan error, outbound.MaxPerHost)
		for range outbound.MaxPerHost {
			go func() {
				_, err := inFrom(c, request(t, http.MethodGet, agent, "").WithContext(late))
				gaveUp <- err
			}()
		}
		synctest.Wait()
		last := make(chan error, 1)
		go func() {
			_, _, err := get(t, c, agent)
			last <- err
		}()
		for range outbound.MaxPerHost {
			if err := <-gaveUp; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		close(gate)
		for range outbound.MaxAtOnce {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if err := <-last; err != nil {
			t.Errorf("who waited behind them: %v", err)
		}
	})
}
