package proxy_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/gateway/proxy"
)

const asksUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

// upgraded answers as a server of another protocol does, and gives its connection to talk.
func upgraded(protocol string, talk func(*bufio.ReadWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, "nothing was asked for")
			return
		}
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\nX-Theirs: 1\r\n\r\n")
		_ = both.Flush()
		talk(both)
	}
}

func echo(both *bufio.ReadWriter) {
	for {
		line, err := both.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = both.WriteString(line)
		_ = both.Flush()
	}
}

func TestWebsocketsPass(t *testing.T) {
	inRig(t, limits, upgraded("WebSocket", echo), func(r *rig) {
		r.target.Upgrade = true
		r.target.Answer = func(resp *http.Response) error { resp.Header = http.Header{"X-Known": {"1"}}; return nil }
		c := r.get("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n")
		resp := c.answer()
		if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("X-Known") == "" || resp.Header.Get("X-Theirs") != "" {
			r.Fatalf("%d %v", resp.StatusCode, resp.Header)
		}
		for range 10 {
			time.Sleep(limits.Idle - time.Second) // far beyond the server's deadlines
			if _, err := io.WriteString(c, "hello\n"); err != nil {
				r.Fatal(err)
			}
			if line, err := c.ReadString('\n'); err != nil || line != "hello\n" {
				r.Fatalf("%q, %v", line, err)
			}
		}
		_ = c.Close()
		if x := r.outcome(); !x.Upgraded || !x.Stream || x.Sent != 60 || x.Received != 60 || x.Err != nil {
			r.Errorf("%+v", x)
		}
	})
}

// TestNothingElseIsUpgraded: what is not wanted is an ordinary request, and what was not asked for no answer.
func TestNothingElseIsUpgraded(t *testing.T) {
	for name, test := range map[string]struct {
		method, headers string
		wanted          bool
		protocol        string
		status          int
	}{
		"not wanted":       {"GET", asksUpgrade, false, "websocket", 200},
		"another one":      {"GET", "Connection: Upgrade\r\nUpgrade: h2c\r\n", true, "h2c", 200},
		"not asked for":    {"GET", "Upgrade: websocket\r\n", true, "websocket", 200},
		"another answered": {"GET", asksUpgrade, true, "h2c", 502},
		"a POST":           {"POST", asksUpgrade, true, "websocket", 200},
		"with a body":      {"GET", asksUpgrade + "Content-Length: 1\r\n", true, "websocket", 200},
	} {
		inRig(t, limits, upgraded(test.protocol, echo), func(r *rig) {
			r.target.Upgrade = test.wanted
			if status, body, _ := r.say("%s / HTTP/1.1\r\nHost: front.example\r\n%s\r\nx", test.method, test.headers).whole(); status != test.status {
				r.Errorf("%s: %d %q", name, status, body)
			}
		})
	}
}

// TestAnUpgradedConnectionHasBounds, also where its client neither reads nor writes.
func TestAnUpgradedConnectionHasBounds(t *testing.T) {
	flood := func(both *bufio.ReadWriter) {
		for {
			if _, err := both.WriteString(strings.Repeat("x", 4<<10)); err != nil {
				return
			}
		}
	}
	drain := func(both *bufio.ReadWriter) { _, _ = io.Copy(io.Discard, both) }
	for name, test := range map[string]struct {
		talk   func(*bufio.ReadWriter)
		floods bool // the client does
		read   bool
		want   error
		took   time.Duration
	}{
		"silence":                     {echo, false, true, proxy.ErrIdle, limits.Idle},
		"a client that does not read": {flood, false, false, proxy.ErrIdle, limits.Idle},
		"a flood":                     {flood, false, true, proxy.ErrTooLarge, 0},
		"a client that floods":        {drain, true, true, proxy.ErrRequestTooLarge, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, limits, upgraded("websocket", test.talk), func(r *rig) {
				r.target.Upgrade = true
				c := r.get(asksUpgrade)
				c.answer()
				if test.read {
					go func() { _, _ = io.Copy(io.Discard, c.Reader) }()
				}
				if test.floods {
					go flood(bufio.NewReadWriter(nil, bufio.NewWriter(c.Conn)))
				}
				time.Sleep(limits.Idle)
				synctest.Wait()
				if x := r.outcome(); !errors.Is(x.Err, test.want) || x.Took != test.took {
					r.Errorf("after %s: %v", x.Took, x.Err)
				}
			})
		})
	}
}
