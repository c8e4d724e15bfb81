package gateway_test

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

const statusWithRuns = statusOf + "?includeSyncHistory=true&syncHistoryLimit=10"

var (
	markup     = regexp.MustCompile(`<svg.*?</svg>|<[^>]*>`)
	lineWithin = regexp.MustCompile(`</?(time|strong|code)[^>]*>`)
)

// reads gives what one reads in a part of a page, from an id to the end of its section.
func (a answer) reads(id string) string {
	_, part, ok := strings.Cut(string(a.body), ` id="`+id+`"`)
	if !ok {
		return "(there is no " + id + ")"
	}
	for _, end := range []string{"</section>", `<div class="columns">`, `<div id="board"`} {
		part, _, _ = strings.Cut(part, end)
	}
	_, part, _ = strings.Cut(part, ">")
	part = lineWithin.ReplaceAllString(part, "")
	return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(part, " "))), " ")
}

// raw gives the document that a page shows, as the API writes it.
func (a answer) raw(t testing.TB) string {
	t.Helper()
	_, part, _ := strings.Cut(string(a.body), "<pre")
	_, part, _ = strings.Cut(part, ">")
	part, _, _ = strings.Cut(part, "</pre>")
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(html.UnescapeString(part))); err != nil {
		t.Fatalf("the raw document: %v in %q", err, part)
	}
	return b.String()
}

// shows checks what parts of a page say.
func (a answer) shows(t testing.TB, status int, parts map[string][]string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%d, want %d: %s", a.status, status, a.body)
	}
	for id, wants := range parts {
		for _, want := range wants {
			if got := a.reads(id); !strings.Contains(got, want) {
				t.Errorf("%s says %q, want %q", id, got, want)
			}
		}
	}
}

func TestSourcePage(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			status := upstreamtest.Healthy()
			status.Tasks = append(status.Tasks, upstreamtest.Task{ID: "contract_signed", Name: "Contract", Severity: "blocker",
				Description: "Sign the contract.", ConfigurePath: "/contract"})
			w.setStatus(status)
			w.write("PUT", sourcesPath+"/"+source, `{"name":"Meadow & Daily"}`)
			w.agent.FinishRun(tenant, "custom_targeting", 275)
			w.agent.FailRun(tenant, "inventory", "the ad server is asleep")
			b := w.signedIn(writeKey)
			page := b.open(pageOf)
			page.shows(t, 200, map[string][]string{
				"board":              {"Meadow & Daily", "! Blocked", "Google Ad Manager · meadow-daily · customer 4711", "Waits for one task: Contract.", "Answer of 0 s ago"},
				"connection":         {"Stage Set up", "Ad server Google Ad Manager", "Network code 90817263", "Tenant " + tenant, "MCP address /mcp/", "Changed 0 s ago, by writer"},
				"issues":             {"Critical: The inventory sync failed", "SYNC_INVENTORY_FAILED", "SETUP_BLOCKED"},
				"tasks":              {"1 blocker", "Blocker: Contract", "Sign the contract.", "In the storefront: /contract", "Warning: Rules for creatives", "tasks are done"},
				"streams":            {"Inventory Failed", "the ad server is asleep", "1 of 10 runs failed", "Custom targeting Synced", "Items 275"},
				"workflows":          {"7 wait for a person, the oldest for 17 h.", "Creative review 5"},
				"creatives":          {"Active 164", "Waiting for review 5", "Rejected in 24 h 2"},
				"products":           {"Active 27", "Drafts 6", "Archived 3"},
				"packages":           {"Active 21", "Paused 4", "Impressions in 24 h 0"},
				"inventory-profiles": {"Complete 33", "Incomplete 7", "Owned by wholesale 27"},
				"webhooks":           {"None was delivered in the last 24 hours."},
				"audit":              {"Succeeded: Changed the source writer 0 s ago"},
				"document":           {`curl -H "Authorization: Bearer $ESAGATE_KEY" 'https://gateway.example` + statusWithRuns + `'`},
			})
			if got, want := page.raw(t), string(w.get(statusWithRuns).body); got != want {
				t.Errorf("the raw document is\n%s\nwant\n%s", got, want)
			}
			if order := page.reads("tasks"); strings.Index(order, "Blocker: Contract") > strings.Index(order, "Warning: Rules") {
				t.Errorf("blockers are not first: %s", order)
			}
		})
	}
}

