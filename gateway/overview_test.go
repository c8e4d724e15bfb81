package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

const overviewPath = "/api/v2/storefront/overview"

// overviewView is what tests look at in an overview.
type overviewView struct {
	Headline string
	Counts   map[string]int
	Total    int
	Items    []overviewRow
}

type overviewRow struct {
	SourceID, ESAID, Name, State string
	CustomerID                   int64
	Since, FetchedAt             *string
	AdServer                     *string
	Issue                        *struct{ Code, Severity, Message string }
	Blockers                     []struct{ ID string }
	Age                          *int
	Stale                        bool
	Breaker                      string
	ChangedBy                    *struct {
		Actor    string
		Operator bool
	}
	History []struct {
		State    string
		From, To *string
	}
}

func (w *world) overview(query string) *overviewView {
	w.Helper()
	return decode[overviewView](w, w.get(overviewPath+query), 200)
}

// TestOverviewIsOfOnesOwnSources, whatever is asked for.
func TestOverviewIsOfOnesOwnSources(t *testing.T) {
	theirs := registry.ConfigSource{CustomerID: stranger, SourceID: "their-daily", Name: "Theirs", TenantID: "tnt_theirs"}
	inWorld(t, setup{sources: []registry.ConfigSource{theirs}}, func(w *world) {
		w.get(statusOf)
		all := w.overview("")
		if len(all.Items) != 2 || all.Total != 2 || all.Items[0].CustomerID != customer || all.Items[1].CustomerID != customer {
			w.Errorf("%+v", all)
		}
		if none := w.overview("?customerId=4712"); len(none.Items) != 0 || none.Total != 0 || none.Counts["unknown"] != 0 {
			w.Errorf("of another customer: %+v", none)
		}
		if one := w.overview("?customerId=4711&state=live,degraded&state=down"); len(one.Items) != 1 || one.Items[0].SourceID != source || one.Total != 1 {
			w.Errorf("live: %+v", one)
		}
		e := w.get(overviewPath+"?state=fine&q=&sort=age,&include=all&customerId=0&take=201&skip=-1&x=1").failure(w, 400, "VALIDATION_ERROR")
		if len(e.Details.Issues) != 8 {
			w.Errorf("%+v", e.Details.Issues)
		}
	})
}

// everyState are sources in all states, and the names of these; "gone" has no tenant at the sales agent.
func everyState() (s setup, states map[string]string) {
	states = map[string]string{
		"gone": "down", "lost": "down", "blocked": "blocked", "degraded": "degraded", "off": "deactivated", source: "live", unplanned: "pending",
	}
	for _, id := range []string{"blocked", "degraded", "gone", "lost", "off"} {
		s.sources = append(s.sources, registry.ConfigSource{CustomerID: customer, SourceID: id, Name: strings.ToUpper(id[:1]) + id[1:],
			TenantID: "tnt_" + id, AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "90817263"}})
	}
	return s, states
}

// inEveryState runs a test in a world of everyState, whose sources have been read.
func inEveryState(t *testing.T, s setup, body func(w *world)) {
	all, _ := everyState()
	s.sources = append(all.sources, s.sources...)
	inWorld(t, s, func(w *world) {
		blocked := upstreamtest.Healthy()
		blocked.Tasks = []upstreamtest.Task{{ID: "currency_limits", Name: "Create a limit", Severity: "blocker"}}
		for id, status := range map[string]upstreamtest.Status{
			"blocked": blocked, "degraded": upstreamtest.InventoryFailed(), "lost": upstreamtest.Disconnected(), "off": upstreamtest.Healthy(),
		} {
			w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_" + id, Active: true, Status: status,
				AdServer: upstreamtest.AdServer{Type: "google_ad_manager", NetworkCode: "90817263", Configured: true}})
		}
		w.write("POST", sourcesPath+"/off/deactivate", "")
		w.overview("")
		w.pass(time.Second) // they are read in the background
		w.pass(time.Second)
		body(w)
	})
}

// order gives the sourceIds of an overview.
func (o *overviewView) order() (ids []string) {
	for _, item := range o.Items {
		ids = append(ids, item.SourceID)
	}
	return ids
}

func (o *overviewView) row(t testing.TB, id string) *overviewRow {
	t.Helper()
	for i := range o.Items {
		if o.Items[i].SourceID == id {
			return &o.Items[i]
		}
	}
	t.Fatalf("no %s in %q", id, o.order())
	return nil
}

