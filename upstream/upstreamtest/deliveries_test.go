package upstreamtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// post receives deliveries.
type post struct {
	t      *testing.T
	answer func(n int, r *http.Request) (int, error) // n: which delivery, from 0

	mu  sync.Mutex
	all []delivery
}

type delivery struct {
	ID       string          `json:"event_id"`
	Type     string          `json:"event_type"`
	Schema   string          `json:"event_schema_version"`
	Tenant   string          `json:"tenant_id"`
	Occurred string          `json:"occurred_at"`
	Attempt  int             `json:"delivery_attempt"`
	Data     json.RawMessage `json:"data"`

	header http.Header
	body   []byte
	at     time.Time
	url    string
}

func (p *post) deliver(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	d := strict[delivery](p.t, string(text))
	d.header, d.body, d.at, d.url = r.Header.Clone(), text, time.Now(), r.URL.String()
	p.mu.Lock()
	n := len(p.all)
	p.all = append(p.all, d)
	p.mu.Unlock()
	status := http.StatusNoContent
	if p.answer != nil {
		if status, err = p.answer(n, r); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}

func (p *post) seen() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivery(nil), p.all...)
}

func (p *post) types() string {
	var words []string
	for _, d := range p.seen() {
		words = append(words, d.Type+"/"+strconv.Itoa(d.Attempt))
	}
	return strings.Join(words, " ")
}

// oneSentOneQueued announces two events. The first is being delivered, for a second, and the
// other waits for it.
func (p *post) oneSentOneQueued(a *ut.Agent) {
	p.answer = func(int, *http.Request) (int, error) {
		time.Sleep(time.Second)
		return http.StatusNoContent, nil
	}
	a.Announce(a.TenantIDs()[0], "sent", nil)
	a.Announce(a.TenantIDs()[0], "queued", nil)
	synctest.Wait()
}

// subscribed is an agent in a bubble, with one tenant just made and one subscription.
func subscribed(t *testing.T, opts ut.Options, request string) (*ut.Agent, *post) {
	t.Helper()
	p := &post{t: t}
	opts.APIKey, opts.Deliver = key, p.deliver
	a := ut.New(opts)
	t.Cleanup(a.Close)
	id := provision(t, a, "1", gamBody)
	want(t, a, 201, "POST", "/tenants/"+id+"/webhooks", strings.TrimSuffix(request, "}")+`,"secret":"`+secret+`"}`)
	return a, p
}

func TestDeliveriesOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a","event_types":["sync_run.completed","sync_run.failed"],"extra_headers":{"X-Desk":"4","Authorization":"no"}}`)
		id := a.TenantIDs()[0]
		began := time.Now()
		a.StartRun(id, "inventory")
		time.Sleep(3 * time.Minute)
		a.FinishRun(id, "inventory", 77)
		a.FailRun(id, "inventory", "")
		synctest.Wait()
		all := p.seen()
		if len(all) != 2 {
			t.Fatalf("deliveries %s", p.types())
		}
		d := all[0]
		if d.Type != "sync_run.completed" || d.Schema != "1" || d.Tenant != id || d.Attempt != 1 || d.url != "https://hook.example/a" ||
			d.header.Get("Content-Type") != "application/json" || d.header.Get("X-Desk") != "4" || d.header.Get("Authorization") != "" {
			t.Errorf("delivery %+v", d)
		}
		stamp := d.header.Get("X-AdCP-Timestamp")
		if stamp != strconv.FormatInt(time.Now().Unix(), 10) || d.header.Get("X-AdCP-Signature") != ut.Sign(secret, stamp, d.body) {
			t.Errorf("signed %q at %q", d.header.Get("X-AdCP-Signature"), stamp)
		}
		good := strict[struct {
			ID        string  `json:"sync_run_id"`
			Type      string  `json:"sync_type"`
			Adapter   string  `json:"adapter_type"`
			Status    string  `json:"status"`
			Trigger   string  `json:"trigger"`
			Started   string  `json:"started_at"`
			Completed string  `json:"completed_at"`
			Items     int     `json:"item_count"`
			Summary   *string `json:"summary"`
		}](t, string(d.Data))
		if runs := a.Runs(id); good.ID != runs[0].ID || good.Type != "inventory" || good.Adapter != "google_ad_manager" || good.Status != "completed" ||
			good.Trigger != "scheduled" || good.Items != 77 || good.Started != began.UTC().Format("2006-01-02T15:04:05+00:00") || good.Completed != d.Occurred {
			t.Errorf("data %+v", good)
		}
		bad := decode[struct {
			Status string
			Error  struct{ Message, Category string }
		}](t, string(all[1].Data))
		if all[1].Type != "sync_run.failed" || all[1].ID == d.ID || bad.Status != "failed" || bad.Error.Category != "transient" ||
			bad.Error.Message == "" || strings.Contains(string(all[1].body), ut.Canary) {
			t.Errorf("failure %+v of %s", bad, all[1].Type)
		}
	})
}