// Who only reads sees no actions and no audit, and can't do anything.
func TestSourcePageOfReaders(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		page := b.open(pageOf)
		page.shows(t, 200, map[string][]string{"audit": {"shown to those who may make some"}, "board": {"a key that only reads"}})
		if bytes.Contains(page.body, []byte(`class="ask"`)) || bytes.Contains(page.body, []byte("do-refresh")) {
			t.Error("there are actions")
		}
		for _, action := range pageActions {
			if a := b.submit(pageOf+"/"+action, ""); a.status != 403 {
				t.Errorf("%s: %d", action, a.status)
			}
		}
		if n := w.agent.Calls(""); n != w.calls(upstreamtest.RouteStatus)+w.calls(upstreamtest.RouteSyncHistory) {
			t.Errorf("%d calls", n)
		}
	})
}

// The page of an operator shows how to read it as one.
func TestSourcePageOfOperators(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(deskKey)
		b.open(pageOf).shows(t, 200, map[string][]string{"document": {`-H "Esagate-Customer: 4711" 'https://`}})
		b.act(t, "refresh").shows(t, 200, map[string][]string{"outcome": {"The syncs have been started."}, "audit": {"Started a refresh desk (operator)"}})
		for _, path := range []string{"/ops/sources/4712/" + source, "/ops/sources/0/" + source, "/ops/sources/x/" + source} {
			if a := b.open(path); a.status != 404 {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
}

func TestSourcesWithoutAPage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		mine, other := w.signedIn(writeKey), w.signedIn(otherKey)
		mine.open(pageOf)
		w.write("POST", sourcesPath+"/"+source+"/deactivate", "")
		w.write("DELETE", sourcesPath+"/"+source, "")
		for path, want := range map[string]string{
			"/ops/sources/4711/harbour-direct": "This source is an agent that somebody else runs",
			pageOf:                             "There is no such source. It may have been deleted.",
			"/ops/sources/4711/nothing":        "There is no such source.",
			"/ops/sources/4712/" + unplanned:   "There is nothing at this address",
		} {
			a := mine.open(path)
			if a.status != 404 || !strings.Contains(string(a.body), want) || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
			if a := mine.submit(path+"/refresh", ""); a.status != 404 || !strings.Contains(string(a.body), want) {
				t.Errorf("%s/refresh: %d %s", path, a.status, a.body)
			}
		}
		if a := other.open("/ops/sources/4711/" + unplanned); a.status != 404 || bytes.Contains(a.body, []byte("Not yet")) {
			t.Errorf("a stranger's: %d %s", a.status, a.body)
		}
	})
}

func TestSourcePageWithoutATenant(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		page := b.open("/ops/sources/4711/" + unplanned)
		page.shows(t, 200, map[string][]string{
			"board":      {"… Pending", "The sales agent has no account for this source yet"},
			"connection": {"Stage Not set up yet", "Ad server none saved", "Last test never"},
			"packages":   {"Nothing is booked."},
			"audit":      {"Nobody has changed anything yet."},
		})
		if got := page.raw(t); got != string(w.get(sourcesPath+"/"+unplanned+"/status?includeSyncHistory=true&syncHistoryLimit=10").body) {
			t.Errorf("%s", got)
		}
		if a := b.submit("/ops/sources/4711/"+unplanned+"/refresh", ""); a.status != 409 || !strings.Contains(a.reads("outcome"), "This does not fit the state of the source.") {
			t.Errorf("%d %s", a.status, a.reads("outcome"))
		}
		sourceID, _ := w.connected("harbour")
		b.open("/ops/sources/4711/"+sourceID).shows(t, 200, map[string][]string{"connection": {"Stage Set up", "harbour"}, "audit": {"Connected the source writer"}})
	})
}

// The ad server refuses the account while the source is set up.
func TestSourcePageOfAFailedOne(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.write("POST", esaPath, `{"type":"springserve","email":"403@harbour.example","password":"CANARY-pw","sourceId":"pier"}`)
		w.signedIn(writeKey).open("/ops/sources/4711/pier").shows(t, 200, map[string][]string{
			"board":      {"! Blocked"},
			"connection": {"Last error:", "ADAPTER_PERMISSION_DENIED", "Could not be set up"},
		})
	})
}