// TestOverviewIsTheWorstFirst, says what is wrong, and calls nobody.
func TestOverviewIsTheWorstFirst(t *testing.T) {
	inEveryState(t, setup{}, func(w *world) {
		_, states := everyState()
		calls := w.agent.Calls("")
		o := w.overview("")
		for id, state := range states {
			if got := o.row(w, id).State; got != state {
				w.Errorf("%s is %s, want %s", id, got, state)
			}
		}
		if got := strings.Join(o.order(), " "); got != "gone lost blocked degraded not-yet-provisioned meadow-daily off" && got != "lost gone blocked degraded not-yet-provisioned meadow-daily off" {
			w.Errorf("order: %s", got)
		}
		if o.Counts["down"] != 2 || o.Counts["live"] != 1 || o.Counts["deactivated"] != 1 || o.Total != 7 {
			w.Errorf("%v of %d", o.Counts, o.Total)
		}
		if o.Headline != "3 of 7 sources can't sell: 1 is not known to the sales agent, 1 has lost its ad server, 1 waits for a setup task." {
			w.Errorf("%s", o.Headline)
		}
		blocked := o.row(w, "blocked")
		if blocked.Issue.Code != "SETUP_BLOCKED" || blocked.Blockers[0].ID != "currency_limits" || blocked.Since == nil || blocked.Age == nil ||
			blocked.Breaker != "closed" || blocked.Stale || *blocked.AdServer != "google_ad_manager" || blocked.FetchedAt == nil {
			w.Errorf("%+v", blocked)
		}
		if off := o.row(w, "off"); off.ChangedBy == nil || off.ChangedBy.Actor != "writer" || off.ChangedBy.Operator {
			w.Errorf("changed by %+v", off.ChangedBy)
		}
		if gone := o.row(w, "gone"); gone.Issue.Code != "TENANT_NOT_FOUND" || gone.Age != nil {
			w.Errorf("%+v", gone)
		}
		for query, want := range map[string]string{
			"?state=blocked": "blocked", "?q=CREATE+A": "blocked", "?issue=TENANT_NOT_FOUND": "gone", "?q=meadow&adServer=google_ad_manager": source,
			"?q=%25": "", "?q=%27%29+OR+1%3D1+--": "", "?adServer=freewheel": "", "?issue=setup_blocked": "",
			"?sort=-name&take=2":    "off not-yet-provisioned",
			"?sort=sourceId&skip=5": "not-yet-provisioned off",
			"?skip=7":               "", "?skip=2147483647": "",
		} {
			if got := strings.Join(w.overview(query).order(), " "); got != want {
				w.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		if n := w.agent.Calls("") - calls; n != 0 {
			w.Errorf("%d calls", n)
		}
		w.get(overviewPath+"?q="+strings.Repeat("x", 101)).failure(w, 400, "VALIDATION_ERROR")
		w.get(overviewPath+"?q="+strings.Repeat("x", 1<<20)).failure(w, 431, "BAD_REQUEST")
	})
}

// TestOverviewTag: it is the same for as long as nothing but the age changes, and a weak one.
func TestOverviewTag(t *testing.T) {
	inEveryState(t, setup{}, func(w *world) {
		for _, query := range []string{"", "?include=history"} {
			first := w.get(overviewPath+query, "Accept-Encoding", "gzip")
			tag := first.header.Get("ETag")
			w.pass(3 * time.Second)
			if again := w.get(overviewPath+query, "If-None-Match", tag); again.status != 304 || again.header.Get("ETag") != tag {
				w.Errorf("%s: %d, %s, want 304, %s", query, again.status, again.header.Get("ETag"), tag)
			}
			w.get(overviewPath+query, "If-Match", tag).failure(w, 412, "PRECONDITION_FAILED")
			w.write("PUT", sourcesPath+"/blocked", `{"name":"Blocked `+query+`"}`)
			if again := w.get(overviewPath+query, "If-None-Match", tag); again.status != 200 {
				w.Errorf("%s: %d after a change", query, again.status)
			}
		}
	})
}

// TestOverviewHistory: the states of the last day, and no news is a state.
func TestOverviewHistory(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.get(statusOf)
		w = w.restartAfter(30 * time.Hour)
		defer w.stop()
		w.setStatus(upstreamtest.Disconnected())
		w.get(statusOf)
		w.pass(10 * time.Minute)
		w.setStatus(upstreamtest.Healthy())
		w.get(statusOf)
		w.pass(10 * time.Second)
		heard := time.Now()
		w.agent.SetDown(true)
		w.pass(20 * time.Minute)
		o := w.overview("?include=history&q=meadow")
		row := o.row(w, source)
		if row.State != "unknown" || row.Issue.Code != "NO_NEWS" || row.Since == nil || len(row.History) < 3 {
			w.Fatalf("%+v", row)
		}
		since, err := time.Parse(time.RFC3339, *row.Since)
		w.must(err)
		if d := since.Sub(heard); d < 14*time.Minute || d > 16*time.Minute {
			w.Errorf("unknown since %v after the last news", d)
		}
		for i, span := range row.History {
			if i > 0 && (row.History[i-1].To == nil || *row.History[i-1].To != *span.From || row.History[i-1].State == span.State) {
				w.Errorf("%d: %+v", i, row.History)
			}
		}
		last := row.History[len(row.History)-1]
		if last.State != "unknown" || last.To != nil || *last.From != *row.Since {
			w.Errorf("%+v", last)
		}
		if first, err := time.Parse(time.RFC3339, *row.History[0].From); err != nil || time.Since(first) > 24*time.Hour+time.Second {
			w.Errorf("the first begins at %v", first)
		}
		if !strings.Contains(o.Headline, "not known whether 1 of") && !strings.Contains(o.Headline, "as last known") {
			w.Errorf("%s", o.Headline)
		}
	})
}

