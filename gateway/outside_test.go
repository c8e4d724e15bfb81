package gateway_test

import (
	"net/http"
	"net/http/httptest"
)

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