// The page says what is known when the sales agent gives nothing, and does not wait for it.
func TestSourcePageInAnOutage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		quick := func(a answer) answer {
			t.Helper()
			if a.took > 2*time.Second {
				t.Errorf("it took %v", a.took)
			}
			return a
		}
		w.agent.SetSlow(2500 * time.Millisecond)
		page := quick(b.open(pageOf))
		page.shows(t, 200, map[string][]string{"board": {"Its status is being read"}, "tasks": {"Not known until the status can be read."},
			"connection": {"Network code 90817263"}, "document": {"There is none at the moment."}})
		for _, hook := range []string{`hx-trigger="every 2s"`, `<meta http-equiv="refresh"`} {
			if !bytes.Contains(page.body, []byte(hook)) {
				t.Errorf("it does not come again: no %s", hook)
			}
		}
		w.pass(5 * time.Second)
		page = quick(b.open(pageOf))
		page.shows(t, 200, map[string][]string{"products": {"Active 27"}, "streams": {"Its last runs are not known"}})
		if bytes.Contains(page.body, []byte("every 2s")) {
			t.Error("it comes again all the same")
		}
		w.agent.SetSlow(0)
		w.agent.SetDown(true)
		w.pass(time.Minute)
		b.open(pageOf)
		w.pass(time.Second)
		quick(b.open(pageOf)).shows(t, 200, map[string][]string{
			"board": {"What you see is the sales agent's answer of 1 min ago.", "As last known: It sells, and everything about it works."}, "products": {"Active 27"}})
		w.pass(time.Hour)
		b = w.signedIn(writeKey)
		b.open(pageOf)
		w.pass(10 * time.Second)
		quick(b.open(pageOf)).shows(t, 200, map[string][]string{
			"board":      {"? Not known", "Nothing was heard of it for so long", "What you see is the sales agent's answer of 1 h ago."},
			"products":   {"Active 27"},
			"connection": {"Network code 90817263"},
			"audit":      {"Nobody has changed anything yet."},
		})
	})
}

func TestSourcePageOfATenantThatIsGone(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.RemoveTenant(tenant)
		b := w.signedIn(writeKey)
		b.open(pageOf)
		w.pass(time.Second) // it is judged in the background
		b.open(pageOf).shows(t, 200, map[string][]string{
			"board":    {"✕ Down", "The sales agent does not know this source any more", "What was known last is shown below."},
			"products": {"Not known until the status can be read."}, "connection": {"Tenant " + tenant},
		})
	})
}

// The registry's audit is away: the rest is shown.
func TestSourcePageWithoutARegistry(t *testing.T) {
	var gone bool
	inWorld(t, setup{store: func(s registry.Store) registry.Store { return unauditedStore{s, &gone} }}, func(w *world) {
		b := w.signedIn(writeKey)
		b.open(pageOf)
		gone = true
		b.open(pageOf).shows(t, 200, map[string][]string{"audit": {"The record can't be read at the moment."}, "products": {"Active 27"}})
	})
}

// What others wrote is text, and each id is there once.
func TestSourcePageOfHostileTexts(t *testing.T) {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'`
	inWorld(t, setup{}, func(w *world) {
		s := upstreamtest.InventoryFailed()
		s.Streams[0].Error, s.Streams[0].Issue.Message = evil, evil
		s.Streams = append(s.Streams,
			upstreamtest.Stream{Name: "inventory_", Status: "success", Severity: "ok"},
			upstreamtest.Stream{Name: "Inventory", Status: "success", Severity: "ok"},
			upstreamtest.Stream{Name: `"><b>x`, Status: "success", Severity: "ok"})
		s.Tasks = append(s.Tasks,
			upstreamtest.Task{ID: "odd.task:1", Name: evil, Severity: "blocker", Description: evil, ConfigurePath: "javascript:alert(1)"},
			upstreamtest.Task{ID: "odd.task:1", Name: "the same again", Severity: "info"},
			upstreamtest.Task{ID: `"><b>x`, Name: evil, Severity: "info"})
		w.setStatus(s)
		name, err := json.Marshal(evil)
		w.must(err)
		w.write("PUT", sourcesPath+"/"+source, `{"name":`+string(name)+`}`)
		w.pass(time.Minute)
		page := w.signedIn(writeKey).open(pageOf)
		page.shows(t, 200, map[string][]string{"board": {evil}})
		for _, raw := range []string{"<script>alert", "<img", "<b>x", "javascript:alert(1)\""} {
			if bytes.Contains(page.body, []byte(raw)) {
				t.Errorf("%s is there", raw)
			}
		}
		var ids []string
		for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllSubmatch(page.body, -1) {
			ids = append(ids, string(id[1]))
		}
		slices.Sort(ids)
		if unique := slices.Compact(slices.Clone(ids)); len(unique) != len(ids) || !slices.Contains(ids, "task-odd.task:1") {
			t.Errorf("the ids %q", ids)
		}
	})
}

func TestSourcePageHeaders(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		for _, a := range []answer{b.open(pageOf), b.open(pageOf, "Hx-Request", "true"), b.send(b.request("HEAD", pageOf, ""))} {
			if h := a.header; a.status != http.StatusOK || h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%d %v", a.status, h)
			}
		}
	})
}
