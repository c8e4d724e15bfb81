package ops_test

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"esagate/gateway/ops"
)

// parsed is a page as a browser reads it.
type parsed struct {
	ids map[string]*html.Node
	all []*html.Node // elements, in their order
}

func parsePage(t testing.TB, page []byte) *parsed {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	p := &parsed{ids: map[string]*html.Node{}}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			p.all = append(p.all, n)
			id, _ := attribute(n, "id")
			p.ids[id] = n
		}
	}
	return p
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// text gives what one reads in an element.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.Data != "time" && d.Data != "strong": // they stand within a line
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

var sourceSections = []string{"connection", "issues", "tasks", "streams", "workflows", "creatives", "products", "packages",
	"inventory-profiles", "webhooks", "audit", "document"}

func TestSourcePagesHaveTheirParts(t *testing.T) {
	for name, change := range sourceStates {
		v := aSource()
		change(&v)
		p := parsePage(t, ops.Source(v))
		for _, id := range sourceSections {
			if n := p.ids[id]; n == nil {
				t.Errorf("%s: no section %s", name, id)
			} else if heading := text(p.ids[id].FirstChild.NextSibling); text(n) == heading {
				t.Errorf("%s: the section %s is empty", name, id)
			}
		}
		at := v.Place().Path()
		for _, n := range p.all {
			href, _ := attribute(n, "href")
			u, _ := url.Parse(href)
			if n.Data == "a" && u.EscapedPath() == at && p.ids[u.Fragment] == nil {
				t.Errorf("%s: the link %q leads nowhere on its own page", name, href)
			}
		}
	}
}

func TestSourcePagesSayHowItStands(t *testing.T) {
	for _, c := range []struct {
		state, id string
		says      []string
	}{
		{"live", "board", []string{"Granite Video ✓ Live for 6 d", "It sells, and everything about it works.", "Answer of 4 s ago", "3 states"}},
		{"live", "changes", []string{"✓ Live for 15 h, until now", "~ Degraded for 1 h, until 15 h ago"}},
		{"live", "connection", []string{"Network code 90817263", "Tenant tnt_granite", "MCP address https://sales-agent.example/mcp/",
			"Account to let in esagate@operator-project.iam.gserviceaccount.example", "Last test 3 d ago", "Set up 40 d ago"}},
		{"live", "issues", []string{"There are none."}},
		{"live", "tasks", []string{"Nothing is left to be done.", "3 tasks are done", "Done: Ad server connected"}},
		{"live", "stream-inventory", []string{"Inventory Synced", "Last run 18 min ago", "Last success 18 min ago", "Items 18,240", "10 runs, none failed"}},
		{"live", "workflows", []string{"3 wait for a person, the oldest for 5 h.", "Creative approval 2"}},
		{"live", "creatives", []string{"Active 48", "Waiting for review 2", "Rejected in 24 h 1"}},
		{"live", "products", []string{"Active 9", "Drafts 2", "Archived 4"}},
		{"live", "packages", []string{"Active 12", "Paused 2", "Impressions in 24 h 1,204,332"}},
		{"live", "inventory-profiles", []string{"Complete 13", "Incomplete 1", "Owned by wholesale 2"}},
		{"live", "webhooks", []string{"Delivered in 24 h 412", "Failed 1", "Last failure 7 h ago", "99.8 %"}},
		{"live", "audit", []string{"Succeeded: Tested the connection desk 3 d ago", "Create a signal desk 4 d ago", "nightly-setup (operator)", "Refused: Saved the ad server 3 times VALIDATION_ERROR"}},
		{"live", "document", []string{"curl -H", `"isLive": true`}},
		{"down", "connection", []string{"Last error: The ad server refused the credentials. ADAPTER_INVALID_CREDENTIALS", "Connected no"}},
		{"blocked", "tasks", []string{"2 blockers · 1 warning", "Blocker: Default advertiser", "In the storefront: /settings/ad-server#advertiser"}},
		{"degraded", "stream-inventory", []string{"Inventory Failed", "The last three syncs failed", "deadline exceeded while reading ad units (page 14)", "Retry the sync", "3 of 10 runs failed"}},
		{"running", "stream-inventory", []string{"Inventory Running", "It has been syncing for 40 s."}},
		{"running", "outcome", []string{"The syncs have been started.", "Started: inventory, custom targeting, advertisers."}},
		{"stale", "board", []string{"The sales agent can't be reached. What you see is the sales agent's answer of 4 min ago."}},
		{"stale", "board", []string{"As last known: It sells, and everything about it works."}},
		{"unsynced", "stream-reporting", []string{"Nothing to sync yet", "Items 0"}},
		{"odd", "board", []string{"Something keeps it from selling."}},
		{"odd", "kinds", []string{"40 kinds", "9,007,199,254,740,992"}},
		{"odd", "products", []string{"The sales agent does not count them."}},
		{"reading", "board", []string{"Its status is being read"}},
		{"outage", "board", []string{"Not known for 20 min", "The sales agent can't be reached. What was known last is shown below."}},
		{"outage", "streams", []string{"Inventory last known: Success", "Items 18,240"}},
		{"outage", "audit", []string{"The record can't be read at the moment"}},
		{"outage", "document", []string{"There is none at the moment."}},
		{"pending", "board", []string{"Pending for 2 min", "there is nothing to test"}},
		{"pending", "packages", []string{"Nothing is booked."}},
		{"failed", "connection", []string{"Could not be set up", "The service account has no access to network 90817263."}},
		{"deactivated", "connection", []string{"Stage Deactivated", "Deactivated 3 h ago"}},
		{"reader", "audit", []string{"shown to those who may make some"}},
		{"tested-bad", "outcome", []string{"The ad server refuses the saved account", "account is suspended", "It took 12 s."}},
	} {
		v := aSource()
		sourceStates[c.state](&v)
		p := parsePage(t, ops.Source(v))
		if p.ids[c.id] == nil {
			t.Errorf("%s: there is no %s", c.state, c.id)
			continue
		}
		for _, want := range c.says {
			if got := text(p.ids[c.id]); !strings.Contains(got, want) {
				t.Errorf("%s: %s does not say %q but %q", c.state, c.id, want, got)
			}
		}
	}
}

