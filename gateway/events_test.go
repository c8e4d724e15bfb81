package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	completed = "sync.completed "
	changed   = "connection.changed "
)

func TestStreamsOfEvents(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		mine := w.follow(l, readKey, "")
		some := w.follow(l, readKey, "?sourceId=a&sourceId=b&types=sync.completed,sync.failed")
		others := w.follow(l, otherKey, "?sourceId=a")
		start := mine.lastID
		if mine.header.Get("Content-Type") != "text/event-stream" || mine.header.Get("Ratelimit") != "" ||
			len(mine.retry) != 1 || mine.comments != 1 || start == "" {
			w.Errorf("it begins with %v, %d comments, the id %q, and waits of %v", mine.header, mine.comments, start, mine.retry)
		}
		w.publish(customer, "a")
		mine.got(completed + "a")
		w.change(customer, "b")
		w.publish(customer, "c")
		w.publish(customer, "b")
		mine.got(changed+"b", completed+"c", completed+"b")
		some.got(completed+"a", completed+"b")
		others.got()

		again := w.follow(l, writeKey, "", "Last-Event-ID: "+start+"\r\n")
		again.got(completed+"a", changed+"b", completed+"c", completed+"b")
		for _, id := range []string{mine.lastID, "1", "x {}-\xff", strings.Repeat("9", 1000)} {
			lost := w.follow(l, otherKey, "?sourceId=a", "Last-Event-ID: "+id+"\r\n")
			w.publish(customer, "a")
			lost.got("resync")
			w.publish(stranger, "a")
			lost.got(completed + "a")
			if strings.Contains(lost.lastID, start[:4]) {
				w.Errorf("the id %q is like that of another customer's", lost.lastID)
			}
			lost.leave()
		}
		others.got(completed+"a", completed+"a", completed+"a", completed+"a")
		for _, f := range []*follower{mine, some, others, again} {
			f.leave()
		}
		if watched := w.events.Watched(); len(watched) > 0 {
			w.Errorf("when all have left %v are watched", watched)
		}
	})
}

// TestOperatorsFollowAll, or the customer that they name; a customer follows nobody else.
func TestOperatorsFollowAll(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		all := w.follow(l, wallKey, "")
		some := w.follow(l, wallKey, "?sourceId=b")
		acting := w.follow(l, wallKey, "", customerHeader+": 4712\r\n")
		own := w.follow(l, readKey, "", customerHeader+": 4711\r\n")
		w.send(request("GET", eventsOf, readKey, "", customerHeader, "4712")).failure(w, 403, "FORBIDDEN")
		w.send(request("GET", eventsOf+"?customerId=4712", readKey, "")).failure(w, 400, "VALIDATION_ERROR")
		w.publish(customer, "a")
		w.publish(customer, "b")
		w.publish(stranger, "b")
		all.got(completed+"a", completed+"b", completed+"b")
		some.got(completed+"b", completed+"b")
		acting.got(completed + "b")
		own.got(completed+"a", completed+"b")
		back := w.follow(l, readKey, "", "Last-Event-ID: "+all.lastID+"\r\n")
		back.got("resync")
		w.pass(time.Minute) // their keys are still theirs
		w.publish(stranger, "c")
		acting.got(completed + "c")
		for _, f := range []*follower{all, some, acting, own, back} {
			f.leave()
		}
	})
}

// A stream outlives the server's deadlines for requests, and what it costs in time is not counted as
// time to answer.
func TestStreamsGoOn(t *testing.T) {
	servedAs(t, setup{envelope: true, logLevel: "info"}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		f := w.follow(l, readKey, "")
		start, _ := f.heard()
		w.pass(time.Hour)
		if _, n := f.heard(); n < 161 || n > 181 {
			w.Errorf("%d heartbeats in an hour", n)
		}
		for range 1100 { // of others, meanwhile
			w.publish(stranger, "a")
		}
		w.publish(customer, "a")
		f.got(completed + "a")
		if id, _ := f.heard(); id == start {
			w.Error("an event without an id of its own")
		}
		metrics := string(w.do("GET", "/metrics").body)
		if !strings.Contains(metrics, "\nesagate_streams 1\n") || !strings.Contains(metrics, "\nesagate_requests_in_flight 1\n") || // the page itself
			!strings.Contains(metrics, `http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="200",http_route="`+eventsOf+`"} 0`+"\n") {
			w.Errorf("metrics: %s", metrics)
		}
		f.leave()
		if metrics := string(w.do("GET", "/metrics").body); !strings.Contains(metrics, "\nesagate_streams 1\n") {
			w.pass(time.Second) // the page is kept for as long
		}
		w.pass(time.Second)
		metrics = string(w.do("GET", "/metrics").body)
		if !strings.Contains(metrics, "\nesagate_streams 0\n") || !strings.Contains(metrics, "\nesagate_requests_in_flight 1\n") || !strings.Contains(metrics,
			`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="`+eventsOf+`"} 1`+"\n") {
			w.Errorf("after the end: %s", metrics)
		}
	})
}

