package transform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// with gives connected() over a status document that counts, with more members.
func with(t testing.TB, members string) transform.StatusInput {
	t.Helper()
	in := connected()
	in.Snapshot, _ = judged(t, members)
	return in
}

func withItems(t testing.TB, items string) transform.StatusInput {
	t.Helper()
	return with(t, `,"setup_tasks":{"items":[`+items+`]}`)
}

func find(t testing.TB, doc *api.Status, id string) api.SetupTask {
	t.Helper()
	at := slices.IndexFunc(doc.SetupTasks.Items, func(s api.SetupTask) bool { return s.ID == id })
	if at < 0 {
		t.Fatalf("no task %s", id)
	}
	return doc.SetupTasks.Items[at]
}

func ids(doc *api.Status) string {
	var all []string
	for _, item := range doc.SetupTasks.Items {
		all = append(all, item.ID)
	}
	return strings.Join(all, " ")
}

func show(s api.SetupTask) string {
	path := "-"
	if s.ConfigurePath != nil {
		path = *s.ConfigurePath
	}
	return fmt.Sprintf("%s|%s|%s|%s|%v|%s", s.Name, s.Severity, s.Scope, s.Description, s.IsComplete, path)
}

func TestBuiltinTasks(t *testing.T) {
	saved := now.Add(-time.Hour)
	for name, c := range map[string]struct {
		change func(*transform.StatusInput)
		id     string
		want   string // severity and completion, "" when the task is left out
		says   string
	}{
		"configured":                {nil, "ad_server_configured", "info true", "saved"},
		"not configured":            {func(in *transform.StatusInput) { in.Source.Connection.AdServer, in.Snapshot = nil, nil }, "ad_server_configured", "blocker false", "Save"},
		"configured upstream alone": {func(in *transform.StatusInput) { in.Source.Connection.AdServer = nil }, "ad_server_configured", "info true", "saved"},
		"provisioned":               {nil, "source_provisioned", "info true", "active"},
		"no tenant":                 {func(in *transform.StatusInput) { in.Source.Connection.TenantID = "" }, "source_provisioned", "blocker false", "not running"},
		"provisioning":              {func(in *transform.StatusInput) { in.Source.Connection.Provisioning = registry.StatusProvisioning }, "source_provisioned", "blocker false", "not running"},
		"deactivated":               {func(in *transform.StatusInput) { in.Source.Connection.Provisioning = registry.StatusDeactivated }, "source_provisioned", "blocker false", "deactivated"},
		"test passed":               {nil, "connection_verified", "info true", "passed"},
		"test at the save":          {func(in *transform.StatusInput) { in.Source.Connection.LastTestedAt = saved }, "connection_verified", "info true", "passed"},
		"test failed":               {func(in *transform.StatusInput) { in.Source.Connection.LastTestPassed = false }, "connection_verified", "blocker false", "failed"},
		"test before the save": {func(in *transform.StatusInput) {
			in.Source.Connection.LastTestedAt, in.Source.Connection.LastTestPassed = saved.Add(-1), false
		}, "connection_verified", "info true", "not tested"},
		"never tested": {func(in *transform.StatusInput) { in.Source.Connection.LastTestedAt = time.Time{} }, "connection_verified", "info true", "not tested"},
		"never tested, upstream error": {func(in *transform.StatusInput) {
			in.Source.Connection.LastTestedAt = time.Time{}
			in.Snapshot.Adapter.LastTestError = ptr("no")
		}, "connection_verified", "blocker false", "Test"},
		"never tested, disconnected": {func(in *transform.StatusInput) {
			in.Source.Connection.LastTestedAt = time.Time{}
			in.Snapshot.Adapter.Connected = false
		}, "connection_verified", "blocker false", "Test"},
		"subscribed":             {nil, "sync_webhook_subscribed", "info true", "notifies"},
		"not subscribed":         {func(in *transform.StatusInput) { in.Subscribed = ptr(false) }, "sync_webhook_subscribed", "warning false", "late"},
		"subscription not known": {func(in *transform.StatusInput) { in.Subscribed = nil }, "sync_webhook_subscribed", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := with(t, "")
			if c.change != nil {
				c.change(&in)
			}
			doc, _ := newTasks(t).Status(in)
			if c.want == "" {
				if strings.Contains(ids(doc), c.id) {
					t.Fatal("the task is there")
				}
				return
			}
			task := find(t, doc, c.id)
			if got := fmt.Sprint(task.Severity, " ", task.IsComplete); got != c.want || !strings.Contains(task.Description, c.says) {
				t.Errorf("got %s, %q; want %s, %q", got, task.Description, c.want, c.says)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	const their = `{"id":"x","name":"Their name","severity":"blocker","scope":"publisher","description":"Their words.","is_complete":false,"configure_path":"/theirs"}`
	done := strings.NewReplacer(`"is_complete":false`, `"is_complete":true`, `"severity":"blocker"`, `"severity":"info"`).Replace(their)
	full := transform.TaskDefinition{ID: "x", Name: ptr("Our name"), Severity: ptr("warning"), Description: ptr("Our words."), ConfigurePath: ptr("/ours")}
	when := func(d transform.TaskDefinition, expression string) transform.TaskDefinition {
		d.CompleteWhen = expression
		return d
	}
	decides := func(d transform.TaskDefinition) transform.TaskDefinition {
		d.Decides = "platform"
		return d
	}
	bare := transform.TaskDefinition{ID: "x"}
	for name, c := range map[string]struct {
		defs  []transform.TaskDefinition
		items string
		id    string
		want  string
	}{
		"upstream alone":                   {nil, their, "x", "Their name|blocker|publisher|Their words.|false|/theirs"},
		"upstream alone, complete":         {nil, done, "x", "Their name|info|publisher|Their words.|true|/theirs"},
		"ours alone, no opinion":           {[]transform.TaskDefinition{bare}, ``, "x", "x|warning|platform||false|-"},
		"ours alone, open":                 {[]transform.TaskDefinition{when(full, "false")}, ``, "x", "Our name|warning|platform|Our words.|false|/ours"},
		"ours alone, complete":             {[]transform.TaskDefinition{when(full, "true")}, ``, "x", "Our name|info|platform|Our words.|true|/ours"},
		"no opinion, theirs open":          {[]transform.TaskDefinition{bare}, their, "x", "Their name|blocker|platform|Their words.|false|/theirs"},
		"no opinion, theirs complete":      {[]transform.TaskDefinition{full}, done, "x", "Our name|info|platform|Our words.|true|/ours"},
		"both open, ours set":              {[]transform.TaskDefinition{when(full, "false")}, their, "x", "Our name|warning|platform|Our words.|false|/ours"},
		"ours complete, theirs open":       {[]transform.TaskDefinition{when(bare, "true")}, their, "x", "Their name|blocker|platform|Their words.|false|/theirs"},
		"ours complete and set, open":      {[]transform.TaskDefinition{when(full, "true")}, their, "x", "Our name|warning|platform|Our words.|false|/ours"},
		"ours open, theirs complete":       {[]transform.TaskDefinition{when(full, "false")}, done, "x", "Our name|warning|platform|Our words.|false|/ours"},
		"ours open and not set":            {[]transform.TaskDefinition{when(bare, "false")}, done, "x", "Their name|warning|platform|Their words.|false|/theirs"},
		"both complete":                    {[]transform.TaskDefinition{when(full, "true")}, done, "x", "Our name|info|platform|Our words.|true|/ours"},
		"ours decides, complete":           {[]transform.TaskDefinition{decides(when(bare, "true"))}, their, "x", "Their name|info|platform|Their words.|true|/theirs"},
		"ours decides, open":               {[]transform.TaskDefinition{decides(when(full, "false"))}, done, "x", "Our name|warning|platform|Our words.|false|/ours"},
		"ours decides, both open":          {[]transform.TaskDefinition{decides(when(bare, "false"))}, their, "x", "Their name|blocker|platform|Their words.|false|/theirs"},
		"ours decides alone":               {[]transform.TaskDefinition{decides(when(full, "true"))}, ``, "x", "Our name|info|platform|Our words.|true|/ours"},
		"both decide, by name":             {[]transform.TaskDefinition{{ID: "x", CompleteWhen: "true", Decides: "both"}}, their, "x", "Their name|blocker|platform|Their words.|false|/theirs"},
		"twice upstream, first words":      {nil, their + `,{"id":"x","name":"Second","severity":"info","description":"2","is_complete":true,"configure_path":"/2"}`, "x", "Their name|blocker|publisher|Their words.|false|/theirs"},
		"twice upstream, first complete":   {nil, `{"id":"x","severity":"info","is_complete":true},` + their, "x", "Their name|blocker|publisher|Their words.|false|/theirs"},
		"twice upstream, platform's words": {nil, their + `,{"id":"x","name":"Host","severity":"warning","scope":"platform","description":"h","is_complete":false}`, "x", "Host|warning|platform|h|false|/theirs"},
		"built-in complete, theirs open": {nil, strings.Replace(their, `"x"`, `"ad_server_configured"`, 1), "ad_server_configured",
			"Ad server configured|blocker|platform|Save the configuration of your ad server.|false|/theirs"},
		"built-in overridden keeps its condition": {[]transform.TaskDefinition{{ID: "source_provisioned", Name: ptr("Up"), Severity: ptr("info"), Description: ptr("d"), ConfigurePath: ptr("/p")}},
			``, "source_provisioned", "Up|info|platform|d|true|/p"},
		"built-in with another condition": {[]transform.TaskDefinition{{ID: "source_provisioned", CompleteWhen: "false"}},
			``, "source_provisioned", "Source provisioned|blocker|platform|The source is not running yet. It is set up once the ad server accepts the saved configuration.|false|-"},
		"built-in complete by another condition": {[]transform.TaskDefinition{{ID: "source_provisioned", CompleteWhen: "true"}},
			``, "source_provisioned", "Source provisioned|info|platform|The source is set up and active.|true|-"},
	} {
		t.Run(name, func(t *testing.T) {
			in := withItems(t, c.items)
			before := slices.Clone(in.Snapshot.SetupTasks.Items)
			doc, failed := newTasks(t, c.defs...).Status(in)
			if got := show(find(t, doc, c.id)); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if strings.Count(" "+ids(doc)+" ", " "+c.id+" ") != 1 || len(failed) > 0 {
				t.Errorf("ids %s, failed %q", ids(doc), failed)
			}
			if !slices.Equal(in.Snapshot.SetupTasks.Items, before) || in.Snapshot.SetupTasks.BlockerCount != 0 || in.Snapshot.Webhooks != nil {
				t.Error("the snapshot was changed")
			}
		})
	}
}

// What is switched off is neither listed nor counted; expressions see what upstream said.
func TestTasksThatAreSwitchedOff(t *testing.T) {
	off := func(id string) transform.TaskDefinition {
		return transform.TaskDefinition{ID: id, Enabled: ptr(false), Name: ptr("n"), CompleteWhen: "false"}
	}
	in := withItems(t, `{"id":"x","severity":"blocker"},{"id":"y","severity":"blocker"},{"id":"x","severity":"warning"},
		{"id":"connection_verified","severity":"blocker"}`)
	in.Source.Connection.LastTestPassed = false
	doc, failed := newTasks(t, off("x"), off("connection_verified"), off("nobodys"),
		transform.TaskDefinition{ID: "sees", CompleteWhen: "snapshot.setupTasks.blockerCount == 3"}).Status(in)
	if got := ids(doc); got != "y ad_server_configured source_provisioned sync_webhook_subscribed sees" || len(failed) > 0 {
		t.Errorf("%s, failed %q", got, failed)
	}
	if doc.SetupTasks.BlockerCount != 1 || doc.SetupTasks.WarningCount != 0 || !find(t, doc, "sees").IsComplete ||
		len(in.Snapshot.SetupTasks.Items) != 4 {
		t.Errorf("%+v", doc.SetupTasks)
	}
}

func TestOrderAndCounts(t *testing.T) {
	in := withItems(t, `
		{"id":"u_done","severity":"info","is_complete":true},
		{"id":"u_info","severity":"info","is_complete":false},
		{"id":"u_warning","severity":"warning","is_complete":false},
		{"id":"u_host","severity":"blocker","scope":"platform","is_complete":false},
		{"id":"u_blocker","severity":"blocker","is_complete":false},
		{"id":"u_done_blocker","severity":"blocker","is_complete":true},
		{"id":"u_blocker_2","severity":"blocker","is_complete":false}`)
	in.Source.Connection.LastTestPassed, in.Subscribed = false, ptr(false)
	doc, _ := newTasks(t,
		transform.TaskDefinition{ID: "p_warning", Severity: ptr("warning")},
		transform.TaskDefinition{ID: "p_blocker", Severity: ptr("blocker")},
	).Status(in)
	const want = "connection_verified p_blocker u_host u_blocker u_blocker_2 " +
		"sync_webhook_subscribed p_warning u_warning " +
		"ad_server_configured source_provisioned u_done u_info u_done_blocker"
	if got := ids(doc); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if doc.SetupTasks.BlockerCount != 5 || doc.SetupTasks.WarningCount != 3 {
		t.Errorf("%d blockers, %d warnings", doc.SetupTasks.BlockerCount, doc.SetupTasks.WarningCount)
	}
}

func TestCompleteWhen(t *testing.T) {
	in := with(t, `,"products":{"active_count":4},"webhooks":{"last_24h":{"delivered":2,"failed":0,"success_rate":1}},
		"setup_tasks":{"items":[{"id":"a","severity":"blocker","is_complete":false}]}`)
	for expression, want := range map[string]string{
		`source.id == "harbor-gam" && source.name == "Harbor Weekly"`:                                 "true",
		`"payout" in source.labels && source.labels["payout"] == "ready"`:                             "true",
		`source.labels.payout == "late"`:                                                              "false",
		`source.labels["none"] == "x"`:                                                                "error",
		`connection.customerId == 33 && connection.id == "71"`:                                        "true",
		`connection.adServer.type == "google_ad_manager"`:                                             "true",
		`connection.lastTestedAt != null && timestamp(connection.lastTestedAt).getFullYear() == 2026`: "true",
		`connection.provisioningStatus`:                                                               "error",
		`snapshot != null && snapshot.products.activeCount + 1 > 4.5`:                                 "true",
		`snapshot.webhooks.last24h.successRate * 100.0 >= 99.0`:                                       "true",
		`snapshot.syncs.inventory.status == "never_run" && has(snapshot.syncs.advertisers)`:           "true",
		`snapshot.setupTasks.blockerCount == 1 && snapshot.setupTasks.items.all(t, !t.isComplete)`:    "true",
		`snapshot.operational.isLive`:                                                                 "error",
		`[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e > 0)))))`: "error",
	} {
		doc, failed := newTasks(t, transform.TaskDefinition{ID: "x", CompleteWhen: expression}).Status(in)
		got := fmt.Sprint(find(t, doc, "x").IsComplete)
		if len(failed) > 0 {
			if failed[0] != "x" || got != "false" {
				t.Errorf("%s: failed %q, complete %s", expression, failed, got)
			}
			got = "error"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
	in.Snapshot = nil
	doc, failed := newTasks(t, transform.TaskDefinition{ID: "x", CompleteWhen: "snapshot == null"}).Status(in)
	if !find(t, doc, "x").IsComplete || failed != nil {
		t.Error("without a snapshot it is null", failed)
	}
}

func TestTaskFaults(t *testing.T) {
	secret := "hunter2"
	_, faults := transform.NewTasks([]transform.TaskDefinition{
		{ID: "fine", CompleteWhen: "source.labels['a'] == 'b'"},
		{ID: ""},
		{ID: "has space"},
		{ID: "fine"},
		{ID: "severity", Severity: ptr("urgent " + secret)},
		{ID: "path", ConfigurePath: ptr("https://" + secret + ".example")},
		{ID: "parse", CompleteWhen: "true &&\n  (" + secret},
		{ID: "name", CompleteWhen: "true ||\n    " + secret + ".x"},
		{ID: "types", CompleteWhen: `1 + "` + secret + `" == 2`},
		{ID: "number", CompleteWhen: `"` + secret + `"`},
		{ID: "dyn", CompleteWhen: `connection.adServer`},
		{ID: "off", Enabled: ptr(false), CompleteWhen: "("},
		{ID: "judge", CompleteWhen: "true", Decides: secret},
		{ID: "no_judge", CompleteWhen: " ", Decides: "platform"},
		{ID: "both", Decides: "both"},
	})
	var got []string
	for _, f := range faults {
		if strings.Contains(f.Message, secret) {
			t.Errorf("a value came out: %q", f.Message)
		}
		got = append(got, fmt.Sprintf("%d %s %d:%d %.12s", f.Index, f.Field, f.Line, f.Column, f.Message))
	}
	want := []string{
		"1 id 0:0 must be a wo", "2 id 0:0 must be a wo", "3 id 0:0 is defined t",
		"4 severity 0:0 must be bloc", "5 configure_path 0:0 must be a pa",
		"6 complete_when 2:11 does not par", "7 complete_when 2:5 names someth",
		"8 complete_when 1:3 applies an o", "9 complete_when 1:1 is not true ",
		"11 complete_when 1:2 does not par", "12 decides 0:0 must be both", "13 decides 0:0 must not be ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