// What others wrote is text, whatever it looks like.
func TestSourcePageOfHostileTexts(t *testing.T) {
	v := aSource()
	sourceStates["hostile"](&v)
	page := ops.Source(v)
	for _, raw := range []string{"<script>alert", "<img", "&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;"} {
		if has := bytes.Contains(page, []byte(raw)); has != strings.HasPrefix(raw, "&") {
			t.Errorf("%s: %v", raw, has)
		}
	}
	p := parsePage(t, page)
	if got := text(p.ids["board"]); !strings.Contains(got, "<script>alert(1)</script>") {
		t.Errorf("the name is not there: %.200s", got)
	}
	if got, _ := attribute(p.ids["board"], "hx-get"); got != "/ops/sources/4210/a%22b%27%3Cc%3E&d%20%C3%A9" {
		t.Errorf("hx-get %s", got)
	}
	if events, _ := attribute(p.ids["live"], "hx-sse:connect"); !strings.HasSuffix(events, "&sourceId=a%22b%27%3Cc%3E%26d+%C3%A9") {
		t.Errorf("hx-sse:connect %s", events)
	}
}

func TestActionsOfASource(t *testing.T) {
	for state, want := range map[string][]string{
		"live":        {"test-connection", "refresh", "deactivate"},
		"failed":      {"test-connection", "refresh"},
		"deactivated": {"test-connection", "refresh", "reactivate"},
		"outage":      {"test-connection", "refresh", "deactivate"},
		"pending":     nil,
		"reader":      nil,
	} {
		v := aSource()
		sourceStates[state](&v)
		p := parsePage(t, ops.Source(v))
		var forms, dialogs []string
		for _, n := range p.all {
			id, _ := attribute(n, "id")
			if n.Data == "dialog" && id != "keys" {
				dialogs = append(dialogs, strings.TrimPrefix(id, "do-"))
			}
			if action, _ := attribute(n, "data-action"); n.Data == "form" && action != "" {
				to, _ := attribute(n, "action")
				method, _ := attribute(n, "method")
				if to != "/ops/sources/4210/granite-video/"+action || method != "post" {
					t.Errorf("%s: %s %s", state, method, to)
				}
				forms = append(forms, action)
			}
		}
		if !slices.Equal(forms, want) || !slices.Equal(dialogs, want) {
			t.Errorf("%s: forms %v, dialogs %v, want %v", state, forms, dialogs, want)
		}
	}
}

