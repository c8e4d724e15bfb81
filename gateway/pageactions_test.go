package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

var pageActions = []string{"test-connection", "refresh", "deactivate", "reactivate"}

// form gives the form of an action on a page, as a browser sends it.
func (a answer) form(t testing.TB, action string) url.Values {
	t.Helper()
	_, form, ok := strings.Cut(string(a.body), ` data-action="`+action+`"`)
	if !ok {
		t.Fatalf("the page can't %s: %s", action, a.reads("board"))
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, field := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	return values
}

// act opens the page and does something there.
func (b *browser) act(t testing.TB, action string) answer {
	t.Helper()
	return b.submit(pageOf+"/"+action, b.open(pageOf).form(t, action).Encode())
}

// lastAudit gives the newest entry of the audit, in short.
func (w *world) lastAudit() string {
	w.Helper()
	type entry struct {
		Actor, Operation, Outcome string
		ErrorCode                 *string
		Status                    int
	}
	all := decode[struct{ Entries []entry }](w.TB, w.writeAs(writeKey, "GET", auditPath+"?limit=1", ""), 200).Entries
	if len(all) == 0 {
		return ""
	}
	e := all[0]
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", e.Actor, e.Operation, e.Outcome, e.Status, orNothing(e.ErrorCode)))
}

func TestActionsFromThePage(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{ProbeTakes: 12 * time.Second}}, func(w *world) {
		b := w.signedIn(writeKey)
		active := func(want bool) {
			t.Helper()
			if now, _ := w.agent.Tenant(tenant); now.Active != want {
				t.Errorf("the tenant is active: %v", now.Active)
			}
		}
		b.act(t, "test-connection").shows(t, 200, map[string][]string{
			"outcome": {"✓ The ad server let us in, and everything that was tested works. It took 12 s."}, "audit": {"Tested the connection writer"},
			"connection": {"Last test 0 s ago"}})
		if got := w.lastAudit(); got != "writer testInventorySourceEsaConnection succeeded 200" || w.calls(upstreamtest.RouteTestConnection) != 1 {
			t.Errorf("%s; %d tests", got, w.calls(upstreamtest.RouteTestConnection))
		}
		b.act(t, "refresh").shows(t, 200, map[string][]string{
			"outcome": {"✓ The syncs have been started. Started: advertisers, custom targeting, inventory."}, "streams": {"Inventory Running"}})
		if got := w.lastAudit(); got != "writer refreshInventorySourceEsa succeeded 200" {
			t.Error(got)
		}
		page := b.act(t, "deactivate")
		page.shows(t, 200, map[string][]string{
			"outcome": {"✓ The source is deactivated"}, "board": {"○ Deactivated", "Reactivate"}, "connection": {"Stage Deactivated"}})
		active(false)
		if got := w.lastAudit(); got != "writer deactivateInventorySourceEsa succeeded 200" {
			t.Error(got)
		}
		if bytes.Contains(page.body, []byte("do-deactivate")) {
			t.Error("it can be deactivated again")
		}
		b.act(t, "reactivate").shows(t, 200, map[string][]string{"outcome": {"✓ The source is active again."}, "connection": {"Stage Set up"}})
		active(true)
		if got := w.lastAudit(); got != "writer reactivateInventorySourceEsa succeeded 200" {
			t.Error(got)
		}
	})
}

// A script gets the same answer, of which it takes its part.
func TestActionsByScript(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		a := b.submit(pageOf+"/refresh", b.open(pageOf).form(t, "refresh").Encode(), "Hx-Request", "true", "Hx-Target", "page")
		a.shows(t, 200, map[string][]string{"page": {"The syncs have been started."}})
	})
}

// Two clicks are one request, and an outdated page does nothing.
func TestActionsAreDoneOnce(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		page := b.open(pageOf)
		form := page.form(t, "refresh").Encode()
		first := b.submit(pageOf+"/refresh", form)
		w.pass(2 * time.Minute) // the sales agent would start others
		again := b.submit(pageOf+"/refresh", form)
		if first.reads("outcome") != again.reads("outcome") || w.calls(upstreamtest.RouteRefresh) != 1 {
			t.Errorf("%q, then %q; %d calls", first.reads("outcome"), again.reads("outcome"), w.calls(upstreamtest.RouteRefresh))
		}
		outdated := page.form(t, "deactivate").Encode()
		w.write("PUT", sourcesPath+"/"+source, `{"name":"Another"}`)
		b.submit(pageOf+"/deactivate", outdated).shows(t, 412, map[string][]string{
			"outcome": {"✕ The source has changed since this page was shown, so nothing was done. This is how it stands now"}, "board": {"Another"}})
		if got := w.lastAudit(); got != "writer deactivateInventorySourceEsa refused 412 PRECONDITION_FAILED" || w.calls(upstreamtest.RouteDeactivate) != 0 {
			t.Errorf("%s; %d calls", got, w.calls(upstreamtest.RouteDeactivate))
		}
		b.act(t, "deactivate").shows(t, 200, map[string][]string{"outcome": {"deactivated"}})
	})
}