// TestAReaderThatDoesNotRead is cut off after ten seconds, and nobody waits for it.
func TestAReaderThatDoesNotRead(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		c := w.dial(l)
		c.say("GET %s?sourceId=a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", eventsOf, readKey)
		status, err := c.r.ReadString('\n')
		w.must(err)
		if !strings.Contains(status, " 200 ") {
			w.Fatalf("%q", status)
		}
		f := w.follow(l, readKey, "?sourceId=b")
		if n := l.buffer.Load(); n == 0 || n > 16<<10 { // else the system takes megabytes of old events for it
			w.Errorf("%d bytes of a stream may wait in the system", n)
		}
		for range 3 {
			w.publish(customer, "a")
			w.publish(customer, "b")
			f.got(completed + "b")
			w.pass(9 * time.Second / 3)
		}
		if n := len(w.events.Watched()); n != 2 {
			w.Errorf("%d sources are watched", n)
		}
		w.pass(time.Second)
		if n := len(w.events.Watched()); n != 1 {
			w.Errorf("after ten seconds without reading %d sources are watched", n)
		}
		_ = c.Close()
		f.leave()
	})
}

func TestStreamsAreBounded(t *testing.T) {
	servedAs(t, setup{connections: 80, logLevel: "warn"}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		var open []*follower
		for range 20 {
			open = append(open, w.follow(l, readKey, ""))
		}
		a := w.get(eventsOf)
		a.failure(w, http.StatusTooManyRequests, "RATE_LIMITED")
		if a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/json" {
			w.Errorf("%v", a.header)
		}
		// The customer has half of the streams, which are half of the connections.
		if e := w.send(request("GET", eventsOf, writeKey, "")).failure(w, 503, "SERVICE_UNAVAILABLE"); !strings.Contains(e.Message, "streams") {
			w.Errorf("%+v", e)
		}
		open = append(open, w.follow(l, otherKey, ""))
		for range 10_000 {
			if a := w.unchecked(eventsOf); a.status != http.StatusTooManyRequests {
				w.Fatalf("%d", a.status)
			}
		}
		if a := w.get(statusOf); a.status != 200 || a.took != 0 {
			w.Errorf("%d after %s", a.status, a.took)
		}
		w.publish(customer, "a")
		open[0].got(completed + "a")
		open[0].leave()
		open = append(open, w.follow(l, readKey, ""))
		for _, f := range open {
			f.leave()
		}
	})
}

// TestStreamsEndAtAStop at once, so that nobody waits for them, and send their clients away for
// times that differ.
func TestStreamsEndAtAStop(t *testing.T) {
	served(t, func(w *world, l *pipes, stop func(), stopped <-chan error) {
		var open []*follower
		for range 20 {
			open = append(open, w.follow(l, readKey, ""))
		}
		c := w.dial(l)
		c.say("GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", eventsOf, writeKey)
		resp, err := http.ReadResponse(c.r, nil)
		w.must(err)
		whole := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, resp.Body)
			whole <- err
		}()
		begun := time.Now()
		w.gateway.SetStopping() // and requests are served for some time
		w.gateway.SetStopping()
		synctest.Wait()
		late := w.follow(l, writeKey, "")
		var waits []time.Duration
		for _, f := range append(open, late) {
			if at, ok := f.over(); !ok || !at.Equal(begun) {
				w.Fatalf("a stream goes on: %v", at)
			}
			waits = append(waits, f.retry[len(f.retry)-1])
		}
		slices.Sort(waits)
		if waits[0] < time.Second || waits[20] > 15*time.Second || waits[20]-waits[0] < 4*time.Second {
			w.Errorf("waits of %v", waits)
		}
		w.must(<-whole)
		ask(w, c.Conn, c.r, 1, "") // the connection goes on
		stop()
		if err := <-stopped; err != nil || time.Since(begun) > time.Second {
			w.Errorf("the server stopped after %s: %v", time.Since(begun), err)
		}
	})
}

