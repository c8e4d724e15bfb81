package transform_test

import (
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// stateOf is a status for Judge: live, if nothing is changed.
func stateOf(change func(*api.Status)) *api.Status {
	s := &api.Status{Operational: api.Operational{IsLive: true}, Adapter: api.Adapter{Type: "freewheel", Connected: true}}
	change(s)
	return s
}

// TestJudge gives each state, and the worst issue that an overview shows with it.
func TestJudge(t *testing.T) {
	issue := func(code, severity string) func(*api.Status) {
		return func(s *api.Status) {
			s.Operational.Issues = append(s.Operational.Issues, api.OperationalIssue{Code: code, Severity: severity, Message: "It is so."})
		}
	}
	both := func(changes ...func(*api.Status)) *api.Status {
		return stateOf(func(s *api.Status) {
			for _, change := range changes {
				change(s)
			}
		})
	}
	live, off := stateOf(func(*api.Status) {}), func(s *api.Status) { s.Operational.IsLive = false }
	degraded := func(s *api.Status) { s.Operational.DiscoveryDegraded = true }
	lost := func(s *api.Status) { s.Adapter.Connected, s.Operational.IsLive = false, false }
	active := registry.Connection{Provisioning: registry.StatusActive, TenantID: "tnt", AdServer: &registry.AdServer{Type: "freewheel"}}
	as := func(change func(*registry.Connection)) registry.Connection { c := active; change(&c); return c }
	failed := as(func(c *registry.Connection) { c.Provisioning = registry.StatusFailed })
	for name, c := range map[string]struct {
		connection  registry.Connection
		status      *api.Status
		gone        bool
		state, code string
	}{
		"it sells":                   {active, live, false, "live", ""},
		"it sells, with a warning":   {active, both(issue("SYNC_REPORTING_FAILED", "warning")), false, "live", "SYNC_REPORTING_FAILED"},
		"not all of it works":        {active, both(degraded, issue("SYNC_INVENTORY_FAILED", "critical")), false, "degraded", "SYNC_INVENTORY_FAILED"},
		"a task is open":             {active, both(off, issue("SETUP_BLOCKED", "critical"), issue("STATUS_STALE", "warning")), false, "blocked", "SETUP_BLOCKED"},
		"nothing to sell":            {active, both(off), false, "blocked", "NO_ACTIVE_PRODUCTS"},
		"the ad server is lost":      {active, both(lost, issue("ADAPTER_DISCONNECTED", "critical")), false, "down", "ADAPTER_DISCONNECTED"},
		"no ad server yet":           {as(func(c *registry.Connection) { c.AdServer = nil }), both(lost, issue("ADAPTER_DISCONNECTED", "critical")), false, "blocked", "ADAPTER_DISCONNECTED"},
		"no such tenant":             {active, nil, true, "down", "TENANT_NOT_FOUND"},
		"no such tenant, once known": {active, both(degraded, issue("SYNC_INVENTORY_FAILED", "critical")), true, "down", "TENANT_NOT_FOUND"},
		"never read":                 {active, nil, false, "unknown", ""},
		"no tenant yet":              {registry.Connection{Provisioning: registry.StatusPending}, nil, false, "pending", ""},
		"being connected":            {registry.Connection{Provisioning: registry.StatusProvisioning, TenantID: "tnt"}, nil, false, "pending", ""},
		"active without a tenant":    {registry.Connection{Provisioning: registry.StatusActive}, live, false, "pending", ""},
		"refused":                    {failed, nil, false, "blocked", "CONNECTION_FAILED"},
		"refused, with a code": {as(func(c *registry.Connection) {
			c.Provisioning, c.LastErrorCode = "failed", "ADAPTER_INVALID_CREDENTIALS"
		}), nil, false, "blocked", "ADAPTER_INVALID_CREDENTIALS"},
		"refused, and its tasks are open":   {failed, both(off, issue("SETUP_BLOCKED", "critical")), false, "blocked", "SETUP_BLOCKED"},
		"switched off":                      {as(func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated }), live, false, "deactivated", ""},
		"switched off, and there is none":   {as(func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated }), both(off, issue("SETUP_BLOCKED", "critical")), true, "deactivated", ""},
		"switched off, its ad server lost":  {as(func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated }), both(lost), false, "deactivated", ""},
		"the tenant is there, all is known": {active, both(), false, "live", ""},
	} {
		state, facts := transform.Judge(&registry.Source{Connection: &c.connection}, c.status, c.gone)
		code := ""
		if facts.Issue != nil {
			code = facts.Issue.Code
		}
		if state != c.state || code != c.code {
			t.Errorf("%s: %s, %q, want %s, %q", name, state, code, c.state, c.code)
		}
	}
}

