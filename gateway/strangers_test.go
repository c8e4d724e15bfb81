package gateway_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/gateway"
	"esagate/internal/ratelimit"
	"esagate/upstream/upstreamtest"
)

// line is a client's connection to a gateway that serves in memory.
type line struct {
	*world
	net.Conn
	r *bufio.Reader
}

func (w *world) dial(l *pipes) *line {
	c := l.dial()
	return &line{w, c, bufio.NewReader(c)}
}

// say sends the beginning of a request and does not wait until it is taken.
func (c *line) say(format string, args ...any) {
	go func() { _, _ = fmt.Fprintf(c.Conn, format, args...) }()
	synctest.Wait()
}

// hear reads an answer, and reports how long it took and whether the connection goes on.
func (c *line) hear() (status int, header http.Header, took time.Duration) {
	c.Helper()
	begun := time.Now()
	resp, err := http.ReadResponse(c.r, nil)
	c.must(err)
	_, err = io.Copy(io.Discard, resp.Body)
	c.must(err)
	if resp.Close {
		resp.Header.Set("Connection", "close")
	}
	return resp.StatusCode, resp.Header, time.Since(begun)
}

// hears wants an answer at once.
func (c *line) hears(name string, want int) http.Header {
	c.Helper()
	status, header, took := c.hear()
	if status != want || took != 0 {
		c.Errorf("%s: %d after %s, want %d at once", name, status, took, want)
	}
	return header
}

// delivery writes a delivery of tenant's, signed with a secret, up to a length of the body.
func delivery(tenant, secret, id string, upTo int) string {
	body := fmt.Sprintf(`{"event_id":%q,"event_type":"sync_run.completed","tenant_id":%q,"occurred_at":%q,"data":{"sync_type":"inventory","status":"completed"}}`,
		id, tenant, time.Now().UTC().Format(time.RFC3339))
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s: %s\r\n%s: %s\r\n\r\n%s",
		gateway.WebhookPath, len(body), upstreamtest.TimestampHeader, stamp, upstreamtest.SignatureHeader,
		upstreamtest.Sign(secret, stamp, []byte(body)), body[:min(upTo, len(body))])
}

// TestSlowDeliveriesKeepNobodyOut: they hold a connection for five seconds and nothing else.
func TestSlowDeliveriesKeepNobodyOut(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		_, c := w.connected("harbour")
		w.pass(time.Second)
		secret := w.agent.Subscriptions(*c.TenantID)[0].Secret
		begun := time.Now()
		var slow []*line
		for range 500 {
			s := w.dial(l)
			s.say("%s", delivery(*c.TenantID, "a secret of a stranger's", "evt-0", 40))
			slow = append(slow, s)
		}
		genuine := w.dial(l)
		for i := range 3 { // the deadline of one delivery is not the next one's
			genuine.say("%s", delivery(*c.TenantID, secret, fmt.Sprint("evt-", i), 1000))
			genuine.hears("a genuine delivery", 204)
			if i == 0 {
				for _, s := range slow {
					if status, header, _ := s.hear(); status != 400 || header.Get("Connection") != "close" || time.Since(begun) != 5*time.Second {
						w.Fatalf("a slow one: %d %v after %s", status, header, time.Since(begun))
					}
					w.must(s.Close())
				}
			}
			w.pass(20 * time.Second)
		}
		w.must(genuine.Close())
	})
}

// TestLargeDeliveriesAreRefusedUnread, by the length that they announce.
func TestLargeDeliveriesAreRefusedUnread(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		for length, want := range map[int]int{16<<10 + 1: 413, 16 << 10: 400} {
			c := w.dial(l)
			head := delivery(tenant, "a secret", "evt-0", 0)
			c.say("%s", strings.Replace(head, "Content-Length: ", fmt.Sprintf("Content-Length: %d\r\nX-Was: ", length), 1)+"{")
			status, header, took := c.hear()
			if status != want || header.Get("Connection") != "close" || (took != 0) != (want == 400) {
				w.Errorf("%d bytes: %d %v after %s", length, status, header, took)
			}
			w.must(c.Close())
		}
	})
}

// TestUnreadBodiesAreNotWaitedFor: the answer does not depend on what is still to come.
func TestUnreadBodiesAreNotWaitedFor(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		for _, request := range []string{
			"PUT " + sourcesPath + "/x HTTP/1.1\r\nAuthorization: Bearer nobody\r\nContent-Length: 1000",
			"POST " + gateway.WebhookPath + " HTTP/1.1\r\nContent-Length: 1000",
			"GET /healthz HTTP/1.1\r\nContent-Length: 1000",
			"GET " + statusOf + " HTTP/1.1\r\nAuthorization: Bearer " + readKey + "\r\nContent-Length: 5000",
			"DELETE /healthz HTTP/1.1\r\nTransfer-Encoding: chunked",
		} {
			c := w.dial(l)
			c.say("%s\r\nHost: x\r\nContent-Type: application/json\r\n\r\n", request)
			if status, header, took := c.hear(); status != 200 && (status < 401 || status > 405) || took != 0 || header.Get("Connection") != "close" {
				w.Errorf("%.30s: %d %v after %s", request, status, header, took)
			}
			c.ended(request, 500*time.Millisecond)
		}
	})
}

