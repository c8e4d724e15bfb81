package ops_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/transform"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ptr[T any](v T) *T { return &v }

// storefront is one with a path of its own.
const storefront = ops.Storefront("https://shop.example/app/")

// item is a source of an overview, with a stream synced in time and one never.
func item(state, code, message string, more int64, blockers ...api.OverviewBlocker) api.OverviewItem {
	i := api.OverviewItem{SourceID: "quarry fm", CustomerID: 4388, State: state, Breaker: "closed"}
	i.AdServer = ptr("google_ad_manager")
	i.Blockers, i.BlockerCount = blockers, int64(len(blockers))
	if code != "" {
		i.Issue, i.IssueCount = &api.OverviewIssue{Code: code, Severity: "critical", Message: message}, 1+more
	}
	i.Syncs = api.OverviewSyncs{
		{Name: "inventory", Value: api.OverviewSync{LastSuccessAt: before(50 * time.Hour)}},
		{Name: "customTargeting", Value: api.OverviewSync{}},
		{Name: "reporting", Value: api.OverviewSync{LastSuccessAt: before(90 * time.Minute)}},
	}
	return i
}

func blocker(id, name, path string) api.OverviewBlocker {
	b := api.OverviewBlocker{ID: id, Name: name}
	if path != "" {
		b.ConfigurePath = &path
	}
	return b
}

// codes are all that are published, but for those of syncs.
var codes = []string{
	"ADAPTER_DISCONNECTED", "ADAPTER_NETWORK_NOT_FOUND", "ADAPTER_PERMISSION_DENIED", "ADAPTER_INVALID_CREDENTIALS",
	"ADAPTER_INVALID_CONFIG", "ADAPTER_CONNECTION_FAILED", "INTERNAL_ERROR", "CONNECTION_FAILED", "TENANT_NOT_FOUND",
	"NO_ACTIVE_PRODUCTS", "NO_NEWS", "SETUP_BLOCKED", "STATUS_STALE",
}

