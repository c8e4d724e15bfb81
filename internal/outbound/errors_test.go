package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		err := fmt.Errorf("library: %s: %w", canary, &url.Error{Op: "Get", URL: "https://example.com/?k=" + canary, Err: own})
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

// TestErrorsRepeatNothing of what a host sends, and their reasons not even the URL.
func TestErrorsRepeatNothing(t *testing.T) {
	c := newClient(t, options())
	for _, answer := range []string{
		canary + "\r\n\r\n",
		"HTTP/1.1 2" + canary + " x\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + canary + "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + canary,
		"HTTP/1.1 302 Found\r\nLocation: :" + canary + "\r\n\r\n",
	} {
		host := raw(t, answer)
		_, _, err := get(t, c, "https://127.0.0.1"+host+"/")
		if !errors.Is(err, outbound.ErrExchange) {
			t.Errorf("%.70q: %v", answer, err)
		}
		silent(t, err)
		_, _, err = get(t, c, "https://127.0.0.1"+host+"/"+canary+"?k="+canary)
		if text := outbound.Reason(err).Error(); strings.Contains(text, canary) || strings.Contains(text, "127.0.0.1") {
			t.Errorf("%.70q: the reason repeats the URL: %s", answer, text)
		}
	}
}

// silent fails if an error, or a cause of it, repeats the canary.
func silent(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), canary) {
			t.Errorf("the error repeats what it must not: %v", e)
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