// A second click comes while the first is worked on.
func TestActionsUnderWay(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{ProbeTakes: 20 * time.Second}}, func(w *world) {
		b := w.signedIn(writeKey)
		form := b.open(pageOf).form(t, "test-connection").Encode()
		first := make(chan answer)
		request := b.request("POST", pageOf+"/test-connection", form)
		go func() { first <- b.send(request) }()
		w.pass(5 * time.Second)
		b.submit(pageOf+"/test-connection", form).shows(t, 409, map[string][]string{"outcome": {"This has been asked for already, and is still being done."}})
		(<-first).shows(t, 200, map[string][]string{"outcome": {"everything that was tested works. It took 20 s."}})
		if n := w.calls(upstreamtest.RouteTestConnection); n != 1 {
			t.Errorf("%d tests", n)
		}
	})
}

func TestActionsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		action string
		fault  upstreamtest.Fault
		status int
		says   string
		audit  string
	}{
		"a test of what the ad server refuses": {"test-connection", upstreamtest.Fault{Only: upstreamtest.RouteTestConnection,
			Body: `{"success":false,"error":"<b>account</b> is suspended","error_code":"invalid_credentials","tested_at":"2026-01-02T03:04:05Z","details":{},"capability_checks":[]}`},
			200, "✕ The ad server refuses the saved account: nothing can be sold or reported.", "succeeded 200"},
		"a test that breaks": {"test-connection", upstreamtest.Fault{Only: upstreamtest.RouteTestConnection, Status: 500}, 503,
			"✕ This can't be done at the moment.", "failed 503 SERVICE_UNAVAILABLE"},
		"a refresh that breaks": {"refresh", upstreamtest.Fault{Only: upstreamtest.RouteRefresh, Status: 500}, 503,
			"It is worth trying again in", "failed 503 SERVICE_UNAVAILABLE"},
		"a switch that breaks": {"deactivate", upstreamtest.Fault{Only: upstreamtest.RouteDeactivate, Status: 500}, 503,
			"✕ This can't be done at the moment.", "failed 503 SERVICE_UNAVAILABLE"},
	} {
		inWorld(t, setup{}, func(w *world) {
			b := w.signedIn(writeKey)
			form := b.open(pageOf).form(t, c.action)
			w.agent.Fault("", c.fault)
			a := b.submit(pageOf+"/"+c.action, form.Encode())
			if got := a.reads("outcome"); a.status != c.status || !strings.Contains(got, c.says) {
				t.Errorf("%s: %d %q", name, a.status, got)
			}
			if !strings.Contains(a.reads("products"), "Active 27") || (c.status == 503) != (a.header.Get("Retry-After") != "") {
				t.Errorf("%s: the page shows %s, headers %v", name, a.reads("products"), a.header)
			}
			if got := w.lastAudit(); !strings.HasSuffix(got, c.audit) {
				t.Errorf("%s: %s", name, got)
			}
			w.agent.Fault("", upstreamtest.Fault{})
			w.pass(time.Minute)
			if again := b.submit(pageOf+"/"+c.action, form.Encode()); c.status != 200 && (again.status != 200 || !strings.Contains(again.reads("outcome"), "✓")) {
				t.Errorf("%s: a second try: %d %s", name, again.status, again.reads("outcome"))
			}
		})
	}
}

func TestActionsInAnOutage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		page := b.open(pageOf)
		w.agent.SetDown(true)
		for _, action := range pageActions[:3] {
			b.submit(pageOf+"/"+action, page.form(t, action).Encode()).shows(t, 503, map[string][]string{
				"outcome": {"✕ This can't be done at the moment.", "It is worth trying again in"}, "products": {"Active 27"}})
		}
	})
}

func TestFormsThatAreRefused(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		for name, c := range map[string]struct {
			form   string
			pairs  []string
			status int
		}{
			"too long":             {strings.Repeat("x", 5000), nil, 413},
			"no form":              {"%zz", nil, 400},
			"a key of two words":   {"once=two+words", nil, 400},
			"JSON":                 {"{}", []string{"Content-Type", "application/json"}, 415},
			"from another site":    {"", []string{"Origin", "https://evil.example"}, 403},
			"without an origin":    {"", []string{"Origin", "", "Sec-Fetch-Site", ""}, 403},
			"of another site":      {"", []string{"Sec-Fetch-Site", "cross-site"}, 403},
			"of a sibling's site":  {"", []string{"Sec-Fetch-Site", "same-site"}, 403},
			"headers of a program": {"seen=x", []string{"If-Match", `"x"`}, 200}, // they are not a page's
		} {
			if a := b.submit(pageOf+"/refresh", c.form, c.pairs...); a.status != c.status {
				t.Errorf("%s: %d %s", name, a.status, a.reads("main"))
			}
		}
		if n := w.calls(upstreamtest.RouteRefresh); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// unauditedStore is a Store whose audit can't be read while gone is set.
type unauditedStore struct {
	registry.Store
	gone *bool
}

func (s unauditedStore) Customer(id int64) registry.CustomerStore {
	return unauditedCustomer{s.Store.Customer(id), s.gone}
}

type unauditedCustomer struct {
	registry.CustomerStore
	gone *bool
}

func (s unauditedCustomer) Audit(ctx context.Context, q registry.AuditQuery) ([]registry.AuditEntry, bool, error) {
	if *s.gone {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	return s.CustomerStore.Audit(ctx, q)
}
