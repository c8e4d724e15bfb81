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
	cert := authority() // made outside of the bubble
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

const agent = "https://example.com/"

// exchange asks for a URL within ctx, and gives how long that took.
func exchange(ctx context.Context, t *testing.T, c *outbound.Client, url string) (time.Duration, error) {
	began := time.Now()
	_, _, err := ask(c, request(t, http.MethodGet, url, "").WithContext(ctx))
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
				early, cancel := context.WithTimeout(t.Context(), 13*time.Second)
				defer cancel()
				gone, stop := context.WithCancelCause(t.Context())
				time.AfterFunc(14*time.Second, func() { stop(errors.New(canary)) })
				for _, tt := range []struct {
					ctx  context.Context
					want error
					took time.Duration
				}{
					{t.Context(), context.DeadlineExceeded, outbound.MaxTime},
					{early, context.DeadlineExceeded, 3 * time.Second},
					{gone, context.Canceled, time.Second},
				} {
					took, err := exchange(tt.ctx, t, c, agent)
					if !errors.Is(err, tt.want) || outbound.Reason(err) != tt.want || took != tt.took {
						t.Errorf("after %v: %v", took, err)
					}
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
		took, err := exchange(t.Context(), t, c, agent)
		if !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		_ = theirs.Close()
		c.Close()
	})
}

// TestAnAnswerLeftOpenReleasesItsSlot after MaxTime.
func TestAnAnswerLeftOpenReleasesItsSlot(t *testing.T) {
	bubble(t, hello, func(t *testing.T, c *outbound.Client) {
		for i := range outbound.MaxAtOnce {
			resp, err := c.HTTP().Do(request(t, http.MethodGet, fmt.Sprintf("https://h%d.example.com/", i%12), ""))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
		}
		const head = 3 * time.Second
		time.Sleep(head)
		if took, err := exchange(t.Context(), t, c, agent); err != nil || took != outbound.MaxTime-head {
			t.Errorf("after %v: %v", took, err)
		}
	})
}
