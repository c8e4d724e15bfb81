package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"esagate/internal/reconcile"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// connection is what tests look at in a connection.
type connection struct {
	ID                  string
	CustomerID          int64
	ProvisioningStatus  string
	TenantID            *string
	MCPURL              *string `json:"mcpUrl"`
	A2AURL              *string `json:"a2aUrl"`
	AdServer            map[string]any
	ServiceAccountEmail *string
	LastError           *string
	LastErrorCode       *string
	LastTestedAt        *time.Time
	DeactivatedAt       *time.Time
	InventorySync       *struct {
		Status    string
		ItemCount *int64
		LastRunAt *time.Time
		UpdatedAt *time.Time
	}
}

func TestConnectionOfAManagedSource(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		c := w.connection(w.get(esaOf), 200)
		if c.ProvisioningStatus != "active" || c.CustomerID != customer || *c.TenantID != tenant ||
			*c.MCPURL != "/mcp/" || *c.A2AURL != "/a2a" || c.AdServer["networkCode"] != "90817263" || c.InventorySync != nil {
			w.Errorf("connection: %+v", c)
		}
		w.get(statusOf)
		after := w.connection(w.get(esaOf), 200)
		if after.InventorySync == nil || after.InventorySync.Status != "success" || after.InventorySync.ItemCount == nil {
			w.Errorf("inventorySync after a snapshot: %+v", after.InventorySync)
		}
		byID := w.get(esaPath + "/" + c.ID)
		if etag := byID.header.Get("Etag"); etag == "" || w.get(esaOf, "If-None-Match", etag).status != 304 {
			w.Errorf("no 304 for %q", etag)
		}
		if n := w.agent.Calls(""); n != 1 {
			w.Errorf("%d upstream calls, want the status alone", n)
		}
		before := after // inventorySync follows the snapshots
		w.agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.InventoryFailed()})
		w.pass(2 * time.Minute)
		w.get(statusOf)
		after = w.connection(w.get(esaOf), 200)
		if after.InventorySync.Status != "failed" || !after.InventorySync.UpdatedAt.After(*before.InventorySync.UpdatedAt) {
			w.Errorf("inventorySync: %+v", after.InventorySync)
		}
	})
}

func TestAdServerIsLearntFromUpstream(t *testing.T) {
	learner := registry.ConfigSource{CustomerID: customer, SourceID: "learner", Name: "Learner", TenantID: "tnt_learner"}
	path := "/api/v2/storefront/inventory-sources/learner/esa"
	agentsView := upstreamtest.Tenant{
		ID: "tnt_learner", Active: true, Status: upstreamtest.Healthy(),
		AdServer: upstreamtest.AdServer{Type: "google_ad_manager", NetworkCode: "555", Configured: true, ServiceAccountEmail: "sa@sales-agent.example"},
	}
	t.Run("at once", func(t *testing.T) {
		inWorld(t, setup{sources: []registry.ConfigSource{learner}}, func(w *world) {
			w.agent.SetTenant(agentsView)
			for range 2 {
				c := w.connection(w.get(path), 200)
				if c.AdServer["type"] != "google_ad_manager" || c.AdServer["networkCode"] != "555" || *c.ServiceAccountEmail != "sa@sales-agent.example" {
					w.Errorf("connection: %+v", c)
				}
			}
			if n := w.agent.Calls(""); n != 1 {
				w.Errorf("%d calls, want one: the registry keeps it", n)
			}
		})
	})
	t.Run("upstream hangs", func(t *testing.T) {
		inWorld(t, setup{sources: []registry.ConfigSource{learner}}, func(w *world) {
			w.agent.SetTenant(agentsView)
			w.agent.Fault("tnt_learner", upstreamtest.Fault{Hang: true})
			a := w.get(path)
			if c := w.connection(a, 200); c.AdServer != nil || a.took > 300*time.Millisecond {
				w.Errorf("%+v after %s", c.AdServer, a.took)
			}
			w.agent.Fault("tnt_learner", upstreamtest.Fault{})
			w.pass(time.Minute)
			if c := w.connection(w.get(path), 200); c.AdServer == nil {
				w.Error("not learnt later")
			}
		})
	})
	t.Run("nothing configured", func(t *testing.T) {
		inWorld(t, setup{sources: []registry.ConfigSource{learner}}, func(w *world) {
			bare := agentsView
			bare.AdServer = upstreamtest.AdServer{Type: "none"}
			w.agent.SetTenant(bare)
			if c := w.connection(w.get(path), 200); c.AdServer != nil {
				w.Errorf("ad server: %+v", c.AdServer)
			}
		})
	})
}

