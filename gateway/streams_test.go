package gateway_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

const historyOf = "/api/v2/storefront/inventory-sources/" + source + "/sync-history"

// runPage is a page of a sync history.
type runPage struct {
	Runs       []struct{ SyncID, SyncType, Status string }
	Count      int
	NextCursor *string
}

func (p runPage) ids() (ids []string) {
	for _, r := range p.Runs {
		ids = append(ids, r.SyncID)
	}
	return ids
}

// TestStreamsAreAskedForByUpstreamsNames, which their camelCase names do not give back.
func TestStreamsAreAskedForByUpstreamsNames(t *testing.T) {
	own := map[string]string{
		"audience3p": "audience_3p", "last24h": "last_24h", "aB": "a__b", "tail": "tail_", "XForm": "X_form",
		"Hidden": "_hidden", "3pData": "3p_data",
		"priceFeed": "priceFeed", "customTargeting": "customTargeting", "plain": "plain",
		"twin1": "twin1", // and twin_1, which comes out alike
	}
	inWorld(t, setup{}, func(w *world) {
		meadow := upstreamtest.Healthy()
		meadow.Streams = nil
		for _, name := range append([]string{"twin_1"}, sorted(own)...) {
			meadow.Streams = append(meadow.Streams, upstreamtest.Stream{
				Name: name, Status: "success", Severity: "ok", Items: 4, RunAgo: time.Hour, Took: time.Minute,
			})
		}
		w.setStatus(meadow)
		runs := func(syncType, want string) {
			w.Helper()
			w.pass(2 * time.Minute) // a copy of the page would be served
			p := decode[runPage](t, w.get(historyOf+"?syncType="+syncType), 200)
			if len(p.Runs) > 1 || want == "" && len(p.Runs) > 0 || want != "" && (len(p.Runs) == 0 || p.Runs[0].SyncType != want) {
				w.Errorf("runs of %s: %+v, want one of %q", syncType, p.Runs, want)
			}
		}
		// Nothing is known of upstream's spelling yet.
		runs("audience3p", "")
		runs("audience_3p", "audience3p")
		runs("plain", "plain")

		type document struct {
			Syncs map[string]struct{ History struct{ RecentRunCount int } }
		}
		for shown, stream := range decode[document](t, w.get(statusOf+"?includeSyncHistory=true"), 200).Syncs {
			want := 1
			if own[shown] == "" { // inventory and advertisers, which upstream has not
				want = 0
			}
			if stream.History.RecentRunCount != want {
				w.Errorf("%s: %d runs in the status, want %d", shown, stream.History.RecentRunCount, want)
			}
		}
		w.pass(time.Hour) // the copy is of no use for readers, and says how streams are spelled
		before := w.agent.Calls("")
		for shown, name := range own {
			runs(shown, shown)
			runs(name, shown)
		}
		runs("twin_1", "twin1")
		runs("price_feed", "priceFeed")
		if got, want := w.agent.Calls("")-before, 2*len(own)+2; got != want {
			w.Errorf("%d calls for %d pages", got, want)
		}
	})
}

// TestARunBecomesStalled: the issue appears by the clock alone, in a copy that is still fresh.
func TestARunBecomesStalled(t *testing.T) {
	inWorld(t, setup{fresh: 3 * time.Hour}, func(w *world) {
		meadow := upstreamtest.Healthy()
		for i := range meadow.Streams {
			if s := &meadow.Streams[i]; s.Name == "inventory" {
				s.Status, s.RunAgo, s.Took = "running", 10*time.Minute, 5*time.Minute // it began 15 minutes ago
			}
		}
		w.setStatus(meadow)
		first := w.get(statusOf)
		if s := first.snapshot(w); s.Syncs["inventory"].Status != "running" || len(s.Operational.Issues) > 0 {
			w.Fatalf("a run that goes on: %s", first.body)
		}
		w.pass(45 * time.Minute)
		if a := w.get(statusOf); a.header.Get("Etag") != first.header.Get("Etag") {
			w.Errorf("after an hour: %s", a.body)
		}
		w.pass(time.Second)
		a := w.get(statusOf)
		if s := a.snapshot(w); !slices.Equal(s.issues(), []string{"SYNC_INVENTORY_STALLED"}) ||
			!s.Operational.DiscoveryDegraded || a.header.Get("Etag") == first.header.Get("Etag") {
			w.Errorf("after more than an hour: %s", a.body)
		}
		w.pass(time.Hour)
		if b := w.get(statusOf); b.header.Get("Etag") != a.header.Get("Etag") || w.agent.Calls(tenant) != 1 {
			w.Errorf("it stays: %d calls, %s", w.agent.Calls(tenant), b.body)
		}
	})
}