// TestSentences holds what the pages say of sources, issues, streams and tasks in testdata/sentences.txt.
func TestSentences(t *testing.T) {
	var b strings.Builder
	write := func(name string, a ops.Advice) {
		mark := ""
		if a.Link.External {
			mark = " (external)"
		}
		fmt.Fprintf(&b, "%s\n    %s\n", name, a.Text)
		if a.Link.Text != "" {
			fmt.Fprintf(&b, "    [%s] %s%s\n", a.Link.Text, a.Link.URL, mark)
		}
	}
	of := func(name string, i api.OverviewItem) { write(name, storefront.OfItem(noon, &i)) }

	b.WriteString("# Sources\n")
	connect, test := blocker("ad_server_configured", "Ad server configured", ""), blocker("connection_verified", "Connection verified", "")
	advertiser := blocker("gam_default_advertiser", "Advertiser for new buyers", "/buyer-routing?x=1#new")
	agent, provisioned := blocker("ad_server_connected", "Ad server", "/settings#adserver"), blocker("source_provisioned", "Source provisioned", "")
	own := blocker("payout", "Payout  details\nfor <b>you</b> "+strings.Repeat("x", 60), "//evil.example/x")
	for _, code := range codes {
		of("down, "+code, item("down", code, "The message.", 0))
	}
	of("down, and more", item("down", "ADAPTER_DISCONNECTED", "M.", 2, test, agent))
	of("blocked, SETUP_BLOCKED", item("blocked", "SETUP_BLOCKED", "2 setup tasks must be finished before this source can go live.", 1, connect, test))
	of("blocked, of the agent too", item("blocked", "ADAPTER_DISCONNECTED", "M.", 1, connect, provisioned, agent))
	of("blocked, one", item("blocked", "SETUP_BLOCKED", "M.", 0, advertiser))
	of("blocked, own", item("blocked", "SETUP_BLOCKED", "M.", 0, own))
	of("blocked, five", item("blocked", "SETUP_BLOCKED", "M.", 0, agent, test, advertiser, own, blocker("x", "", "")))
	of("blocked, provisioning alone", item("blocked", "SETUP_BLOCKED", "M.", 0, provisioned))
	of("blocked, refused", item("blocked", "ADAPTER_INVALID_CREDENTIALS", "M.", 0, connect))
	of("blocked, without a product", item("blocked", "SYNC_REPORTING_FAILED", "M.", 0))
	of("blocked, unknown code", item("blocked", "MOON_IN_THE_WAY", "The moon is in the way", 0))
	of("blocked, without a word", item("blocked", "", "", 0))
	of("degraded, INVENTORY", item("degraded", "SYNC_INVENTORY_FAILED", "The last inventory sync failed.", 1))
	of("degraded, with a reason", item("degraded", "SYNC_INVENTORY_FAILED", "The last inventory sync failed. The ad server is made of snow.", 0))
	of("degraded, nothing known", item("degraded", "SYNC_ADVERTISERS_STALLED", "M.", 0))
	of("unknown, not read", item("unknown", "", "", 0))
	kept := item("unknown", "", "", 0)
	kept.Breaker = "open"
	of("unknown, breaker open", kept)
	of("unknown, NO_NEWS", item("unknown", "NO_NEWS", "Nothing was heard of it.", 0))
	of("pending", item("pending", "", "", 0, provisioned))
	fresh := item("pending", "SETUP_BLOCKED", "M.", 0, connect, provisioned)
	fresh.AdServer = nil
	of("pending, no ad server", fresh)
	of("live", item("live", "", "", 0))
	of("live, with an issue", item("live", "SOMETHING", "Something is to be seen.", 0))
	stale := item("live", "", "", 0)
	stale.Stale, stale.Age = true, ptr(int64(250))
	of("live, stale", stale)
	of("deactivated", item("deactivated", "", "", 0))
	of("a state of a later version", item("asleep", "", "", 0))

	b.WriteString("\n# Issues\n")
	status := &api.Status{Syncs: api.Syncs{{Name: "inventory", Value: api.SyncBlock{LastSuccessAt: before(3 * time.Hour)}}, {Name: "advertisers"}}}
	status.SetupTasks = api.SetupTasks{BlockerCount: 1, Items: []api.SetupTask{{ID: "ad_server_connected", Name: "Ad server", ConfigurePath: ptr("/settings#adserver")}, {ID: "later"}}}
	for _, c := range append(slices.Clone(codes), "MOON_IN_THE_WAY") {
		issue := api.OperationalIssue{Code: c, Message: "The message."}
		write(c, storefront.OfIssue(noon, ops.Place{CustomerID: 7, SourceID: "a"}, &issue, status))
	}
	write("MOON, with a path", storefront.OfIssue(noon, ops.Place{CustomerID: 7, SourceID: "a"},
		&api.OperationalIssue{Code: "MOON", Message: strings.Repeat("moon ", 100), ConfigurePath: ptr("/moon")}, status))
	for _, stream := range []string{"INVENTORY", "CUSTOM_TARGETING", "ADVERTISERS", "REPORTING", "SIGNAL_COVERAGE", "PRICING_AVAILABILITY", "OTHER"} {
		for _, problem := range []string{"FAILED", "NEVER_RUN", "STALLED", "SUCCESS"} {
			code := "SYNC_" + stream + "_" + problem
			write(code, storefront.OfIssue(noon, ops.Place{CustomerID: 7, SourceID: "a"}, &api.OperationalIssue{Code: code, Message: "The message."}, status))
		}
	}

	b.WriteString("\n# Streams\n")
	for _, name := range []string{"inventory", "advertisers", "other"} {
		for _, s := range []string{"success", "running", "failed", "never_run", "unknown"} {
			sync := api.SyncBlock{Status: s, LastSuccessAt: before(4 * time.Hour), LastRunAt: before(10 * time.Minute), ItemCount: ptr(int64(2316))}
			if s == "never_run" {
				sync = api.SyncBlock{Status: s}
			}
			if s == "failed" {
				sync.History.ConsecutiveFailureCount = 3
			}
			write(name+", "+s, storefront.OfSync(noon, ops.Place{CustomerID: 7, SourceID: "a"}, name, &sync))
		}
	}
	for _, action := range []string{"reconnect_adapter", "retry_sync", "wait", "contact_support", ""} {
		sync := api.SyncBlock{Status: "failed", Issue: &api.SyncIssue{Message: "The ad server said no", Action: &action}}
		write("inventory, "+action, storefront.OfSync(noon, ops.Place{CustomerID: 7, SourceID: "a"}, "inventory", &sync))
	}

	b.WriteString("\n# Tasks\n")
	for _, task := range []api.SetupTask{
		{ID: "connection_verified", Name: "Connection verified", Description: "Test the connection to the ad server."},
		{ID: "products_created", Name: "Products on sale", Description: "There is nothing to buy yet.", ConfigurePath: ptr("/products")},
		{ID: "payout", Name: "Payout details"},
		{ID: "payout", Name: "Payout details", Description: "It is there.", IsComplete: true, ConfigurePath: ptr("/billing")},
	} {
		write(task.ID, storefront.OfTask(ops.Place{CustomerID: 7, SourceID: "a"}, &task))
	}

	golden := filepath.Join("testdata", "sentences.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wants, got := strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")
	for i := range min(len(wants), len(got)) {
		if got[i] != wants[i] {
			t.Fatalf("line %d of %s:\n got %s\nwant %s", i+1, golden, got[i], wants[i])
		}
	}
	if len(got) != len(wants) {
		t.Errorf("%s has %d lines, there are %d", golden, len(wants), len(got))
	}
}

// TestEveryCodeHasASentence: a code of an issue is not shown by its message alone.
func TestEveryCodeHasASentence(t *testing.T) {
	found := 0
	for _, name := range []string{"transform/operational.go", "transform/overview.go", "internal/adserver/refusal.go"} {
		source, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range regexp.MustCompile(`"([A-Z]+(_[A-Z]+)+)"`).FindAllSubmatch(source, -1) {
			found++
			i := item("down", string(code[1]), "The message.", 0, blocker("x", "X", ""))
			if advice := storefront.OfItem(noon, &i); strings.Contains(advice.Text, "The message.") {
				t.Errorf("%s has no sentence of its own", code[1])
			}
			if !slices.Contains(codes, string(code[1])) {
				t.Errorf("%s is not in the golden table", code[1])
			}
		}
	}
	if found < len(codes) {
		t.Errorf("%d codes found", found)
	}
	if !slices.Contains(transform.States, "down") {
		t.Error("states have other names")
	}
}

// TestSentencesAreBounded: other systems' words get a line of their own making, and no more.
func TestSentencesAreBounded(t *testing.T) {
	long := strings.Repeat("é\n ", 5000)
	i := item("blocked", "NEW", long, 1<<60, blocker(long, long, long), blocker("b", long, ""), blocker("c", "c"+long, ""), blocker("d", "d"+long, ""))
	for _, state := range []string{"blocked", "down", "degraded"} {
		i.State = state
		advice := storefront.OfItem(noon, &i)
		if n := utf8.RuneCountInString(advice.Text); n > 350 || strings.Contains(advice.Text, "\n") || !utf8.ValidString(advice.Text) {
			t.Errorf("%s: a sentence of %d characters: %s", state, n, advice.Text)
		}
		if advice.Link.External {
			t.Errorf("it leads to %s", advice.Link.URL)
		}
	}
}
