package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/upstream/upstreamtest"
)

const storefront = "/api/v2/storefront"

// TestTheLifeOfAConnection walks from a wrong password to a source that sells and is
// switched off, over HTTP, with a crash and two replicas on the way.
func TestTheLifeOfAConnection(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { newStory(t, "").tell(1) })
	t.Run("PostgreSQL", func(t *testing.T) { newStory(t, pgtest.Database(t)).tell(2) })
}

// story is a simulated sales agent and gateways before it.
type story struct {
	*testing.T
	agent  *upstreamtest.Agent
	config string
	env    []string
	first  atomic.Pointer[process] // where deliveries go
}

func newStory(t *testing.T, database string) *story {
	s := &story{T: t}
	s.agent, _, s.config, s.env = simulate(t,
		upstreamtest.Options{RunTakes: 100 * time.Millisecond, CacheFor: -1, Deliver: s.deliver}, upstreamtest.Healthy())
	edit(t, s.config, "\nserver: {", "\nprovisioning: {contact_email: ops@gateway.example.com, external_source: stories}\n"+
		`server: {public_url: "https://gateway.example.com", `)
	if database != "" {
		s.env = append(s.env, "ESAGATE_STORE_URL="+database)
	}
	return s
}

// deliver brings news to the first gateway, whatever name it has in public.
func (s *story) deliver(r *http.Request) (*http.Response, error) {
	p := s.first.Load()
	if p == nil || r.URL.Host != "gateway.example.com" {
		return nil, fmt.Errorf("no gateway is there")
	}
	base, err := url.Parse(p.base)
	if err != nil {
		return nil, err
	}
	there := r.Clone(r.Context())
	there.URL.Scheme, there.URL.Host, there.Host, there.RequestURI = base.Scheme, base.Host, "", ""
	return http.DefaultClient.Do(there)
}

type told struct {
	ID, ProvisioningStatus  string
	TenantID, LastErrorCode *string
	InventorySync           *struct{ Status string }
}

// want sends and reads the connection in the answer.
func (s *story) want(p *process, code int, method, path, body string) told {
	s.Helper()
	got, answer := p.send(method, storefront+path, clearKey, body)
	var c told
	if err := json.Unmarshal([]byte(answer), &c); got != code || err != nil {
		s.Fatalf("%s %s: %d %s", method, path, got, answer)
	}
	return c
}

const (
	goodLogin  = `{"type":"springserve","email":"ops@pier.example","password":"CANARY-good","rateCurrency":"EUR"}`
	wrongLogin = `{"type":"springserve","email":"ops@pier.example","password":"wrong"}`
)