// ended wants the server to have closed the connection after so long.
func (c *line) ended(name string, after time.Duration) {
	c.Helper()
	begun := time.Now()
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil || time.Since(begun) != after {
		c.Errorf("%.40s: %d more bytes, then %v after %s, want an end after %s", name, len(rest), err, time.Since(begun), after)
	}
	c.must(c.Close())
}

// TestRefusedBodiesAreNotWaitedFor: also where the key is good, except for half a second where they are short.
func TestRefusedBodiesAreNotWaitedFor(t *testing.T) {
	limits := ratelimit.Limits{Writes: ratelimit.Limit{Rate: 0.02, Burst: 1}}
	servedAs(t, setup{limits: limits}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.write("POST", sourcesPath, "{}").failure(w, 400, "VALIDATION_ERROR")
		head := func(path, key, framing string) string {
			return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " + key + "\r\n" + framing + "\r\n\r\n"
		}
		for _, test := range []struct {
			request string
			status  int
			waits   time.Duration // for the answer
			rest    time.Duration // for the end
		}{
			{head(sourcesPath, writeKey, "Content-Length: 100000"), 429, 0, restTimeout},
			{head(sourcesPath, writeKey, "Content-Length: 900000"), 429, 0, restTimeout},
			{head(sourcesPath, writeKey, "Transfer-Encoding: chunked"), 429, 0, restTimeout},
			{head(sourcesPath, writeKey, "Content-Length: 1000\r\nExpect: 100-continue"), 429, 0, restTimeout},
			{head(sourcesPath, writeKey, "Content-Length: 1000"), 429, restTimeout, 0},
			{head("/nothing", writeKey, "Transfer-Encoding: chunked"), 404, 0, restTimeout},
			{head("/audit", writeKey, "Content-Length: 100000"), 405, 0, restTimeout},
		} {
			c := w.dial(l)
			c.say("%s", test.request)
			if status, header, took := c.hear(); status != test.status || took != test.waits || header.Get("Connection") != "close" {
				w.Errorf("%s: %d %v after %s", test.request, status, header, took)
			}
			c.ended(test.request, test.rest)
		}
		c := w.dial(l)
		for range 3 { // short ones that are there cost no connection
			c.say("%s", head(sourcesPath, writeKey, "Content-Length: 1000")+strings.Repeat(" ", 1000))
			if h := c.hears("with its body", 429); h.Get("Connection") != "" {
				w.Errorf("%v", h)
			}
			w.pass(time.Second)
		}
		w.must(c.Close())
	})
}

// restTimeout is how long the rest of an unwanted body is waited for.
const restTimeout = 500 * time.Millisecond

// TestStrangersWhoDoNotReadAreCutOff: with many requests on a connection and none of the answers taken, it is
// held for ten seconds; a customer has a minute.
func TestStrangersWhoDoNotReadAreCutOff(t *testing.T) {
	servedAs(t, setup{origins: []string{"https://app.example"}}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		for request, want := range map[string]time.Duration{
			"GET /healthz": 10, "GET /nothing": 10, "GET /openapi.yaml": 10, "HEAD /oauth/callback": 10, "OPTIONS *": 10,
			"OPTIONS " + statusOf + " HTTP/1.1\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: GET\r\nX: ": 10,
			"GET " + statusOf + " HTTP/1.1\r\nAuthorization: Bearer " + readKey + "\r\nX: ":                                 60,
		} {
			c := w.dial(l)
			_, err := fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: x\r\n\r\n", request)
			w.must(err)
			w.pass(want*time.Second - time.Millisecond)
			before := c.SetReadDeadline(time.Now()) // fails where the other end is closed
			w.pass(time.Second)
			if after := c.SetReadDeadline(time.Now()); before != nil || after == nil {
				w.Errorf("%.30s: %v after %d s, then %v", request, before, want, after)
			}
			w.must(c.Close())
		}
	})
}

// TestSlowReadersOfMetricsKeepNobodyOut: they hold a connection for ten seconds and nothing else.
func TestSlowReadersOfMetricsKeepNobodyOut(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		const ask = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
		var slow []*line
		for range 50 {
			s := w.dial(l)
			s.say(ask)
			slow = append(slow, s)
		}
		for range 10 {
			c := w.dial(l)
			c.say(ask)
			c.hears("a scrape", 200)
			w.must(c.Close())
		}
		w.pass(11 * time.Second)
		for _, s := range slow {
			if rest, err := io.ReadAll(s); len(rest) > 0 || err != nil {
				w.Fatalf("a slow reader: %d bytes, %v", len(rest), err)
			}
		}
	})
}

