package upstreamtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

func TestListenOnlyOnLoopback(t *testing.T) {
	a := ut.New(ut.Options{})
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.7:0", "[::]:0", "example.com:0", "nonsense"} {
		if s, err := a.Listen(addr); err == nil {
			t.Errorf("%s: listens at %s", addr, s.Addr())
			_ = s.Close()
		}
	}
}

func TestSwitches(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	want(t, a, 201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/"}`)
	s, err := a.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+s.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(ut.KeyHeader, key)
		res, err := client.Do(r)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	health := ut.BasePath + "/tenants"
	for i, c := range []struct {
		method, path string
		code         int
		says         string
	}{
		{"GET", health, 200, "tnt_a"},
		{"GET", "/_agent/down", 405, "POST"},
		{"GET", health, 200, "tnt_a"},
		{"POST", "/_agent/down", 200, "down"},
		{"GET", health, 0, ""},
		{"POST", "/_agent/slow?for=1h", 400, "5m"},
		{"POST", "/_agent/slow?for=-1s", 400, "duration"},
		{"POST", "/_agent/slow?for=1ms", 200, "1ms"},
		{"POST", "/_agent/up", 200, "up"},
		{"GET", health, 200, "tnt_a"},
		{"POST", "/_agent/explode", 404, "switches"},
		{"POST", "/_agent/restart", 200, "forgotten"},
		{"POST", "/_agent/adserver/404%2F1/permission_denied", 200, "404/1 now answers permission_denied"},
		{"POST", "/_agent/adserver/4041/ok", 200, "4041 now answers ok"},
		{"POST", "/_agent/adserver/4042/ok", 200, "ok"},
		{"POST", "/_agent/adserver/4042/rules", 200, "rules"},
		{"POST", "/_agent/adserver/4041/broken", 400, "network_not_found"},
		{"POST", "/_agent/adserver//ok", 404, "switches"},
		{"GET", "/_agent/adserver/4041/ok", 405, "POST"},
	} {
		code, text := ask(c.method, c.path)
		if code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%d: %s %s: %d %s", i, c.method, c.path, code, text)
		}
	}
	if n := a.Calls(""); n != 5 {
		t.Errorf("%d calls: the switches are no calls of the agent", n)
	}
	if all := a.Subscriptions("tnt_a"); len(all) != 1 || all[0].Secret != "" {
		t.Errorf("not restarted: %+v", all)
	}
	for network, status := range map[string]int{"404/1": 400, "4041": 201, "4042": 400} {
		want(t, a, status, "POST", "/tenants/provision", provisionBody(network, strings.Replace(gamBody, "82640", network, 1)))
	}
}

func TestServerComesBackWithItsAgent(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 2 {
		s, err := a.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Get(s.URL() + ut.BasePath + "/tenants")
		if err != nil || res.StatusCode != 401 {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := client.Get(s.URL()); err == nil {
			t.Error("closed, and it answers")
		}
	}
}