// TestSign compares the signature with one made by another tool:
// printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac thirty-two-characters-of-secret-
func TestSign(t *testing.T) {
	const want = "sha256=95119734c67d2e3196deb8362b1623cd23772c2fdec8b64831012f6f35cc166b"
	if got := ut.Sign("thirty-two-characters-of-secret-", "1700000000", []byte(`{"a":1}`)); got != want {
		t.Errorf("signed %s", got)
	}
}

func TestWhichEventsAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a","event_types":["workflow.created"]}`)
		id := a.TenantIDs()[0]
		want(t, a, 201, "POST", "/tenants/"+id+"/webhooks", `{"url":"https://hook.example/all"}`)
		for event, n := range map[string]int{"workflow.created": 2, "product.priced": 1, "tide.turned": 1} {
			if got := a.Announce(id, event, []byte(`{"x":1}`)); got != n {
				t.Errorf("%s: %d deliveries", event, got)
			}
		}
		if a.Announce("tnt_gone", "workflow.created", nil) != 0 {
			t.Error("an unknown tenant has subscribers")
		}
		if err := a.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, d := range p.seen() {
			ids[d.ID] = true
			if string(d.Data) != `{"x":1}` {
				t.Errorf("data %s", d.Data)
			}
		}
		if len(p.seen()) != 4 || len(ids) != 4 {
			t.Errorf("deliveries %s", p.types())
		}
	})
}

func TestRestartForgetsTheSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a"}`)
		id := a.TenantIDs()[0]
		p.oneSentOneQueued(a)
		a.Restart()
		if n := a.Announce(id, "one", nil); n != 0 {
			t.Errorf("%d deliveries", n)
		}
		time.Sleep(time.Hour)
		if p.types() != "sent/1" {
			t.Errorf("delivered %s", p.types())
		}
		l := strict[hooks](t, want(t, a, 200, "GET", "/tenants/"+id+"/webhooks", ""))
		if l.Count != 1 || !l.Webhooks[0].Active {
			t.Errorf("the subscription does not read active: %+v", l)
		}
		want(t, a, 201, "POST", "/tenants/"+id+"/webhooks", `{"url":"https://hook.example/b"}`)
		if n := a.Announce(id, "two", nil); n != 1 {
			t.Errorf("a new subscription: %d deliveries", n)
		}
	})
}

func TestAnOutageLosesEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{RunTakes: time.Minute}, `{"url":"https://hook.example/a"}`)
		id := a.TenantIDs()[0]
		a.StartRun(id, "inventory")
		p.oneSentOneQueued(a)
		a.SetDown(true)
		if n := a.Announce(id, "one", nil); n != 0 {
			t.Errorf("%d deliveries", n)
		}
		time.Sleep(time.Hour)
		a.SetDown(false)
		synctest.Wait()
		if p.types() != "sent/1" || a.Runs(id)[0].Status != ut.RunCompleted {
			t.Errorf("delivered %s, run %+v", p.types(), a.Runs(id)[0])
		}
	})
}

// Nothing is sent after Close has returned.
func TestCloseEndsDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := subscribed(t, ut.Options{}, `{"url":"https://hook.example/a"}`)
		id := a.TenantIDs()[0]
		p.answer = func(_ int, r *http.Request) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}
		for range 400 { // more than the queue takes
			a.Announce(id, "one", nil)
		}
		synctest.Wait()
		waited := make(chan error, 1)
		go func() { waited <- a.Drain(context.Background()) }()
		synctest.Wait()
		began := time.Now()
		a.Close()
		a.Close()
		if took := time.Since(began); took != 0 || len(p.seen()) != 1 {
			t.Errorf("ended after %s, %d sent", took, len(p.seen()))
		}
		if err := <-waited; !errors.Is(err, ut.ErrClosed) {
			t.Errorf("drained: %v", err)
		}
		if a.Announce(id, "late", nil) != 0 {
			t.Error("a closed agent delivers events")
		}
		time.Sleep(time.Hour)
		if len(p.seen()) != 1 {
			t.Errorf("%d sent", len(p.seen()))
		}
	})
}