// TestWhatMendsASource: what is said first leads to the same as what is said of its cause, and that is done here
// where it can be.
func TestWhatMendsASource(t *testing.T) {
	for state, want := range map[string]struct {
		parts []string
		text  string
		does  string // the dialog that it opens; "": it is a link
	}{
		"degraded": {[]string{"say", "stream-inventory"}, "Retry the sync →", "do-refresh"},
		"refused":  {[]string{"say", "stream-inventory"}, "Reconnect the ad server →", ""},
		"unsynced": {[]string{"say", "task-inventory_synced"}, "Sync the inventory →", "do-refresh"},
	} {
		v := aSource()
		sourceStates[state](&v)
		p := parsePage(t, ops.Source(v))
		for _, n := range p.all {
			if class, _ := attribute(n, "class"); class == "say" {
				p.ids["say"] = n
			}
		}
		for _, part := range want.parts {
			var leads []string
			for n := range p.ids[part].Descendants() {
				if n.Data == "a" || n.Data == "button" {
					does, _ := attribute(n, "commandfor")
					leads = append(leads, text(n)+" "+does)
				}
			}
			if !slices.Equal(leads, []string{want.text + " " + want.does}) {
				t.Errorf("%s: %s leads to %q", state, part, leads)
			}
		}
	}
}

func TestOutcomes(t *testing.T) {
	for answer, want := range map[string]string{
		`{"success":true,"error":null,"errorCode":null,"capabilityChecks":[]}`: "true The ad server let us in, and everything that was tested works.",
		`{"success":true,"capabilityChecks":[{"capability":"reporting","status":"failed","message":"no access to reports"},
			{"capability":"forecasting","status":"not_checked","message":null}]}`: "false The ad server let us in, but not everything works. " +
			"Reporting does not work. no access to reports.",
		`{"success":false,"errorCode":"ADAPTER_CONNECTION_FAILED","error":"no route to host"}`: "false The ad server could not be reached: nothing can be sold. no route to host.",
		`{"success":false,"errorCode":"ADAPTER_NEW","error":"Odd."}`:                           "false The ad server did not let us in. Odd.",
		`{"status":"started","syncRunIds":{"inventory":"r1","customTargeting":"r2"}}`:          "true The syncs have been started. Started: custom targeting, inventory.",
		`{"status":"already_running","syncRunIds":{},"runningSyncTypes":["inventory"]}`:        "true Nothing was started: syncs are running already. Running: inventory.",
		`{"provisioningStatus":"deactivated"}`:                                                 "true The source is deactivated: it sells nothing until it is reactivated.",
		`{"provisioningStatus":"active"}`:                                                      "true The source is active again.",
		`{"provisioningStatus":"failed"}`:                                                      "false The source is neither active nor deactivated now: see below how it stands.",
	} {
		o, err := ops.OutcomeOf([]byte(answer))
		if err != nil {
			t.Errorf("%s: %v", answer, err)
			continue
		}
		if got := fmt.Sprint(o.Good, " ", strings.Join(append([]string{o.Text}, o.More...), " ")); got != want {
			t.Errorf("%s: %s", answer, got)
		}
	}
}
