package outbound_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"esagate/internal/outbound"
)

// fill answers with as many bytes as the path says, with a length and without one.
func fill(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if r.URL.RawQuery == "length" {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	_, _ = w.Write(bytes.Repeat([]byte("x"), n))
}

// versions shape a server that speaks HTTP/2, and one that does not.
var versions = map[string]func(*httptest.Server){
	"HTTP/1.1": func(s *httptest.Server) { s.EnableHTTP2 = false },
	"HTTP/2":   func(*httptest.Server) {},
}

func TestBodiesAreLimited(t *testing.T) {
	for version, shape := range versions {
		t.Run(version, func(t *testing.T) {
			c := newClient(t, options())
			srv := serve(t, fill, shape)
			for _, query := range []string{"", "?length"} {
				for n, want := range map[int]error{
					0: nil, outbound.MaxBody: nil, outbound.MaxBody + 1: outbound.ErrTooLarge, 3 * outbound.MaxBody: outbound.ErrTooLarge,
				} {
					_, body, err := get(t, c, srv.URL+"/"+strconv.Itoa(n)+query)
					if err != want || len(body) != min(n, outbound.MaxBody) {
						t.Errorf("%d bytes%s: got %d and %v", n, query, len(body), err)
					}
				}
			}
			// A length without a body is no body.
			resp, err := c.HTTP().Do(request(t, http.MethodHead, srv.URL+"/9000000?length", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); err != nil || len(b) != 0 || resp.ContentLength != 9000000 {
				t.Errorf("HEAD: %d %v %d", len(b), err, resp.ContentLength)
			}
		})
	}
}

// TestTheLimitStays, for the direct client too: reading on after it, a byte at a time,
// gives no more.
func TestTheLimitStays(t *testing.T) {
	c := newClient(t, options())
	srv := serve(t, fill)
	resp, err := c.HTTPDirect().Do(request(t, http.MethodGet, srv.URL+"/"+strconv.Itoa(2*outbound.MaxBody), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, outbound.MaxBody)); n != outbound.MaxBody || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	for range 3 {
		if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != outbound.ErrTooLarge {
			t.Errorf("%d %v", n, err)
		}
	}
}

func TestDecompressedBytesCount(t *testing.T) {
	var bomb bytes.Buffer
	zw := gzip.NewWriter(&bomb)
	for range 8 {
		_, _ = zw.Write(make([]byte, outbound.MaxBody))
	}
	_ = zw.Close()
	if bomb.Len() > outbound.MaxBody {
		t.Fatalf("the bomb has %d bytes", bomb.Len())
	}
	c := newClient(t, options())
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/broken" {
			_, _ = io.WriteString(w, "not gzip "+canary)
			return
		}
		_, _ = w.Write(bomb.Bytes())
	})
	if _, body, err := get(t, c, srv.URL); err != outbound.ErrTooLarge || len(body) != outbound.MaxBody {
		t.Errorf("%d %v", len(body), err)
	}
	if _, _, err := get(t, c, srv.URL+"/broken"); err != outbound.ErrExchange {
		t.Errorf("broken: %v", err)
	}
}

func TestHeadersAreLimited(t *testing.T) {
	for version, shape := range versions {
		t.Run(version, func(t *testing.T) {
			c := newClient(t, options())
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
				for i := range n {
					w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1<<10))
				}
			}, shape)
			if status, _, err := get(t, c, srv.URL+"/32"); err != nil || status != 200 {
				t.Errorf("32 KiB: %d %v", status, err)
			}
			if _, _, err := get(t, c, srv.URL+"/68"); !errors.Is(err, outbound.ErrExchange) {
				t.Errorf("68 KiB: %v", err)
			}
		})
	}
}
