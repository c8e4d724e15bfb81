package upstreamtest_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	ut "esagate/upstream/upstreamtest"
)

// door is a server before an agent's server: it names who asks. Its client keeps the agent's cookies.
type door struct {
	*http.Client
	at        string
	header    http.Header
	transport http.RoundTripper // nil: the default
}

// admission is the header of somebody of tnt_a.
func admission(more ...string) http.Header {
	h := http.Header{"X-Identity-Email": {"ops@quay.example"}, "X-Identity-Org-Id": {"org-tnt_a"}, "X-Identity-Role": {"admin"},
		"X-Identity-Source": {"pier"}}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = []string{more[i+1]}
	}
	return h
}

func newDoor(t *testing.T, w *world, header http.Header) *door {
	t.Helper()
	server, err := w.Listen("127.0.0.1:0")
	must(t, err)
	jar, err := cookiejar.New(nil)
	must(t, err)
	d := &door{at: server.URL(), header: header}
	d.Client = &http.Client{Transport: d, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		w.Close()
		_ = server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return d
}

// RoundTrip implements http.RoundTripper.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range d.header {
		r.Header[name] = values
	}
	if d.transport != nil {
		return d.transport.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// ask makes a request with a form, where there is one, and gives the answer with the text of its body.
func (d *door) ask(t *testing.T, method, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.at+path, strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := d.Do(r)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return res, string(text)
}

var csrf = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

func TestAdminForm(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	d := newDoor(t, w, admission("X-Forwarded-Prefix", "/console/quay"))
	res, page := d.ask(t, "GET", "/tenant/tnt_a/products", nil)
	has(t, page, `action="/console/quay/tenant/tnt_a/products"`, "ops@quay.example", `id="live">0<`, "data-embedded")
	token := csrf.FindStringSubmatch(page)
	if res.StatusCode != 200 || token == nil {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
	form := url.Values{"name": {"Harbour wall"}, "csrf_token": token[1:]}
	res, _ = d.ask(t, "POST", "/tenant/tnt_a/products", form)
	if to := res.Header.Get("Location"); res.StatusCode != 302 || to != "/console/quay/tenant/tnt_a/products?embedded=1" {
		t.Fatalf("%d to %s", res.StatusCode, to)
	}
	_, page = d.ask(t, "GET", "/tenant/tnt_a/products", nil)
	has(t, page, "Added Harbour wall.", "<li>Harbour wall", `id="live">1<`)
	if _, page = d.ask(t, "GET", "/tenant/tnt_a/products", nil); strings.Contains(page, "Added") {
		t.Error("what happened is said twice")
	}
	has(t, w.want(200, "GET", "/tenants/tnt_a/wholesale-products", ""), `"name":"Harbour wall"`)
	for what, form := range map[string]url.Values{"none": {"name": {"x"}}, "another": {"name": {"x"}, "csrf_token": {"csrf_0"}}} {
		if res, _ := d.ask(t, "POST", "/tenant/tnt_a/products", form); res.StatusCode != 400 {
			t.Errorf("token %s: %d", what, res.StatusCode)
		}
	}
	d.header.Set("X-Identity-Role", "owner") // not known: a viewer
	if res, _ := d.ask(t, "POST", "/tenant/tnt_a/products", form); res.StatusCode != 403 {
		t.Errorf("a viewer adds: %d", res.StatusCode)
	}
	w.SetTenant(gam("tnt_a", ut.OlderBuild()))
	if res, _ := d.ask(t, "POST", "/tenant/tnt_a/products", form); res.StatusCode != 302 {
		t.Errorf("an older build knows roles: %d", res.StatusCode)
	}
}

func TestAdminRoutes(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	w.SetTenant(gam("tnt_b", ut.Healthy()))
	d := newDoor(t, w, nil)
	without := func(name string) http.Header {
		h := admission()
		h.Del(name)
		return h
	}
	for i, c := range []struct {
		header       http.Header
		method, path string
		status       int
		says         string
	}{
		{nil, "GET", "/tenant/tnt_a", 403, "identity_required"},
		{without("X-Identity-Source"), "GET", "/tenant/tnt_a", 403, "identity_required"},
		{admission(ut.KeyHeader, key), "GET", "/tenant/tnt_a", 500, "no place here"},
		{admission(), "GET", "/tenant/tnt_a", 200, "<h1>Dashboard</h1>"},
		{admission(), "GET", "/tenant/tnt_a?embedded=1", 200, "<h1>Dashboard</h1>"},
		{admission(), "GET", "/tenant/tnt_b", 403, "identity_org_mismatch"},
		{admission("X_Identity_Org_Id", "org-tnt_b"), "GET", "/tenant/tnt_b", 200, "Name of tnt_b"},
		{admission(), "GET", "/tenant/tnt_b/export", 200, `"tenant_id":"tnt_b"`},
		{admission(), "GET", "/tenant/tnt_a/export?tenant_id=tnt_b", 200, `"tenant_id":"tnt_b"`},
		{admission(), "GET", "/tenant/tnt_a/%252e%252e/tnt_b%5cexport", 200, `"tenant_id":"tnt_b"`},
		{nil, "GET", "/tenant/tnt_b/export", 403, "identity_required"},
		{admission(), "GET", "/tenants", 200, `"tenant_id":"tnt_b"`},
		{nil, "GET", "/tenants", 403, "identity_required"},
		{admission(), "GET", "/tenant/tnt_none", 404, ""},
		{admission(), "GET", "/tenant/tnt_a/none", 404, ""},
		{admission(), "DELETE", "/tenant/tnt_a", 405, ""},
		{nil, "GET", "/static/admin.css", 200, "body"},
		{nil, "GET", "/static/admin.js", 200, "psa:navigate"},
		{nil, "GET", "/favicon.ico", 204, ""},
		{nil, "GET", "/static/page.html", 404, ""},
	} {
		d.header = c.header
		if res, text := d.ask(t, c.method, c.path, nil); res.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%d: %s: %d %s", i, c.path, res.StatusCode, text)
		}
	}
	d.header = admission()
	for path, to := range map[string]string{
		"/tenant/tnt_a/?embedded=1":                d.at + "/tenant/tnt_a?embedded=1",
		"/tenant/tnt_a/go?to=https://evil.example": "https://evil.example",
	} {
		if res, _ := d.ask(t, "GET", path, nil); res.StatusCode != 302 || res.Header.Get("Location") != to {
			t.Errorf("%s: %d to %s", path, res.StatusCode, res.Header.Get("Location"))
		}
	}
	w.Script("tnt_a", ut.Fault{Only: ut.RouteAdmin, Status: 502})
	if res, _ := d.ask(t, "GET", "/tenant/tnt_a", nil); res.StatusCode != 502 {
		t.Errorf("no fault: %d", res.StatusCode)
	}
	if all := w.Requests(); all[len(all)-1].TenantID != "tnt_a" || all[len(all)-1].Route != ut.RouteAdmin {
		t.Errorf("%+v", all[len(all)-1])
	}
}

func TestSignedIdentity(t *testing.T) {
	w := newWorld(t, ut.Options{IdentityKey: "identity-key"}, ut.Healthy())
	d := newDoor(t, w, nil)
	signed := func(at time.Time, path string) http.Header {
		h := admission("X-Identity-Timestamp", fmt.Sprint(at.Unix()))
		mac := hmac.New(sha256.New, []byte("identity-key"))
		fmt.Fprintf(mac, "%d.ops@quay.example\norg-tnt_a\nadmin\npier\n\n\nGET\n%s", at.Unix(), path)
		h.Set("X-Identity-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		return h
	}
	changed := signed(start, "/tenant/tnt_a")
	changed.Set("X-Identity-Email", "boss@quay.example")
	for what, c := range map[string]struct {
		header http.Header
		status int
	}{
		"signed":       {signed(start, "/tenant/tnt_a"), 200},
		"not signed":   {admission(), 403},
		"another path": {signed(start, "/tenant/tnt_a/products"), 403},
		"changed":      {changed, 403},
		"too old":      {signed(start.Add(-6*time.Minute), "/tenant/tnt_a"), 403},
	} {
		d.header = c.header
		if res, text := d.ask(t, "GET", "/tenant/tnt_a?embedded=1", nil); res.StatusCode != c.status {
			t.Errorf("%s: %d %s", what, res.StatusCode, text)
		}
	}
}

// TestAdminFollows follows a tenant's products by a websocket and by an event stream, until the agent goes down.
func TestAdminFollows(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	d := newDoor(t, w, admission("X-Forwarded-Host", "quay.example"))
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(t.Context(), d.at+"/tenant/tnt_a/live", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: d}, HTTPHeader: http.Header{"Origin": {origin}}})
	}
	if _, res, err := dial("https://evil.example"); err == nil || res == nil || res.StatusCode != 403 {
		t.Fatalf("a page of another origin: %v, %v", res, err)
	}
	socket, _, err := dial("https://quay.example")
	must(t, err)
	defer func() { _ = socket.CloseNow() }()
	heard := func(want string) {
		t.Helper()
		if _, text, err := socket.Read(t.Context()); err != nil || string(text) != want {
			t.Fatalf("heard %q, %v; want %q", text, err, want)
		}
	}
	heard(`{"products": 0}`)
	r, err := http.NewRequestWithContext(t.Context(), "GET", d.at+"/tenant/tnt_a/events", nil)
	must(t, err)
	res, err := d.Do(r)
	must(t, err)
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	streamed := func(want string) {
		t.Helper()
		event := ""
		for range 3 {
			line, err := lines.ReadString('\n')
			must(t, err)
			event += line
		}
		if event != "event: products\ndata: "+want+"\n\n" {
			t.Fatalf("streamed %q, want %q", event, want)
		}
	}
	streamed(`{"products": 0}`)
	must(t, socket.Write(t.Context(), websocket.MessageText, []byte("ahoy")))
	heard("ahoy")
	w.want(201, "POST", "/tenants/tnt_a/wholesale-products", `{"name":"Quay","channels":["display"],"format_options":[{"format_kind":"image","params":{}}],`+
		`"inventory":{"publisher_properties":[{"publisher_domain":"quay.example"}],"execution":{"adapter":"google_ad_manager",`+
		`"selectors":[{"selector_type":"ad_unit","external_id":"1"}]}}}`)
	heard(`{"products": 1}`)
	streamed(`{"products": 1}`)
	w.SetDown(true)
	if _, _, err := socket.Read(t.Context()); err == nil {
		t.Error("an outage, and the websocket goes on")
	}
	if _, err := lines.ReadString('\n'); err == nil {
		t.Error("an outage, and the stream goes on")
	}
}