func TestConnectionsArePaged(t *testing.T) {
	more := []registry.ConfigSource{{CustomerID: stranger, SourceID: source, Name: "Of another"}}
	for i := range 5 {
		more = append(more, registry.ConfigSource{CustomerID: customer, SourceID: fmt.Sprint("more-", i), Name: "More"})
	}
	ids := func(w *world, path string) (ids []string) {
		for _, c := range *decode[[]connection](w, w.get(path), 200) {
			ids = append(ids, c.ID)
		}
		return ids
	}
	inWorld(t, setup{sources: more}, func(w *world) {
		all := ids(w, esaPath)
		page := ids(w, esaPath+"?skip=2&take=3")
		if len(all) != 7 || fmt.Sprint(page) != fmt.Sprint(all[2:5]) || len(ids(w, esaPath+"?skip=7")) != 0 {
			w.Errorf("all %v, page %v", all, page)
		}
	})
}

func TestReadsGoOnWithoutTheStore(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		path := sourcesPath + "/harbour-direct"
		w.get(statusOf)
		before := map[string]answer{path: w.get(path), sourcesPath: w.get(sourcesPath), esaOf: w.get(esaOf), esaPath: w.get(esaPath)}
		w.must(w.store.Close())
		w.pass(time.Minute)
		for at, was := range before {
			if got := w.get(at); got.status != 200 || !bytes.Equal(got.body, was.body) {
				w.Errorf("%s: %d %s\nbefore: %s", at, got.status, got.body, was.body)
			}
		}
		if a := w.get(statusOf); a.status != 200 {
			w.Errorf("status: %d %s", a.status, a.body)
		}
		for _, a := range []answer{
			w.write("POST", sourcesPath, agentBody()), w.write("PUT", path, `{"name":"x"}`), w.write("DELETE", path, ""),
			w.get(sourcesPath + "/never-seen"), w.get(sourcesPath + "/never-seen/status"),
		} {
			a.failure(t, 503, "SERVICE_UNAVAILABLE")
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		if a := w.do("GET", "/readyz"); a.status != 200 || string(a.body) != `{"status":"ready","store":"away","upstream":"ok"}` {
			w.Errorf("/readyz: %d %s", a.status, a.body)
		}
	})
}

// learn has the gateway ask about all tenants from now on, as the replica that leads does
// from its start.
func (w *world) learn() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	tenants := reconcile.New(reconcile.Config{Kind: registry.UpkeepTenants, Interval: 20 * time.Minute},
		reconcile.Deps{Store: w.store, Refresh: w.lifecycle.Check})
	go func() {
		defer close(ended)
		tenants.Run(ctx)
	}()
	w.Cleanup(func() {
		stop()
		<-ended
	})
}

// orgID is the external_org_id that is known of a source; empty: none.
func (w *world) orgID(sourceID string) string {
	w.Helper()
	m, err := w.directory.ManagedSource(w.Context(), customer, sourceID)
	w.must(err)
	return m.Connection.ExternalOrgID
}

// The sales agent starts a little later than the gateway.
func TestStartingBeforeTheSalesAgentFailsNoReader(t *testing.T) {
	s, _ := many(20)
	inWorld(t, s, func(w *world) {
		w.agent.SetDown(true)
		w.learn()
		w.pass(20 * time.Second)
		w.agent.SetDown(false)
		if a := w.get(statusOf); a.status != 200 {
			w.Errorf("the first reader got %d: %s", a.status, a.body)
		}
	})
}

// A tenant that hangs does not keep the gateway from reading the others.
func TestOneTenantDoesNotHoldUpTheOthers(t *testing.T) {
	other := registry.ConfigSource{CustomerID: customer, SourceID: "other", Name: "Other", TenantID: "tnt_other"}
	for name, f := range map[string]upstreamtest.Fault{"hangs": {Only: upstreamtest.RouteTenant, Hang: true}, "500": {Only: upstreamtest.RouteTenant, Status: 500}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{sources: []registry.ConfigSource{other}}, func(w *world) {
				w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_other", ExternalOrgID: "org-other", Active: true, Status: upstreamtest.Healthy()})
				w.agent.Fault(tenant, f)
				w.learn()
				w.pass(2 * time.Minute)
				if id := w.orgID("other"); id != "org-other" {
					w.Errorf("learnt %q", id)
				}
			})
		})
	}
}

func TestTenantFactsAreLearntInTheBackground(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetDown(true)
		w.learn()
		w.pass(time.Minute)
		if id := w.orgID(source); id != "" {
			w.Errorf("while upstream is away: %q", id)
		}
		w.agent.SetDown(false)
		w.pass(15 * time.Minute)
		if id := w.orgID(source); id != "org-meadow" {
			w.Errorf("later: %q", id)
		}
	})
}