// TestOperatorsRuleOverUpstreamsTasks: of a tenant that sells only wholesale products, which upstream's
// own task does not count.
func TestOperatorsRuleOverUpstreamsTasks(t *testing.T) {
	off := false
	counts := func(decides string) transform.TaskDefinition {
		return transform.TaskDefinition{
			ID: "products_created", Decides: decides, CompleteWhen: "snapshot.products.activeCount > 0",
		}
	}
	for name, c := range map[string]struct {
		task   transform.TaskDefinition
		want   string // of products_created
		isLive bool
	}{
		"upstream":     {transform.TaskDefinition{ID: "another", CompleteWhen: "true"}, "blocker", false},
		"both":         {counts(""), "blocker", false},
		"platform":     {counts("platform"), "info", true},
		"switched off": {transform.TaskDefinition{ID: "products_created", Enabled: &off}, "", true},
	} {
		inWorld(t, setup{tasks: []transform.TaskDefinition{c.task}}, func(w *world) {
			wholesale := upstreamtest.Healthy()
			wholesale.Products = upstreamtest.Products{Active: 1, Wholesale: 1}
			w.setStatus(wholesale)
			s, got := w.get(statusOf).snapshot(w), ""
			for _, task := range s.SetupTasks.Items {
				if task.ID == "products_created" {
					got = task.Severity
				}
			}
			if blocked := s.SetupTasks.BlockerCount > 0; got != c.want || s.Operational.IsLive != c.isLive || blocked == c.isLive {
				w.Errorf("%s: severity %q, live %v, %d blockers", name, got, s.Operational.IsLive, s.SetupTasks.BlockerCount)
			}
		})
	}
}

// TestRunsInProgressIncludePendingOnes: upstream filters those by another word.
func TestRunsInProgressIncludePendingOnes(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{RunWaits: time.Hour}}, func(w *world) {
		busy := upstreamtest.Healthy()
		busy.Streams = nil
		for i := range 5 {
			busy.Streams = append(busy.Streams, upstreamtest.Stream{
				Name: "feed_" + strconv.Itoa(i), Status: "running", Severity: "ok",
				RunAgo: time.Duration(i+1) * time.Minute, Took: time.Minute,
			})
		}
		busy.Streams = append(busy.Streams, upstreamtest.Stream{
			Name: "calm", Status: "success", Severity: "ok", RunAgo: 90 * time.Second, Every: time.Minute,
		})
		w.setStatus(busy)
		if a := w.write("POST", strings.TrimSuffix(historyOf, "/sync-history")+"/refresh", ""); a.status != 200 {
			w.Fatalf("%d %s", a.status, a.body)
		}
		calls := w.agent.Calls("")
		all := decode[runPage](t, w.get(historyOf+"?status=in_progress"), 200)
		if len(all.Runs) != 8 || all.Count != 8 || all.NextCursor != nil || w.agent.Calls("")-calls != 2 {
			w.Errorf("%d calls: %+v", w.agent.Calls("")-calls, all)
		}
		for i, run := range all.Runs {
			if pending := !strings.HasPrefix(run.SyncType, "feed"); run.Status != "in_progress" || pending != (i < 3) {
				w.Errorf("%d: %+v", i, run)
			}
		}
		for limit := 1; limit < 9; limit++ {
			var got []string
			for cursor := ""; ; {
				p := decode[runPage](t, w.get(historyOf+"?status=inProgress&limit="+strconv.Itoa(limit)+cursor), 200)
				if got = append(got, p.ids()...); p.NextCursor == nil {
					break
				}
				if cursor = "&cursor=" + *p.NextCursor; len(p.Runs) != limit || len(got) > 8 {
					w.Fatalf("limit %d: %+v after %q", limit, p, got)
				}
			}
			if !slices.Equal(got, all.ids()) {
				w.Errorf("limit %d: %q, want %q", limit, got, all.ids())
			}
		}
		for query, want := range map[string]int{
			"status=running": 5, "status=pending": 3, "status=in_progress&syncType=feed_2": 1,
			"status=in_progress&syncType=inventory": 1, "status=in_progress&syncType=calm": 0,
		} {
			if p := decode[runPage](t, w.get(historyOf+"?"+query), 200); len(p.Runs) != want {
				w.Errorf("%s: %+v", query, p)
			}
		}
		if e := w.get(historyOf+"?status=in_progress&cursor=garbage").failure(t, 400, "VALIDATION_ERROR"); e.Field != "query.cursor" {
			w.Errorf("%+v", e)
		}
		w.agent.SetDown(true)
		w.get(historyOf+"?status=in_progress&limit=499").failure(t, 503, "SERVICE_UNAVAILABLE")
	})
}

// setStatus makes the tenant's document another one.
func (w *world) setStatus(s upstreamtest.Status) {
	w.agent.SetTenant(upstreamtest.Tenant{
		ID: tenant, Name: "Meadow Daily", Active: true, Status: s,
		AdServer: upstreamtest.AdServer{Type: "google_ad_manager", NetworkCode: "90817263", Configured: true},
	})
}

func sorted(m map[string]string) []string {
	values := slices.Collect(maps.Values(m))
	slices.Sort(values)
	return values
}
