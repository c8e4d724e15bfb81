package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/api/apitest"
)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// request makes a request with a key; pairs are further headers. A body is JSON.
func request(method, path, key, body string, pairs ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if method != "GET" && method != "HEAD" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	return r
}

// get sends a GET with the read key.
func (w *world) get(path string, pairs ...string) answer {
	w.Helper()
	return w.send(request("GET", path, readKey, "", pairs...))
}

// do sends a request without a body, and without a key but in pairs.
func (w *world) do(method, path string, pairs ...string) answer {
	w.Helper()
	return w.send(request(method, path, "", "", pairs...))
}

// write sends a body with the write key.
func (w *world) write(method, path, body string, pairs ...string) answer {
	w.Helper()
	return w.writeAs(writeKey, method, path, body, pairs...)
}

func (w *world) writeAs(key, method, path, body string, pairs ...string) answer {
	w.Helper()
	return w.send(request(method, path, key, body, pairs...))
}

// unchecked reads without the contract check, which is slow for hundreds of readers.
func (w *world) unchecked(path string) answer {
	return w.unvalidated(request("GET", path, readKey, ""))
}

// unvalidated sends a request without the contract check.
func (w *world) unvalidated(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, r)
	return answer{status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
}

func (w *world) send(r *http.Request) answer {
	w.Helper()
	rec := httptest.NewRecorder()
	begun := time.Now()
	w.gateway.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.Bytes(), time.Since(begun)}
	if w.envelope {
		apitest.ValidateEnveloped(w.TB, r, a.status, a.header, a.body)
	} else {
		apitest.Validate(w.TB, r, a.status, a.header, a.body)
	}
	w.must(a.header.Write(&w.seen))
	_, _ = w.seen.Write(a.body)
	return a
}

func (a answer) snapshot(t testing.TB) *statusView {
	t.Helper()
	return decode[statusView](t, a, http.StatusOK)
}

// failure reads an error answer.
func (a answer) failure(t testing.TB, status int, code string) api.Error {
	t.Helper()
	e := decode[api.ErrorBody](t, a, status).Error
	if e.Code != code {
		t.Errorf("code %s, want %s", e.Code, code)
	}
	return e
}

func decode[T any](t testing.TB, a answer, status int) *T {
	t.Helper()
	v := new(T)
	if err := json.Unmarshal(a.body, v); err != nil || a.status != status {
		t.Fatalf("status %d, want %d: %v in %s", a.status, status, err, a.body)
	}
	return v
}

// inProcess answers requests with a handler, without a network: what a bubble's
// clock needs.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	if p.handler == nil {
		rec.WriteHeader(http.StatusNotFound)
	} else {
		in := r.Clone(r.Context())
		in.Host, in.RequestURI = r.URL.Host, r.URL.RequestURI()
		p.handler.ServeHTTP(rec, in)
	}
	res := rec.Result()
	res.Request = r
	return res, nil
}