// TestOverviewFacts holds what an overview shows of a status, and that of a refused connection no secret is shown.
func TestOverviewFacts(t *testing.T) {
	at := api.TimestampOf(time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	path, items := "/products", int64(12)
	status := stateOf(func(s *api.Status) {
		s.Operational.IsLive = false
		s.Operational.Issues = []api.OperationalIssue{
			{Code: "SETUP_BLOCKED", Severity: "critical", Message: "Two tasks.", Affects: []string{"setup"}, ConfigurePath: &path},
			{Code: "STATUS_STALE", Severity: "warning", Message: "Old."},
		}
		s.SetupTasks = api.SetupTasks{BlockerCount: 2, WarningCount: 1, Items: []api.SetupTask{
			{ID: "products_created", Name: "Create a product", Severity: "blocker", Description: "Long.", ConfigurePath: &path},
			{ID: "b", Name: "B", Severity: "blocker"}, {ID: "c", Name: "C", Severity: "warning"},
		}}
		s.Syncs = api.Syncs{
			{Name: "inventory", Value: api.SyncBlock{Status: "success", Severity: "ok", LastRunAt: at, LastSuccessAt: at, ItemCount: &items}},
			{Name: "advertisers", Value: api.SyncBlock{Status: "never_run"}},
		}
	})
	active := &registry.Connection{Provisioning: registry.StatusActive, TenantID: "tnt"}
	_, facts := transform.Judge(&registry.Source{Connection: active}, status, false)
	const want = `{"adServer":"freewheel","issue":{"code":"SETUP_BLOCKED","severity":"critical","message":"Two tasks.","configurePath":"/products"},` +
		`"issueCount":2,"blockers":[{"id":"products_created","name":"Create a product","configurePath":"/products"},{"id":"b","name":"B","configurePath":null}],` +
		`"blockerCount":2,"syncs":{"inventory":{"status":"success","lastRunAt":"2026-02-03T04:05:06Z","lastSuccessAt":"2026-02-03T04:05:06Z","itemCount":12},` +
		`"advertisers":{"status":"never_run","lastRunAt":null,"lastSuccessAt":null,"itemCount":null}}}`
	if got := string(api.Encode(facts)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	_, facts = transform.Judge(&registry.Source{Connection: &registry.Connection{
		Provisioning: registry.StatusFailed, LastError: "password=hunter2", LastErrorCode: "ADAPTER_INVALID_CREDENTIALS", AdServer: &registry.AdServer{Type: "springserve"},
	}}, nil, false)
	const refused = `{"adServer":"springserve","issue":{"code":"ADAPTER_INVALID_CREDENTIALS","severity":"critical","message":"The ad server refused the credentials."},` +
		`"issueCount":1,"blockers":[],"blockerCount":0,"syncs":{}}`
	if got := string(api.Encode(facts)); got != refused {
		t.Errorf("\n got %s\nwant %s", got, refused)
	}
	without := transform.WithoutNews(facts)
	if without.Issue.Code != "NO_NEWS" || without.IssueCount != 1 || *without.AdServer != "springserve" || facts.Issue.Code == "NO_NEWS" {
		t.Errorf("%+v of %+v", without, facts)
	}
}
