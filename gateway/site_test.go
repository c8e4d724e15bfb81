package gateway_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"esagate/api"
	"esagate/gateway/assets"
)

// visit asks for what is no part of the contract, without a key.
func (w *world) visit(method, path string, pairs ...string) answer {
	w.Helper()
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, request(method, path, "", "", pairs...))
	w.must(rec.Header().Write(&w.seen))
	_, _ = w.seen.Write(rec.Body.Bytes())
	return answer{status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
}

// header checks one value.
func (a answer) says(t testing.TB, name, want string) {
	t.Helper()
	if got := a.header.Get(name); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// TestWhatIsForEverybody holds what all public files and pages have in common: no key, a tag, 304,
// a compressed form with a tag of its own, HEAD, and 405 for other methods.
func TestWhatIsForEverybody(t *testing.T) {
	const forGood = "public, max-age=31536000, immutable"
	tests := map[string]struct{ contentType, cacheControl, vary string }{
		"/openapi.yaml":        {"application/yaml", "no-cache", "Accept-Encoding"},
		"/openapi.json":        {"application/json", "no-cache", "Accept-Encoding"},
		"/":                    {"application/json", "no-cache", "Accept, Accept-Encoding"},
		"/docs":                {"text/html; charset=utf-8", "no-cache", "Accept-Encoding"},
		"/favicon.ico":         {"image/vnd.microsoft.icon", "no-cache", "Accept-Encoding"},
		assets.URL("base.css"): {"text/css; charset=utf-8", forGood, "Accept-Encoding"},
		assets.URL("icon.svg"): {"image/svg+xml", forGood, "Accept-Encoding"},
	}
	inWorld(t, setup{}, func(w *world) {
		for path, test := range tests {
			w.named(path, func(t testing.TB) {
				plain := w.visit("GET", path)
				if plain.status != 200 || len(plain.body) == 0 {
					t.Fatalf("status %d, %d bytes", plain.status, len(plain.body))
				}
				plain.says(t, "Content-Type", test.contentType)
				plain.says(t, "Cache-Control", test.cacheControl)
				plain.says(t, "Vary", test.vary)
				plain.says(t, "X-Content-Type-Options", "nosniff")
				head := w.visit("HEAD", path)
				head.says(t, "Content-Length", strconv.Itoa(len(plain.body)))
				head.says(t, "Etag", plain.header.Get("Etag"))
				if head.status != 200 || len(head.body) > 0 {
					t.Errorf("HEAD: status %d, %d bytes", head.status, len(head.body))
				}
				zipped := w.visit("GET", path, "Accept-Encoding", "gzip")
				zipped.says(t, "Content-Encoding", "gzip")
				if r, err := gzip.NewReader(bytes.NewReader(zipped.body)); err != nil {
					t.Error(err)
				} else if text, err := io.ReadAll(r); err != nil || !bytes.Equal(text, plain.body) {
					t.Errorf("the compressed form is not the same: %v", err)
				}
				for coding, a := range map[string]answer{"identity": plain, "gzip": zipped} {
					tag := a.header.Get("Etag")
					again := w.visit("GET", path, "If-None-Match", tag, "Accept-Encoding", coding)
					if again.status != 304 || len(again.body) > 0 || tag == "" {
						t.Errorf("%s again with %s: %d, %d bytes", coding, tag, again.status, len(again.body))
					}
				}
				if plain.header.Get("Etag") == zipped.header.Get("Etag") {
					t.Error("both codings have one tag")
				}
				other := w.visit("POST", path)
				other.failure(t, 405, "METHOD_NOT_ALLOWED")
				other.says(t, "Allow", "GET, HEAD")
			})
		}
		w.visit("GET", assets.Prefix+"base.css").failure(w, 404, "NOT_FOUND")
		w.visit("GET", assets.Prefix+"..%2fassets.go").failure(w, 404, "NOT_FOUND")
	})
}

// TestTheContractIsServedInItsForm holds that a gateway's contract is that of its own answers, which
// all tests are held against.
func TestTheContractIsServedInItsForm(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			for path, want := range map[string]*api.Body{"/openapi.yaml": api.Spec(envelope).YAML, "/openapi.json": api.Spec(envelope).JSON} {
				if got := w.do("GET", path); !bytes.Equal(got.body, want.Plain) {
					w.Errorf("enveloped %v: %s is not the contract in its form: %.60s", envelope, path, got.body)
				}
				w.do("HEAD", path)
				w.do("GET", path, "If-None-Match", want.ETag[0])
				w.do("GET", path, "If-Match", `"another"`).failure(w, 412, "PRECONDITION_FAILED")
			}
		})
	}
}

// TestHome holds that browsers get a page and programs the same as JSON, which both say whether requests are taken.
func TestHome(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	inWorld(t, setup{}, func(w *world) {
		says := func(status, words string) {
			w.Helper()
			want := `{"name":"esagate","status":"` + status + `","docs":"/docs","openapi":"/openapi.yaml","operators":"/ops","readiness":"/readyz"}`
			for _, accept := range []string{"", "*/*", "application/json"} {
				if a := w.visit("GET", "/", "Accept", accept); string(a.body) != want {
					w.Errorf("Accept %q: %s, want %s", accept, a.body, want)
				}
			}
			page := w.visit("GET", "/", "Accept", browser)
			page.says(w, "Content-Type", "text/html; charset=utf-8")
			page.says(w, "Vary", "Accept, Accept-Encoding")
			for _, part := range []string{words, `href="/ops"`, `href="/docs"`, `href="/openapi.yaml"`} {
				if !strings.Contains(string(page.body), part) {
					w.Errorf("%s: the page has no %s:\n%s", status, part, page.body)
				}
			}
			if again := w.visit("GET", "/", "Accept", browser, "If-None-Match", page.header.Get("Etag")); again.status != 304 {
				w.Errorf("%s again: %d", status, again.status)
			}
		}
		says("ready", "it takes requests")
		w.gateway.SetStopping()
		says("stopping", "Stopping")
	})
}

// TestPublicPagesHaveThePolicy holds that a browser runs nothing on the public pages but what is ours, and that the pages
// are not the API's.
func TestPublicPagesHaveThePolicy(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://shop.example"}}, func(w *world) {
		for _, path := range []string{"/", "/docs"} {
			page := w.visit("GET", path, "Accept", "text/html")
			page.says(w, "Content-Security-Policy", assets.Policy)
			page.says(w, "X-Frame-Options", "DENY")
			page.says(w, "Referrer-Policy", "same-origin")
			page.says(w, "Cross-Origin-Opener-Policy", "same-origin")
			if strings.Contains(string(page.body), "<script") {
				w.Errorf("%s has a script", path)
			}
		}
	})
}

// TestTheDocumentationIsOfThisGateway holds that its commands ask this gateway, and that its form is this one's.
func TestTheDocumentationIsOfThisGateway(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			page := string(w.visit("GET", "/docs").body)
			if !strings.Contains(page, "https://gateway.example/api/v2/") || strings.Contains(page, "EnvelopedStatus") != envelope {
				w.Errorf("enveloped %v: the page is another gateway's", envelope)
			}
		})
	}
}
