package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esagate/api"
	"esagate/internal/terminal"
)

// TestCallLists: without a gateway, operations are listed and described, and mistyped ones are told.
func TestCallLists(t *testing.T) {
	out, _ := good(t, nil, "call")
	for _, op := range terminal.Operations() {
		if n := strings.Count(out, "  "+op.ID+" "); n != 1 {
			t.Errorf("%s is listed %d times", op.ID, n)
		}
	}
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"call media-buys", "media-buys\n  listEsaMediaBuys  GET     /esa/{esaId}/media-buys               Media buys\n", "", 0},
		{"call createEsaSignal --help", "\n  valueType *  ", "", 0},
		{"call listEsaMediaBuys -h", "  fromDate=  date", "", 0},
		{"help call createEsaSignal", "  dry_run=  ", "", 0},
		{"call --help", "Exit codes: 0, it is done;", "", 0},
		{"call createEsaSignl --help", "", "did you mean createEsaSignal?", 2},
		{"call createEsaSignl", "", "did you mean createEsaSignal?", 2},
		{"call createEsaSignal esaId=1 --body x -d y", "", "can't be used together", 2},
		{"call createEsaSignal esaId=1", "", "there is no key", 2},
		{"call createEsaSignal esaId=1 --body - --key-file -", "", "can't be both", 2},
		{"call createEsaSignal --key k esaId=1 --body none.json", "", "there is no file none.json", 2},
		{"call createEsaSignal --key k-CANARY esaId=1 -d {} --url http://127.0.0.1:1", "", "nobody listens at 127.0.0.1:1", 2},
	} {
		out, errs, code := command(t, nil, strings.Fields(c.line)...)
		has := strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(c.out), " "))
		if code != c.code || !has || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" || c.code == 2 && out != "" || strings.Contains(out+errs, "CANARY") {
			t.Errorf("esagate %s: %d\n-- out: %s\n-- err: %s", c.line, code, out, errs)
		}
	}
}

// calls makes operations of a demo in a terminal.
func (p *process) calls(t *testing.T, key string) {
	t.Helper()
	env := []string{"ESAGATE_URL=" + p.base, "ESAGATE_KEY=" + key}
	body := filepath.Join(t.TempDir(), "body.json")
	must(t, os.WriteFile(body, []byte(`{"name":"Made Here","executionType":"AGENT"}`), 0o600))
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"call getEsaConnection source=harbour-news", `"sourceId":"harbour-news"`, "", 0},
		{"call getEsaConnection esaId=999999", "", "esagate: the gateway answers 404: ", 1},
		{"call getEsaConnection esaId=x", "", "esagate: esaId: ", 1},
		{"call getEsaConnection source=harbour-new", "", "did you mean harbour-news?", 2},
		{"call listInventorySources take=0 skip=-1", "", ".\nesagate: query.take: ", 1},
		{"call createInventorySource --body " + body, "", "esagate: endpointUrl: ", 1},
		{"call createInventorySource -d [", "", "esagate: the gateway answers 400: ", 1},
		{"call getOverview state=live take=1 --key wrong-CANARY", "", "the gateway does not know this key", 2},
		{"call createInventorySource --key " + demoOperator + " --body " + body, "", "esagate: --customer: ", 1},
		{"call ensureEsaSandboxAccount source=harbour-news", `"ensured":true`, "", 0},
		{"call getEsaConnection source=harbour-news --key " + demoOperator, `"sourceId":"harbour-news"`, "", 0},
	} {
		out, errs, code := command(t, env, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" || c.errs != "" && out != "" ||
			c.code == 0 && strings.Count(out, "\n") != 1 || strings.Contains(out+errs, "CANARY") || strings.Contains(out+errs, key) {
			t.Errorf("esagate %s: %d\n-- out: %s\n-- err: %s", c.line, code, out, errs)
		}
	}
	reads := 0
	for _, op := range terminal.Operations() { // those that need a source alone
		named := func(p api.Parameter) bool { return p.Required && p.Name != "esaId" && p.Name != "sourceId" }
		if op.Method != http.MethodGet || slices.ContainsFunc(op.Parameters, named) {
			continue
		}
		line := []string{"call", op.ID}
		if strings.Contains(op.Path, "{") {
			line = append(line, "source=harbour-news")
		}
		reads++
		if out, errs, code := command(t, env, line...); code != 0 || errs != "" || !json.Valid([]byte(out)) || strings.Contains(out, "CANARY") {
			t.Errorf("esagate %q: %d\n-- out: %.300s\n-- err: %s", line, code, out, errs)
		}
	}
	if reads < 24 {
		t.Errorf("%d operations were read", reads)
	}
	cmd := exec.CommandContext(t.Context(), binary, "call", "updateInventorySource", "sourceId=lakeside-signals", "--body", "-")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = bytes.NewBufferString(`{"name":"Called, and Named"}`)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), `"name":"Called, and Named"`) {
		t.Errorf("a body from the standard input: %v %s", err, out)
	}
}
