package terminal

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"esagate/api"
)

func operation(t *testing.T, id string) *api.Operation {
	t.Helper()
	found, err := Find(id)
	if err != nil || len(found) != 1 || found[0].ID != id {
		t.Fatalf("%s: %v %v", id, found, err)
	}
	return found[0]
}

// TestEveryOperationIsCalled: all that want a key can be called but the stream, each at its own method and path, with
// ids in one segment, and with its description naming what the contract does.
func TestEveryOperationIsCalled(t *testing.T) {
	const id = "a/b?c=d %2F é"
	g := newGateway(t)
	var method, path, query, kind, body string
	g.fail = func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		method, path, query, kind, body = r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Content-Type"), string(text)
		if r.Header.Get("Authorization") != "Bearer "+testKey || r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", path, r.Header)
		}
		if method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"of":9007199254740993.10}`)
	}
	c := g.client(Options{})
	all := Operations()
	for _, op := range all {
		var arguments []string
		var sent []byte
		wantPath, wantBody := op.Path, ""
		for _, p := range op.Parameters {
			switch {
			case p.In == "path":
				arguments = append(arguments, p.Name+"="+id)
				wantPath = strings.Replace(wantPath, "{"+p.Name+"}", "a%2Fb%3Fc=d%20%252F%20%C3%A9", 1)
			case p.Required:
				arguments = append(arguments, p.Name+"=x")
			}
		}
		if op.Body != nil {
			sent, wantBody = []byte(`{"name": 1.0}`), `{"name": 1.0}`
		}
		answer, err := c.Call(t.Context(), op, arguments, sent)
		want := `{"of":9007199254740993.10}`
		if op.Method == http.MethodDelete {
			want = ""
		}
		if err != nil || string(answer) != want || method != op.Method || path != wantPath || body != wantBody || (kind == "") != (body == "") {
			t.Errorf("%s: %v %s\nasked %s %s?%s %s %s", op.ID, err, answer, method, path, query, kind, body)
		}
		var told strings.Builder
		if err := Describe(&told, op); err != nil {
			t.Error(err)
		}
		if text := told.String(); Safe(strings.ReplaceAll(text, "\n", "")) != strings.ReplaceAll(text, "\n", "") || !strings.Contains(text, op.Method+" "+op.Path+"\n") ||
			slices.ContainsFunc(op.Parameters, func(p api.Parameter) bool { return p.Name != customerHeader && !strings.Contains(text, p.Name+"=") }) ||
			(op.Body != nil) != strings.Contains(text, "\nThe body") || strings.Contains(text, "null, or null") {
			t.Errorf("%s is told as\n%s", op.ID, text)
		}
	}
	for id, op := range api.Operations() {
		keyless := op.Tag == "service" || op.Path == "/oauth/callback" || op.Path == "/audit"
		if !keyless && id != streamed && !slices.Contains(all, op) {
			t.Errorf("%s can't be called", id)
		}
	}
}

// TestArgumentsOfACall: they go where the contract has them, a source is looked up, and what can't be right is told
// before anybody is asked.
func TestArgumentsOfACall(t *testing.T) {
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "live")}
	c := g.client(Options{Customer: 7})
	for _, it := range []struct {
		op, arguments, body string
		asked               string // what the gateway is asked last
		told                string
	}{
		{"listEsaSignals", "source=harbour", "", "/esa/1harbour/signals? 4210", "404"},
		{"listEsaSignals", "esaId=5", "", "/esa/5/signals? 7", "404"},
		{"listEsaCreativeFormats", "esaId=5 assetType=image assetType=a,b q=x=y", "", "/esa/5/creative-formats?assetType=image&assetType=a%2Cb&q=x%3Dy 7", "404"},
		{"getInventorySource", "source=harbour", "", "/inventory-sources/harbour? 7", "404"},
		{"getInventorySource", "sourceId=harbour esagate-customer=8", "", "/inventory-sources/harbour? 8", "404"},
		{"getOverview", "state=live", "", "/overview?state=live 7", ""},
		{"listEsaSignals", "source=habour", "", "", "there is no source habour: did you mean harbour?"},
		{"listEsaSignals", "", "", "", "listEsaSignals wants esaId=…, or source=NAME"},
		{"getEsaSignal", "esaId=5", "", "", "getEsaSignal wants signalId=…"},
		{"getEsaSignal", "esaId=5 signalId=..", "", "", "signalId must be an id"},
		{"getEsaSignal", "esaId=5 signalId=", "", "", "signalId must be an id"},
		{"searchEsaAdServerSelectors", "esaId=5", "", "", "searchEsaAdServerSelectors wants selectorType=…"},
		{"listEsaMediaBuys", "esaId=5 limt=3", "", "", "listEsaMediaBuys has no parameter limt: did you mean limit?"},
		{"listEsaMediaBuys", "esaId=5 \x1b=3", "", "", "listEsaMediaBuys has no parameter \ufffd"},
		{"getOverview", "Authorization=x", "", "", "getOverview has no parameter Authorization"},
		{"listEsaMediaBuys", "5", "", "", "what follows listEsaMediaBuys must be name=value"},
		{"createEsaSignal", "esaId=5", "", "", "createEsaSignal wants a body"},
		{"launchInventorySourceEsa", "source=harbour", "", "/inventory-sources/harbour/launch? 7", "404"},
		{"listEsaSignals", "esaId=5", "{}", "", "listEsaSignals takes no body"},
	} {
		g.set(func() { g.asked = nil })
		var body []byte
		if it.body != "" {
			body = []byte(it.body)
		}
		_, err := c.Call(t.Context(), operation(t, it.op), strings.Fields(it.arguments), body)
		told := ""
		if err != nil {
			told = err.Error()
		}
		asked := ""
		if len(g.asked) > 0 {
			asked = g.asked[len(g.asked)-1]
		}
		if !strings.Contains(told, it.told) || it.told == "" && told != "" || it.asked != "" && asked != root+it.asked ||
			it.asked == "" && strings.Contains(asked, "/esa/") {
			t.Errorf("%s %s: %q, asked %q", it.op, it.arguments, told, asked)
		}
	}
	for name, want := range map[string]string{
		"listEsaSignal": "did you mean listEsaSignals?", "signal": "did you mean signals?", "followEvents": "there is no operation followEvents",
		"getHealth": "there is no operation getHealth", "\x1b[2J": "there is no operation \ufffd[2J",
	} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRefusalsOfACall: what the gateway judged is told by where it is, in lines that a terminal can be trusted with,
// and told apart from what is not known.
func TestRefusalsOfACall(t *testing.T) {
	g := newGateway(t)
	for _, it := range []struct {
		status int
		kind   string
		body   string
		judged bool
		lines  []string // none: the one of Error
	}{
		{400, "application/json", `{"data":null,"error":{"code":"VALIDATION_ERROR","message":"No.","details":{"issues":[{"path":"range.min","message":"Too low."},{"path":"","message":"Not\nthis."},{"path":"header.Esagate-Customer","message":"Say which."}]}}}`,
			true, []string{"range.min: Too low.", "Not this.", "--customer: Say which."}},
		{400, "application/json", `{"error":{"code":"VALIDATION_ERROR","message":"No.","details":{"errorCode":"ADAPTER_X","issues":[{"path":"body","message":"Refused."}]}}}`,
			true, []string{"body: Refused. (ADAPTER_X)"}},
		{409, "application/json", `{"error":{"code":"CONFLICT","message":"In use.","details":{"reason":"SIGNAL_IN_USE","later":1}}}`, true, []string{"the gateway answers 409: In use. (SIGNAL_IN_USE)"}},
		{404, "application/json", `{"error":{"code":"NOT_FOUND","message":"None."}}`, true, []string{"the gateway answers 404: None."}},
		{403, "application/json", `{"error":{"code":"FORBIDDEN","message":"To read."}}`, true, []string{"this key may not ask that: To read."}},
		{401, "application/json", `{"error":{"code":"UNAUTHORIZED","message":"No."}}`, false, []string{"the gateway does not know this key"}},
		{503, "application/json", `{"error":{"code":"SERVICE_UNAVAILABLE","message":"Away.","details":{"reason":"UPSTREAM_TIMEOUT"}}}`, false, []string{"the gateway can't answer now: Away. (UPSTREAM_TIMEOUT)"}},
		{500, "application/json", `{"error":{"code":"INTERNAL_ERROR","message":"Oh."}}`, false, []string{"the gateway answers 500: Oh."}},
		{404, "text/html", "<p>", false, []string{"what answers there is no esagate (404 text/html): is "}},
		{200, "application/json", `{"a":`, false, []string{"what answers there is no esagate: its answer can't be read"}},
		{200, "text/html", "<p>", false, []string{"what answers there is no esagate (200 text/html)"}},
	} {
		g.set(func() {
			g.fail = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", it.kind)
				w.WriteHeader(it.status)
				_, _ = io.WriteString(w, it.body)
			}
		})
		_, err := g.client(Options{}).Call(t.Context(), operation(t, "createEsaSignal"), []string{"esaId=5"}, []byte("{}"))
		p, ok := err.(*Problem)
		if !ok {
			t.Fatalf("%d: %v", it.status, err)
		}
		lines := p.Lines
		if len(lines) == 0 {
			lines = []string{p.Error()}
		}
		if p.Judged != it.judged || !slices.EqualFunc(lines, it.lines, strings.HasPrefix) || strings.Contains(strings.Join(lines, ""), "\n") {
			t.Errorf("%d %s: %+v", it.status, it.body, p)
		}
	}
}

func TestJSONForTerminals(t *testing.T) {
	const value = "{\"n\": 12345678901234567890.0,\n \"s\":\"\u009b\u202e\U000e0001é\\u001b\"}"
	for indented, want := range map[bool]string{
		false: `{"n":12345678901234567890.0,"s":"\u009b\u202e\udb40\udc01é\u001b"}`,
		true:  "{\n  \"n\": 12345678901234567890.0,\n  \"s\": \"\\u009b\\u202e\\udb40\\udc01é\\u001b\"\n}",
	} {
		if got := string(JSON([]byte(value), indented)); got != want {
			t.Errorf("%s", cmp.Or(got, "nothing"))
		}
	}
}