// TestMetricsAreGatheredOnceASecond, however many ask, in both formats.
func TestMetricsAreGatheredOnceASecond(t *testing.T) {
	gathered := map[string]int{}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept := cmp.Or(r.Header.Get("Accept"), "text/plain")
		gathered[accept]++
		w.Header().Set("Content-Type", accept)
		_, _ = io.WriteString(w, strings.Repeat("# metrics\n", 50))
	})
	inWorld(t, setup{metrics: page}, func(w *world) {
		for range 3 {
			for range 5 {
				for accept, want := range map[string]string{"": "text/plain", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5": "application/openmetrics-text;version=1.0.0"} {
					a := w.do("GET", "/metrics", "Accept", accept)
					if a.status != 200 || a.header.Get("Content-Type") != want || len(a.body) != 500 {
						w.Errorf("%q: %d %v", accept, a.status, a.header)
					}
				}
			}
			if a := w.do("GET", "/metrics", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "gzip" {
				w.Errorf("compressed: %v", a.header)
			}
			w.pass(time.Second)
		}
		if len(gathered) != 2 || gathered["text/plain"] != 3 {
			w.Errorf("gathered %v", gathered)
		}
	})
}

// TestSlowBodiesAreBounded: of one customer's, those that find no memory left are refused at once, and another
// customer notices nothing.
func TestSlowBodiesAreBounded(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		begun := time.Now()
		content := strings.Repeat(" ", 300_000)
		post := func(key string, length int, content string) *line {
			c := w.dial(l)
			c.say("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				sourcesPath, key, length, content)
			return c
		}
		var slow, all []*line
		for range 100 {
			all = append(all, post(writeKey, 1<<20, content))
		}
		for _, c := range all {
			w.must(c.SetReadDeadline(time.Now().Add(1)))
			if _, err := c.r.Peek(1); err != nil {
				slow = append(slow, c)
				continue
			}
			w.must(c.SetReadDeadline(time.Time{}))
			if h := c.hears("one too many", 503); h.Get("Retry-After") != "1" || h.Get("Connection") != "close" {
				w.Errorf("%v", h)
			}
			w.must(c.Close())
		}
		// Memory for 300,000 bytes was got in a piece of 512 KiB at last, 32 of which come to 16 MiB.
		if len(slow) < 30 || len(slow) > 32 {
			w.Errorf("%d bodies are received at once", len(slow))
		}
		for name, key := range map[string]string{"another customer": otherKey, "an operator for this one": deskKey + "\r\nEsagate-Customer: 4711"} {
			other := post(key, 1<<20, strings.Repeat(" ", 1<<20))
			other.hears(name, 400)
			w.must(other.Close())
		}
		for _, c := range slow {
			w.must(c.SetReadDeadline(time.Time{}))
			if status, _, _ := c.hear(); status != 400 || time.Since(begun).Round(time.Second) != 30*time.Second {
				w.Fatalf("a slow one: %d after %s", status, time.Since(begun))
			}
			w.must(c.Close())
		}
		for range 20 { // what was held is given back
			c := post(writeKey, 1<<20, strings.Repeat(" ", 1<<20))
			c.hears("afterwards", 400)
			w.must(c.Close())
		}
	})
}

// TestSlowSmallBodiesAreBounded: they hold connections, of which one customer can't have all.
func TestSlowSmallBodiesAreBounded(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		var all []*line
		for range 300 {
			c := w.dial(l)
			c.say("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{", sourcesPath, writeKey)
			all = append(all, c)
			if len(all) > 256 {
				status, _, _ := c.hear()
				if status != 503 {
					w.Errorf("%d: %d", len(all), status)
				}
			}
		}
		if a := w.writeAs(otherKey, "POST", sourcesPath, "{}"); a.status != 400 {
			w.Errorf("another customer: %d %s", a.status, a.body)
		}
		for _, c := range all {
			w.must(c.Close())
		}
	})
}

// TestAnnouncedLengthsHoldNothing.
func TestAnnouncedLengthsHoldNothing(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		var silent []*line
		for range 100 {
			c := w.dial(l)
			c.say("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{",
				sourcesPath, writeKey, 1<<20)
			silent = append(silent, c)
		}
		if a := w.write("POST", sourcesPath, strings.Repeat(" ", 1<<20)); a.status != 400 {
			w.Errorf("%d %s", a.status, a.body)
		}
		for _, c := range silent {
			w.must(c.Close())
		}
	})
}