func TestWhatAStreamIsAskedFor(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://console.example"}}, func(w *world) {
		for query, field := range map[string]string{
			"sourceId=":                            "query.sourceId",
			"sourceId=a%2Fb":                       "query.sourceId",
			"sourceId=" + strings.Repeat("x", 256): "query.sourceId",
			strings.Repeat("sourceId=a&", 3) + "sourceId=%00": "query.sourceId",
			"types=":                "query.types",
			"types=resync":          "query.types",
			"types=status.changed,": "query.types",
			"types=a&types=b":       "query.types",
			"customerId=4712":       "query",
		} {
			if e := w.get(eventsOf+"?"+query).failure(w, 400, "VALIDATION_ERROR"); e.Details.Issues[0].Path != field {
				w.Errorf("%.60s: %+v", query, e)
			}
		}
		many := ""
		for i := range 51 {
			many += "&sourceId=" + strconv.Itoa(10+i)
		}
		if e := w.get(eventsOf+"?"+many[1:]).failure(w, 400, "VALIDATION_ERROR"); !strings.Contains(e.Details.Issues[0].Message, "50") {
			w.Errorf("%+v", e)
		}
		w.send(request("GET", eventsOf, readKey, "{}", "Content-Type", "application/json")).failure(w, 400, "BAD_REQUEST")
		w.do("GET", eventsOf).failure(w, 401, "UNAUTHORIZED")
		w.write("POST", eventsOf, "").failure(w, 405, "METHOD_NOT_ALLOWED")
		if a := w.send(request("HEAD", eventsOf+"?"+many[len("&sourceId=10&"):], readKey, "")); a.status != 200 || len(a.body) > 0 ||
			a.header.Get("Content-Type") != "text/event-stream" || len(w.events.Watched()) > 0 {
			w.Errorf("HEAD: %d %v, %v are watched", a.status, a.header, w.events.Watched())
		}
		preflight := w.send(request("OPTIONS", eventsOf, "", "", "Origin", "https://console.example",
			"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,last-event-id"))
		if preflight.header.Get("Access-Control-Allow-Headers") == "" {
			w.Errorf("Last-Event-ID is refused: %v", preflight.header)
		}
	})
}

// held passes on what a handler needs, and nothing by which it could write at once.
type held struct{ http.ResponseWriter }

// A client that an intermediary reads for, or of an old kind, gets what there is.
func TestClientsThatCantStream(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		rec := httptest.NewRecorder()
		w.gateway.ServeHTTP(held{rec}, request("GET", eventsOf, readKey, ""))
		if body := rec.Body.String(); rec.Code != 200 || !strings.HasPrefix(body, "retry: ") || len(w.events.Watched()) > 0 {
			w.Errorf("%d %q, and %v are watched", rec.Code, body, w.events.Watched())
		}
		c := w.dial(l)
		c.say("GET %s?sourceId=a HTTP/1.0\r\nAuthorization: Bearer %s\r\n\r\n", eventsOf, readKey)
		resp, err := http.ReadResponse(c.r, nil)
		w.must(err)
		lines := bufio.NewScanner(resp.Body)
		for _, want := range []string{"retry: ", ":", "id: ", "", "id: ", "event: sync.completed", `data: {"sourceId":"a"`, ""} {
			if want == "event: sync.completed" || !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
				if want == "event: sync.completed" && lines.Scan() && lines.Text() == want {
					continue
				}
				w.Fatalf("%q, want %q", lines.Text(), want)
			}
			if lines.Text() == "" {
				w.publish(customer, "a")
			}
		}
		go func() { _, _ = io.Copy(io.Discard, c.Conn) }()
		w.must(c.Close())
		synctest.Wait()
	})
}
