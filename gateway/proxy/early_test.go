package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/gateway/proxy"
)

// TestAnAnswerMayBeginWhenItsRequestEnds: the server that is proxied answers the moment that it has all of the request,
// while the transport still makes sure of its end. No answer is cut off for that.
func TestAnAnswerMayBeginWhenItsRequestEnds(t *testing.T) {
	const answer = "data: 1\n\ndata: 2\n\n"
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range strings.SplitAfterSeq(answer, "\n\n") {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer behind.Close()
	to, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	p := proxy.New(transport, proxy.Limits{FirstByte: time.Minute, Idle: time.Minute, Client: time.Minute})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.Serve(w, r, proxy.Target{URL: to, Header: http.Header{}}, proxy.Follow{}); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	defer front.Close()
	for n := range 300 {
		resp, err := http.Post(front.URL, "application/json", strings.NewReader(`{"id":1}`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if err != nil || resp.StatusCode != 200 || string(got) != answer {
			t.Fatalf("answer %d: %d %q, %v", n, resp.StatusCode, got, err)
		}
	}
}

// TestRestOfAnAnsweredRequestIsNoRequest: what a client sends later of a request that was answered before it came in whole
// is not taken for a request of its own, and is not waited for without end.
func TestRestOfAnAnsweredRequestIsNoRequest(t *testing.T) {
	const rest = "GET /second HTTP/1.1\r\nHost: front.example\r\n\r\n"
	early := func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusTeapot)
	}
	for name, c := range map[string]struct {
		head   string
		behind http.HandlerFunc
		status int
	}{
		"answered early": {"Content-Length: 100", early, 418},
		"not answered":   {"Content-Length: 100", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, 502},
		"in chunks":      {"Transfer-Encoding: chunked", early, 418},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, limits, c.behind, func(r *rig) {
				conn := r.say("POST / HTTP/1.1\r\nHost: front.example\r\n%s\r\n\r\n5\r\nabcde", c.head)
				resp := conn.answer()
				if resp.StatusCode != c.status || !resp.Close {
					t.Errorf("%d, and the connection ends: %t", resp.StatusCode, resp.Close)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				_, _ = io.WriteString(conn.Conn, rest)
				if more, err := io.ReadAll(conn.Reader); len(more) > 0 || err != nil {
					t.Errorf("then came %q, %v", more, err)
				}
				r.outcome()
			})
		})
	}
}

// TestNothingIsMadeUp: an answer that does not say what its body is gets no type by guessing, and one of a status that
// there is not is none.
func TestNothingIsMadeUp(t *testing.T) {
	for answer, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>":   200,
		"HTTP/1.1 000 None\r\nContent-Length: 6\r\n\r\n<html>": 502,
	} {
		inRig(t, limits, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}, func(r *rig) {
			resp := r.get("").answer()
			if resp.StatusCode != want || want == 200 && resp.Header["Content-Type"] != nil {
				r.Errorf("%q is passed on as %d of %q", answer, resp.StatusCode, resp.Header["Content-Type"])
			}
		})
	}
}
