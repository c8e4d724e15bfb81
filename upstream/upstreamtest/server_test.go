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
	w := newWorld(t, ut.Options{}, ut.Healthy())
	w.want(201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/"}`)
	server, err := w.Listen("localhost:0")
	must(t, err)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL()+path, nil)
		must(t, err)
		r.Header.Set(ut.KeyHeader, key)
		res, err := client.Do(r)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(b)
	}
	const health = ut.BasePath + "/tenants"
	for i, c := range []struct {
		method, path string
		code         int
		says         string
	}{
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
		{"POST", "/_agent/adserver", 404, "switches"},
		{"POST", "/_agent/up/x", 404, "switches"},
		{"POST", "/_agent/tenant/tnt_a/off", 200, "off"},
		{"GET", health, 200, `"is_active":false`},
		{"POST", "/_agent/tenant/tnt_a/on", 200, "on"},
		{"GET", health, 200, `"is_active":true`},
		{"POST", "/_agent/tenant/tnt_a/away", 400, "off or on"},
		{"POST", "/_agent/tenant/tnt_gone/off", 404, "tnt_gone"},
		{"GET", "/_agent/tenant/tnt_a/off", 405, "POST"},
		{"GET", "/_agent/adserver/4041/ok", 405, "POST"},
		{"POST", "/_agent/media-buy/tnt_harbour_news/mb_0/active", 404, "mb_0"},
		{"POST", "/_agent/media-buy/tnt_gone/mb_0/active", 404, "tnt_gone"},
		{"POST", "/_agent/media-buy/tnt_a/mb_0/Active!", 400, "word"},
		{"POST", "/_agent/media-buy", 404, "switches"},
		{"GET", "/_agent/scene", 200, "\nagent-unplugged "},
		{"POST", "/_agent/scene/agent-unplugged", 200, "closes every connection"},
		{"GET", health, 0, ""},
		{"POST", "/_agent/scene/ad%2Dserver-refusing", 200, "Harbour News"},
		{"GET", health, 200, "tnt_harbour_news"},
		{"POST", "/_agent/scene/nothing", 404, "\nrecovery "},
		{"POST", "/_agent/scene/healthy/now", 404, "switches"},
		{"POST", "/_agent/scene", 404, "\nrecovery "},
		{"GET", "/_agent/scene/healthy", 405, "POST"},
	} {
		if code, text := ask(c.method, c.path); code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%d: %s %s: %d %s", i, c.method, c.path, code, text)
		}
	}
	if n := w.Calls(""); n != 8 {
		t.Errorf("%d calls: the switches are no calls of the agent", n)
	}
	if all := w.Subscriptions("tnt_a"); len(all) != 1 || all[0].Secret != "" {
		t.Errorf("not restarted: %+v", all)
	}
	for network, status := range map[string]int{"404/1": 400, "4041": 201, "4042": 400} {
		w.want(status, "POST", "/tenants/provision", provisionBody(network, strings.Replace(gamBody, "82640", network, 1)))
	}
}

func TestServerComesBackWithItsAgent(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 2 {
		s, err := a.Listen("127.0.0.1:0")
		must(t, err)
		res, err := client.Get(s.URL() + ut.BasePath + "/tenants")
		must(t, err)
		_ = res.Body.Close()
		for range 2 {
			must(t, s.Close())
		}
		if _, err := client.Get(s.URL()); err == nil || res.StatusCode != 401 {
			t.Errorf("closed, and it answers; before %d", res.StatusCode)
		}
	}
}