func (s *story) tell(replicas int) {
	var all []*process
	for range replicas {
		all = append(all, start(s.T, s.env, "serve", "--config", s.config))
	}
	a, b := all[0], all[replicas-1]
	s.first.Store(a)

	// Connected, refused, mended.
	c := s.want(a, 201, "POST", "/esa", strings.Replace(wrongLogin, "{", `{"sourceId":"pier",`, 1))
	if c.ProvisioningStatus != "failed" || c.LastErrorCode == nil || *c.LastErrorCode != "ADAPTER_INVALID_CREDENTIALS" || c.TenantID != nil {
		s.Fatalf("a wrong password: %+v", c)
	}
	const pier = "/inventory-sources/pier"
	s.twoSaves(a, b, pier)
	eventually(s.T, "it is mended in every replica", func() bool {
		c = s.want(b, 200, "GET", "/esa/"+c.ID, "")
		return c.ProvisioningStatus == "active" && c.TenantID != nil && c.LastErrorCode == nil
	})

	// Tested, synced, live; the news comes by webhook, and to every replica.
	if code, body := b.send("POST", storefront+pier+"/test-connection", clearKey, ""); code != 200 || !strings.Contains(body, `"success":true`) {
		s.Errorf("test: %d %s", code, body)
	}
	eventually(s.T, "the gateway subscribes", func() bool { return len(s.agent.Subscriptions(*c.TenantID)) == 1 })
	if code, body := a.send("POST", storefront+pier+"/refresh", clearKey, ""); code != 200 || !strings.Contains(body, `"status":"started"`) {
		s.Errorf("refresh: %d %s", code, body)
	}
	s.agent.FinishRun(*c.TenantID, "inventory", 12) // by upstream's scheduler: what a refresh starts is not for this type
	eventually(s.T, "the news of the sync arrives", func() bool {
		now := s.want(b, 200, "GET", pier+"/esa", "")
		return now.InventorySync != nil && now.InventorySync.Status == "success"
	})
	for _, p := range all {
		eventually(s.T, "the source is live", func() bool {
			code, body := p.send("GET", storefront+pier+"/status?includeSyncHistory=true", clearKey, "")
			return code == 200 && strings.Contains(body, `"isLive":true`) && strings.Contains(body, `"recentRuns":[{`)
		})
	}
	if code, body := a.send("GET", storefront+pier+"/sync-history?syncType=inventory&limit=1", clearKey, ""); code != 200 || !strings.Contains(body, `"status":"success"`) {
		s.Errorf("history: %d %s", code, body)
	}

	// A refused change changes nothing; a good one keeps what others have set up.
	s.agent.SetSettings(*c.TenantID, upstreamtest.Values{"demand_class": []byte(`"tag"`)})
	if code, body := a.send("PUT", storefront+pier+"/adapter-config", clearKey, wrongLogin); code != 400 || !strings.Contains(body, "ADAPTER_INVALID_CREDENTIALS") {
		s.Errorf("a wrong password for a source that sells: %d %s", code, body)
	}
	s.want(b, 200, "PUT", pier+"/adapter-config", `{"type":"springserve","apiToken":"CANARY-token"}`)
	config, _ := s.agent.Config(*c.TenantID)
	kept := config.Values
	if kept.Text("api_token") != "CANARY-token" || kept.Text("demand_class") != "tag" || kept.Text("rate_currency") != "EUR" {
		s.Errorf("after a rotation: %+v", config)
	}

	a = s.crash(a)
	all[0] = a
	if replicas == 1 {
		b = a
	}

	// Off, on, off, gone; and all of it on record.
	s.want(a, 200, "POST", pier+"/deactivate", "")
	s.want(b, 200, "POST", pier+"/reactivate", "")
	s.want(a, 200, "POST", "/esa/"+c.ID+"/deactivate", "")
	if code, body := a.send("DELETE", storefront+pier, clearKey, ""); code != 204 {
		s.Errorf("delete: %d %s", code, body)
	}
	code, record := b.send("GET", storefront+"/audit?sourceId=pier", clearKey, "")
	for _, operation := range []string{"connectEsa", "putInventorySourceAdServer", "rotateInventorySourceAdapterCredentials", "deleteInventorySource"} {
		if code != 200 || !strings.Contains(record, operation) {
			s.Errorf("%s is not on record: %d %s", operation, code, record)
		}
	}
	for _, p := range all {
		p.stop()
		if strings.Contains(p.errs.String(), "CANARY") {
			s.Error("a planted secret stands in the log")
		}
	}
	if strings.Contains(record, "CANARY") {
		s.Error("a planted secret stands in the record")
	}
}

// twoSaves saves a good config twice at once, from two replicas where there are two:
// there is one tenant in the end.
func (s *story) twoSaves(a, b *process, source string) {
	s.Helper()
	s.agent.AdServer("ops@pier.example", upstreamtest.Probe{Takes: time.Second})
	var wg sync.WaitGroup
	var codes [2]int
	for i, p := range []*process{a, b} {
		wg.Go(func() { codes[i], _ = p.send("PUT", storefront+source+"/ad-server", clearKey, goodLogin) })
	}
	wg.Wait()
	s.agent.AdServer("ops@pier.example")
	if codes != [2]int{200, 409} && codes != [2]int{409, 200} || s.agent.Provisions() != 1 {
		s.Errorf("two saves at once: %v, %d tenants", codes, s.agent.Provisions())
	}
}

// crash kills a gateway while it provisions; the next one finds what came of it.
func (s *story) crash(p *process) *process {
	s.Helper()
	s.agent.AdServer("ops@dune.example", upstreamtest.Probe{Takes: 2 * time.Second})
	before := s.agent.Provisions()
	go p.send("POST", storefront+"/esa", clearKey, // it is cut off
		`{"type":"springserve","email":"ops@dune.example","password":"CANARY-dune","sourceId":"dune"}`)
	eventually(s.T, "the ad server is asked", func() bool { return s.agent.Probes("ops@dune.example") > 0 })
	must(s.T, p.cmd.Process.Kill())
	<-p.exited
	again := start(s.T, s.env, "serve", "--config", s.config)
	s.first.Store(again)
	eventually(s.T, "what was under way is settled", func() bool {
		code, body := again.send("GET", storefront+"/inventory-sources/dune/esa", clearKey, "")
		return code == 200 && strings.Contains(body, `"provisioningStatus":"active"`)
	})
	if n := s.agent.Provisions() - before; n != 1 {
		s.Errorf("%d tenants after a crash", n)
	}
	return again
}
