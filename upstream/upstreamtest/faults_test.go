package upstreamtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// These faults show only on a real connection.
func TestOnTheWire(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	server := httptest.NewServer(w)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(f ut.Fault) ([]byte, int64, error) {
		t.Helper()
		w.Fault("tnt_a", f)
		r, err := http.NewRequest("GET", server.URL+ut.BasePath+"/tenants/tnt_a/status", nil)
		must(t, err)
		r.Header.Set(ut.KeyHeader, key)
		res, err := client.Do(r)
		if err != nil {
			return nil, 0, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return body, res.ContentLength, err
	}
	whole, _, err := ask(ut.Fault{})
	must(t, err)
	if b, _, err := ask(ut.Fault{Drop: true}); err == nil {
		t.Errorf("drop: answered %s", b)
	}
	b, length, err := ask(ut.Fault{CutShort: true})
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) != len(whole)/2 || length != int64(len(whole)) {
		t.Errorf("cut short: %d of %d bytes, %v", len(b), len(whole), err)
	}
	if b, _, err := ask(ut.Fault{Drip: time.Nanosecond}); err != nil || string(b) != string(whole) {
		t.Errorf("drip: %d of %d bytes, %v", len(b), len(whole), err)
	}
	for object, size := range map[string]int64{"": 3 << 20, "[]": 100_000} { // no object can be padded: another comes
		b, length, err := ask(ut.Fault{Size: size, Body: object})
		if err != nil || int64(len(b)) != size || !json.Valid(b) || length != -1 {
			t.Errorf("size: %d bytes, %v", len(b), err)
		}
	}
	if n := w.Calls("tnt_a"); n != 6 {
		t.Errorf("%d calls", n)
	}
}
