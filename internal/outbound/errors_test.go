package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"esagate/internal/outbound"
)

func TestReason(t *testing.T) {
	for _, own := range []error{
		outbound.ErrURL, outbound.ErrNotHTTPS, outbound.ErrNotPublic, outbound.ErrRedirect, outbound.ErrTooLarge,
		outbound.ErrUnreachable, outbound.ErrTLS, outbound.ErrExchange, context.Canceled, context.DeadlineExceeded,
	} {
		err := fmt.Errorf("library: %s: %w", canary, &url.Error{Op: "Get", URL: "https://agents.test/?k=" + canary, Err: own})
		if got := outbound.Reason(err); got != own {
			t.Errorf("%v: %v", own, got)
		}
	}
	if got := outbound.Reason(errors.New(canary)); got != outbound.ErrExchange {
		t.Error(got)
	}
	if got := outbound.Reason(nil); got != nil {
		t.Error(got)
	}
}

// TestErrorsRepeatNothing: neither what a host sends nor where a redirect leads is in
// an error's text, and the query of the URL not in its reason's.
func TestErrorsRepeatNothing(t *testing.T) {
	gone := listenAt(t, "127.0.0.1:0")
	_ = gone.Close()
	resolver := resolve(t, map[string][]string{"agents.test": {"127.0.0.1"}, "inside.agents.test": {"10.0.0.1"}})
	c := newClient(t, options().WithResolver(resolver))
	for answer, want := range map[string]error{
		canary + "\r\n\r\n":                                                                           outbound.ErrExchange,
		"HTTP/1.1 2" + canary + " x\r\n\r\n":                                                          outbound.ErrExchange,
		"HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n":                                                   outbound.ErrExchange,
		"HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n":                                   outbound.ErrExchange,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n":                                outbound.ErrExchange,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + canary + "\r\n":                     outbound.ErrExchange,
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + canary:                                      outbound.ErrExchange,
		"HTTP/1.1 302 Found\r\nLocation: https://gone.agents.test/?" + canary + "\r\n\r\n":            outbound.ErrUnreachable,
		"HTTP/1.1 302 Found\r\nLocation: https://" + canary + ".agents.test/\r\n\r\n":                 outbound.ErrUnreachable,
		"HTTP/1.1 302 Found\r\nLocation: https://inside.agents.test/" + canary + "\r\n\r\n":           outbound.ErrNotPublic,
		"HTTP/1.1 302 Found\r\nLocation: https://" + gone.Addr().String() + "/" + canary + "\r\n\r\n": outbound.ErrUnreachable,
		"HTTP/1.1 302 Found\r\nLocation: :" + canary + "\r\n\r\n":                                     outbound.ErrExchange,
	} {
		host := raw(t, answer)
		_, _, err := get(t, c, "https://agents.test"+host+"/")
		if !errors.Is(err, want) {
			t.Errorf("%.70q: %v, not %v", answer, err, want)
		}
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%.70q: the error repeats it: %v", answer, err)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), canary) {
				t.Errorf("%.70q: a cause repeats it: %v", answer, e)
			}
		}
		_, _, err = get(t, c, "https://agents.test"+host+"/"+canary+"?k="+canary)
		if text := outbound.Reason(err).Error(); strings.Contains(text, canary) || strings.Contains(text, "agents.test") {
			t.Errorf("%.70q: the reason repeats the URL: %s", answer, text)
		}
	}
}

// raw answers every connection's request over TLS with these bytes, and gives ":port".
func raw(t *testing.T, answer string) string {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(conn, strings.NewReader(answer))
		_ = conn.Close()
	}, versions["HTTP/1.1"])
	return port(srv)
}

// TestErrorsOfReadingAreTyped: also those of a library that reads the body.
func TestErrorsOfReadingAreTyped(t *testing.T) {
	c := newClient(t, options())
	srv := serve(t, fill)
	resp, err := c.HTTP().Do(request(t, http.MethodGet, srv.URL+"/2000000", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(resp.Body); !errors.Is(err, outbound.ErrTooLarge) || outbound.Reason(fmt.Errorf("json: %w", err)) != outbound.ErrTooLarge {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	l := listenAt(t, "127.0.0.1:0")
	address := l.Addr().(*net.TCPAddr)
	_ = l.Close()
	c := newClient(t, options().WithResolver(resolve(t, nil)))
	for _, url := range []string{fmt.Sprintf("https://127.0.0.1:%d/", address.Port), "https://nowhere.agents.test/"} {
		if _, _, err := get(t, c, url); !errors.Is(err, outbound.ErrUnreachable) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