// TestPagesOfAnOverview: following Link gives each source once, with the filters that were asked for.
func TestPagesOfAnOverview(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inEveryState(t, setup{envelope: envelope}, func(w *world) {
			for _, path := range []string{overviewPath + "?state=down,blocked&state=live&take=3&q=%C3%A9%20%26", esaPath + "?take=3", sourcesPath + "?take=2", overviewPath + "?take=2"} {
				seen := 0
				for next := path; next != ""; {
					a := w.get(next)
					if a.status != 200 {
						w.Fatalf("%s: %d", next, a.status)
					}
					seen++
					next = link(a, "next")
					if strings.Contains(path, "state") && !strings.Contains(link(a, "first"), "q=%C3%A9+%26") {
						w.Errorf("%s", a.header.Get("Link"))
					}
					if next == "" && !strings.HasPrefix(link(a, "last"), strings.Split(path, "?")[0]+"?") {
						w.Errorf("%s", a.header.Get("Link"))
					}
				}
				if want := map[string]int{esaPath + "?take=3": 3, sourcesPath + "?take=2": 4, overviewPath + "?take=2": 4}[path]; want > 0 && seen != want {
					w.Errorf("%s: %d pages, want %d", path, seen, want)
				}
			}
			if envelope && !strings.Contains(string(w.get(overviewPath+"?take=2&skip=2").body), `"pagination":{"skip":2,"take":2,"total":7,"hasMore":true}`) {
				w.Errorf("no pagination")
			}
		})
	}
}

// link gives the reference of a relation in Link.
func link(a answer, rel string) string {
	for one := range strings.SplitSeq(a.header.Get("Link"), ", ") {
		if target, ok := strings.CutSuffix(one, `>; rel="`+rel+`"`); ok {
			return strings.TrimPrefix(target, "<")
		}
	}
	return ""
}

// TestOverviewOfAllCustomers is for operators alone.
func TestOverviewOfAllCustomers(t *testing.T) {
	theirs := registry.ConfigSource{CustomerID: stranger, SourceID: "their-daily", Name: "Theirs", TenantID: "tnt_theirs"}
	inWorld(t, setup{sources: []registry.ConfigSource{theirs}}, func(w *world) {
		see := func(key, query string, pairs ...string) *overviewView {
			w.Helper()
			return decode[overviewView](w, w.send(request("GET", overviewPath+query, key, "", pairs...)), 200)
		}
		if all := see(wallKey, ""); all.Total != 3 || all.row(w, "their-daily").CustomerID != stranger {
			w.Errorf("%+v", all)
		}
		for _, one := range []*overviewView{see(wallKey, "?customerId=4712"), see(wallKey, "", forCustomer(stranger)...), see(otherKey, "")} {
			if one.Total != 1 || one.Items[0].SourceID != "their-daily" || one.Counts["unknown"]+one.Counts["down"] != 1 {
				w.Errorf("%+v", one)
			}
		}
		if none := see(wallKey, "?customerId=4711", forCustomer(stranger)...); none.Total != 0 {
			w.Errorf("%+v", none)
		}
		w.send(request("GET", overviewPath, readKey, "", forCustomer(stranger)...)).failure(w, 403, "FORBIDDEN")
		w.pass(time.Second)
		w.must(w.status.CountSources(w.Context()))
		page := string(w.do("GET", "/metrics").body)
		for state, n := range map[string]int{"pending": 1, "live": 1, "down": 1, "blocked": 0} {
			if want := fmt.Sprintf("esagate_sources{state=%q} %d\n", state, n); !strings.Contains(page, want) {
				w.Errorf("no %s", want)
			}
		}
	})
}

// TestOverviewAfterARestart in an outage is as it was, since when it was.
func TestOverviewAfterARestart(t *testing.T) {
	inEveryState(t, setup{}, func(w *world) {
		w.pass(5 * time.Second) // they are written
		before := w.overview("")
		w.agent.SetDown(true)
		w.pass(time.Minute)
		next := w.restart(false)
		defer next.stop()
		after := next.overview("")
		if !strings.HasSuffix(after.Headline, strings.ToLower(before.Headline[:1])+before.Headline[1:]) {
			w.Errorf("%s, before: %s", after.Headline, before.Headline)
		}
		for _, was := range before.Items {
			if now := after.row(w, was.SourceID); now.State != was.State || was.State != "pending" && *now.Since != *was.Since {
				w.Errorf("%s: %s since %s, before %s since %s", was.SourceID, now.State, *now.Since, was.State, *was.Since)
			}
		}
		if row := after.row(w, "blocked"); row.Age == nil || *row.Age < 60 || row.Blockers[0].ID != "currency_limits" {
			w.Errorf("%+v", row)
		}
	})
}
