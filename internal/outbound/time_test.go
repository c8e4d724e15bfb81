package outbound_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/outbound"
)

// pipes is a listener whose connections are made by dial, in memory, so that time
// in a synctest bubble goes by while they are waited on.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
	case <-ctx.Done():
	}
	return nil, errors.Join(ours.Close(), theirs.Close(), net.ErrClosed)
}

// bubble runs a test in a synctest bubble, with a server to which all names lead.
func bubble(t *testing.T, h http.HandlerFunc, test func(t *testing.T, c *outbound.Client)) {
	t.Helper()
	cert, _ := authority()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = srv.Serve(tls.NewListener(p, &tls.Config{Certificates: []tls.Certificate{cert}}))
		}()
		c := outbound.New(options().WithDial(p.dial))
		test(t, c)
		synctest.Wait()
		c.Close()
		_ = srv.Close()
		<-served
	})
}

const agent = "https://agents.test/"

// inFrom is how long an exchange took, and what came of it.
func inFrom(c *outbound.Client, req *http.Request) (time.Duration, error) {
	began := time.Now()
	_, _, err := ask(c, req)
	return time.Since(began), err
}

func TestEverythingTakesTenSecondsAtMost(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, "x"); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"a dripping body": drip,
		"slow redirects": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(4 * time.Second):
			case <-r.Context().Done():
			}
			http.Redirect(w, r, "/"+r.URL.Path, http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, h, func(t *testing.T, c *outbound.Client) {
				took, err := inFrom(c, request(t, http.MethodGet, agent, ""))
				if !errors.Is(err, context.DeadlineExceeded) || outbound.Reason(err) != context.DeadlineExceeded || took != outbound.MaxTime {
					t.Errorf("after %v: %v", took, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				took, err = inFrom(c, request(t, http.MethodGet, agent, "").WithContext(ctx))
				if !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
					t.Errorf("with an earlier deadline, after %v: %v", took, err)
				}
				ctx, stop := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { stop(errors.New(canary)) })
				took, err = inFrom(c, request(t, http.MethodGet, agent, "").WithContext(ctx))
				if !errors.Is(err, context.Canceled) || took != time.Second {
					t.Errorf("cancelled, after %v: %v", took, err)
				}
			})
		})
	}
}

// TestConnectingHasALimitOfItsOwn: a host that takes the connection and says nothing.
func TestConnectingHasALimitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var theirs net.Conn
		c := outbound.New(options().WithDial(func(context.Context, string, string) (net.Conn, error) {
			var ours net.Conn
			ours, theirs = net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}))
		took, err := inFrom(c, request(t, http.MethodGet, agent, ""))
		if !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		_ = theirs.Close()
		c.Close()
	})
}

// TestExchangesAtOnceAreBounded asks many hosts, because each has a bound of its own.
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
		const all = outbound.MaxAtOnce + 20
		errs := make(chan error, all)
		for i := range all {
			go func() {
				_, _, err := get(t, c, fmt.Sprintf("https://h%d.agents.test/", i%12))
				errs <- err
			}()
		}
		synctest.Wait()
		if n := now.Load(); n != outbound.MaxAtOnce {
			t.Errorf("%d at once", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took, err := inFrom(c, request(t, http.MethodGet, agent, "").WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("waiting for a slot, after %v: %v", took, err)
		}
		close(gate)
		for range all {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if n := most.Load(); n != outbound.MaxAtOnce {
			t.Errorf("%d at most", n)
		}
	})
}

// TestAnAnswerLeftOpenReleasesItsSlot after MaxTime.
func TestAnAnswerLeftOpenReleasesItsSlot(t *testing.T) {
	bubble(t, hello, func(t *testing.T, c *outbound.Client) {
		for i := range outbound.MaxAtOnce {
			resp, err := c.HTTP().Do(request(t, http.MethodGet, fmt.Sprintf("https://h%d.agents.test/", i%12), ""))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
		}
		const head = 3 * time.Second
		time.Sleep(head)
		took, err := inFrom(c, request(t, http.MethodGet, agent, ""))
		if err != nil || took != outbound.MaxTime-head {
			t.Errorf("after %v: %v", took, err)
		}
	})
}
