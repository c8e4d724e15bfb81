package upstream_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"esagate/internal/fault"
	"esagate/upstream"
)

// rawServer answers every connection of its dial with the same bytes.
func rawServer(answer string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				_, _ = io.WriteString(server, answer)
			}
		}()
		return client, nil
	}
}

// net/http's errors of reading quote trailers and chunk headers; none of it may
// reach a span, an error or the log.
func TestBytesOfABrokenAnswerAreQuotedNowhere(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, answer := range map[string]string{
		"trailer":      head + "2\r\n{}\r\n0\r\nsecret hunter2 CANARY here\r\n\r\n",
		"chunk header": head + "CANARY hunter2\r\n{}\r\n",
		"gzip":         strings.Replace(head, "Transfer", "Content-Encoding: gzip\r\nTransfer", 1) + "f\r\nhunter2 CANARY.\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, upstream.Config{BaseURL: "http://agent.invalid", APIKey: key, Attempts: 1},
					&http.Transport{DialContext: rawServer(answer), DisableKeepAlives: true})
				if e := r.status(tenant); e == nil || e.Reason != fault.UpstreamInvalidResponse {
					t.Errorf("got %v", e)
				}
				r.client.Close()
				r.assertSilent()
				for _, s := range r.spans.GetSpans() {
					if strings.Contains(s.Status.Description, "hunter2") {
						t.Errorf("span %q: %s", s.Name, s.Status.Description)
					}
				}
			})
		})
	}
}
