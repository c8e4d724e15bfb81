package terminal

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"esagate/api"
)

// TestAllPagesAreRead: the worst comes first whatever page it is on, and the document has all items
// and what this version does not know.
func TestAllPagesAreRead(t *testing.T) {
	for _, enveloped := range []bool{false, true} {
		g := newGateway(t)
		g.enveloped = enveloped
		for i := range 450 {
			g.items = append(g.items, source(fmt.Sprintf("s%03d", i), "live"))
		}
		g.items[430].State = "down"
		g.items[10].Name = "C1 \u009b and \u202e"
		wall, err := g.client(Options{Customer: 7}).Overview(t.Context(), nil, "", false)
		if err != nil {
			t.Fatal(err)
		}
		if len(wall.Rows) != 450 || wall.Rows[0].SourceID != "s430" || !wall.Bad() || wall.Only([]string{"live"}).Bad() {
			t.Errorf("%d rows, first %s", len(wall.Rows), wall.Rows[0].SourceID)
		}
		var document struct {
			Items []api.OverviewItem `json:"items"`
			Later string             `json:"later"`
		}
		text := wall.JSON()
		if err := json.Unmarshal(text, &document); err != nil || len(document.Items) != 450 || document.Later != "member" {
			t.Errorf("%v: %.300s", err, text)
		}
		if strings.ContainsAny(string(text), "\n\u009b\u202e") || !strings.Contains(string(text), `C1 \u009b and \u202e`) {
			t.Errorf("a terminal is not safe from %.300s", text)
		}
		if len(g.asked) != 3 || !strings.HasSuffix(g.asked[2], "?skip=400&sort=sourceId&take=200 7") {
			t.Errorf("asked %q", g.asked)
		}
	}
}

func TestOneSource(t *testing.T) {
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "down"), source("harbour-north", "live"), source("twice", "live"), source("twice", "live")}
	g.items[3].CustomerID = 7
	c := g.client(Options{})
	for name, want := range map[string]string{"harbour": "harbour", "1harbour": "harbour", "harbour-north": "harbour-north"} {
		if row, err := c.Source(t.Context(), name); err != nil || row.SourceID != want || row.Bad() != (want == "harbour") {
			t.Errorf("%s: %+v %v", name, row, err)
		}
	}
	for name, want := range map[string]string{
		"habour": "there is no source habour: did you mean harbour?", "nothing": "there is no source nothing",
		"twice": "2 customers have a source twice: say with --customer whose is meant", "\x1b[2J": "there is no source \ufffd[2J",
		strings.Repeat("é", 300): "there is no source " + strings.Repeat("é", maxTold-1) + "…",
	} {
		if _, err := c.Source(t.Context(), name); err == nil || !strings.HasPrefix(err.Error(), want[:min(len(want), 200)]) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	for _, asked := range g.asked {
		if strings.Count(asked, "%C3%A9") > maxFilter {
			t.Errorf("asked %s", asked)
		}
	}
}

// TestProblemsAreOneClearLine: whatever answers, or does not, is told in one line without the key.
func TestProblemsAreOneClearLine(t *testing.T) {
	g := newGateway(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %v", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	answer := func(status int, kind, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := 0; i+1 < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	failure := func(code, message string) string {
		return string(api.Encode(api.ErrorBody{Error: api.Error{Code: code, Message: message}}))
	}
	const js = "application/json"
	for _, c := range []struct {
		fail   http.HandlerFunc
		want   string
		passes bool
	}{
		{answer(401, js, failure("UNAUTHORIZED", "x")), "the gateway does not know this key", false},
		{answer(403, js, failure("FORBIDDEN", "Not yours.")), "this key may not ask that: Not yours.", false},
		{answer(404, js, failure("NOT_FOUND", "x")), "there is no overview at this gateway: it may be of an older version", false},
		{answer(429, js, failure("RATE_LIMITED", "Slow down."), "Retry-After", "7"), "the gateway can't answer now: Slow down. Ask again in 7s.", true},
		{answer(503, js, failure("UNAVAILABLE", "Away.\x1b[2J\nnow"), "Retry-After", "99999"), "the gateway can't answer now: Away.\ufffd[2J now Ask again in 10m0s.", true},
		{answer(500, js, failure("INTERNAL", "Oh.")), "the gateway answers 500: Oh.", true},
		{answer(502, "text/html", "<h1>Bad gateway</h1>"), "what answers there is no esagate (502 text/html)", true},
		{answer(200, "text/html; charset=utf-8", "<h1>Hello</h1>"), "what answers there is no esagate (200 text/html)", false},
		{answer(200, js, `{"hello":"world"}`), "what answers there is no esagate: its overview can't be read", false},
		{answer(200, js, `[`), "what answers there is no esagate: its overview can't be read", false},
		{answer(404, js, `{"error":"not found"}`), "what answers there is no esagate (404 application/json)", false},
		{answer(302, "text/html", "", "Location", elsewhere.URL+"/login?next=CANARY"), "what answers there redirects to " + elsewhere.URL + ": name", false},
		{answer(200, js, strings.Repeat(" ", maxPageBytes+1)), "the answer is larger than an esagate's can be", false},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, g.Listener.Addr().String() + " closed the connection", true},
	} {
		g.set(func() { g.fail = c.fail })
		_, err := g.client(Options{}).Overview(t.Context(), nil, "", false)
		p, ok := err.(*Problem)
		if !ok || !strings.HasPrefix(p.text, c.want) || p.passes != c.passes || strings.Contains(p.text, "CANARY") || Safe(p.text) != p.text {
			t.Errorf("%+v, want %q", err, c.want)
		}
	}
}

func TestAGatewayThatIsNotThere(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	plain := newGateway(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	host := func(url string) string { _, host, _ := strings.Cut(url, "://"); return host }
	for url, want := range map[string]string{
		"http://" + closed.Addr().String(): "nobody listens at " + closed.Addr().String() + ": is the gateway running?",
		"https://" + host(plain.URL):       host(plain.URL) + " does not speak TLS",
		secure.URL:                         "the certificate of " + host(secure.URL) + " is not from an authority",
		"http://" + host(secure.URL):       "what answers there is no esagate (400",
	} {
		c, err := NewClient(Options{URL: url, Key: testKey})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Overview(t.Context(), nil, "", false); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		c.Close()
	}
	c, err := NewClient(Options{URL: secure.URL, Key: testKey, TLS: &tls.Config{
		RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "other.example",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Overview(t.Context(), nil, "", false); err == nil || !strings.HasSuffix(err.Error(), "is for another host") {
		t.Errorf("another host's certificate: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plain.client(Options{}).Overview(ctx, nil, "", false); err == nil || err.Error() != "interrupted" {
		t.Errorf("an interrupted question: %v", err)
	}
}

func TestOptionsThatCanNotBeUsed(t *testing.T) {
	for url, want := range map[string]string{
		"127.0.0.1:8080": "must begin with http://", "ftp://a": "must begin with http://", "http://": "must begin with http://", "": "must begin with http://",
		"http://u:CANARY@a": "no user and no password", "http://a?key=CANARY": "no query", "http://a#CANARY": "no query and no fragment",
	} {
		if _, err := NewClient(Options{URL: url, Key: testKey}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, key := range []string{"", "CANARY\nx", "CANARY é", "CAN ARY"} {
		if _, err := NewClient(Options{URL: "http://a", Key: key}); err == nil || strings.Contains(err.Error(), "ARY") {
			t.Errorf("%q: %v", key, err)
		}
	}
}
