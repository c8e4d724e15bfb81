package terminal

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"esagate/api"
)

const testKey = "a-key-CANARY-123"

// gateway is a small one: it answers with an overview, and with what it is told to stream.
type gateway struct {
	t *testing.T
	*httptest.Server

	mu        sync.Mutex
	items     []api.OverviewItem
	headline  string
	enveloped bool
	fail      http.HandlerFunc // answers in its place
	asked     []string         // paths with queries
	lastIDs   []string         // of streams
	streams   chan func(w http.ResponseWriter, r *http.Request)
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{t: t, headline: "Some can't sell.", streams: make(chan func(http.ResponseWriter, *http.Request), 10)}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) client(o Options) *Client {
	g.t.Helper()
	o.URL, o.Key = g.URL, testKey
	c, err := NewClient(o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(c.Close)
	return c
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	fail := g.fail
	g.asked = append(g.asked, r.URL.Path+"?"+r.URL.RawQuery+" "+r.Header.Get("Esagate-Customer"))
	g.mu.Unlock()
	switch {
	case fail != nil:
		fail(w, r)
	case r.Header.Get("Authorization") != "Bearer "+testKey:
		refuse(w, 401, "UNAUTHORIZED", "No.")
	case r.URL.Path == root+overviewPath:
		g.overview(w, r)
	case r.URL.Path == root+eventsPath:
		g.mu.Lock()
		g.lastIDs = append(g.lastIDs, r.Header.Get("Last-Event-ID"))
		g.mu.Unlock()
		select {
		case stream := <-g.streams:
			stream(w, r)
		case <-r.Context().Done():
		}
	default:
		refuse(w, 404, "NOT_FOUND", "There is nothing here.")
	}
}

func (g *gateway) overview(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := r.URL.Query()
	skip, _ := strconv.Atoi(q.Get("skip"))
	take, _ := strconv.Atoi(q.Get("take"))
	items := slices.DeleteFunc(slices.Clone(g.items), func(i api.OverviewItem) bool {
		return len(q["state"]) > 0 && !slices.Contains(q["state"], i.State) || !strings.Contains(i.SourceID+" "+i.ESAID, q.Get("q"))
	})
	out := api.Overview{Headline: g.headline, Items: []api.OverviewItem{}, Total: int64(len(items))}
	out.Items = append(out.Items, items[min(skip, len(items)):min(skip+take, len(items))]...)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	body := string(api.Encode(&out))
	body = body[:len(body)-1] + `,"later":"member"}`
	if g.enveloped {
		body = `{"data":` + body + `,"error":null}`
	}
	_, _ = w.Write([]byte(body))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(api.Encode(api.ErrorBody{Error: api.Error{Code: code, Message: message}}))
}

func (g *gateway) set(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	do()
}

func source(id, state string) api.OverviewItem {
	return api.OverviewItem{SourceID: id, ESAID: "1" + id, Name: "Source " + id, CustomerID: 4210, State: state,
		OverviewFacts: api.OverviewFacts{Blockers: []api.OverviewBlocker{}, Syncs: api.OverviewSyncs{}}}
}
