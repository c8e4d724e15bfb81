package operations_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/operations"
	"esagate/snapshot"
)

// read makes a read that must succeed.
func (w *world) read(operation, source, query string, vars ...string) operations.Answer {
	w.Helper()
	a, err := w.service.Read(w.Context(), find(w, operation), w.request(source, query, "", vars...))
	if err != nil {
		w.Fatalf("%s: %v", operation, err)
	}
	return a
}

// empty are documents without anything in them, by their operation.
var empty = map[string]string{
	"listEsaSignals": `{"signals":[]}`, "listEsaProducts": `{"wholesale_products":[]}`, "listEsaPublisherProperties": `{"properties":[],"allowed_selectors":[]}`,
	"getEsaInventoryAdapterCapabilities": `{"adapter":"x","selector_types":[]}`, "listEsaCreativeFormats": `{"creative_formats":[],"count":0}`,
	"listEsaSignalCandidates": `{"candidates":[],"count":0}`, "searchEsaAdServerSelectors": `{"selectors":[],"count":0}`,
	"getEsaSignalAdapterCapabilities": `{"adapter":"x","supports_signal_mapping_authoring":true}`,
}

func TestEqualQuestionsShareOneCall(t *testing.T) {
	for operation, query := range map[string]string{"listEsaSignals": "", "searchEsaAdServerSelectors": "selectorType=a", "listEsaSignalCandidates": "q=a", "listEsaCreativeFormats": "q=a"} {
		inWorld(t, func(w *world) {
			w.answers(200, empty[operation])
			w.takes(time.Second, false)
			var readers sync.WaitGroup
			var mu sync.Mutex
			collapsed := 0
			for range 20 {
				readers.Go(func() {
					if w.read(operation, "coast", query).Collapsed {
						mu.Lock()
						defer mu.Unlock()
						collapsed++
					}
				})
			}
			readers.Go(func() { w.read(operation, "isle", query) })
			readers.Wait()
			w.wantCalls(2)
			if collapsed != 19 {
				t.Errorf("%s: %d readers shared another's call", operation, collapsed)
			}
		})
	}
}

// TestKeeping: how long an answer is given again, and how long while the sales agent is away.
func TestKeeping(t *testing.T) {
	for _, c := range []struct {
		operation, query string
		keep, lastGood   time.Duration
	}{
		{"listEsaSignals", "", 5 * time.Second, 0},
		{"listEsaProducts", "", 5 * time.Second, 0},
		{"searchEsaAdServerSelectors", "selectorType=a", 5 * time.Second, 0},
		{"listEsaPublisherProperties", "", 30 * time.Second, 0},
		{"getEsaInventoryAdapterCapabilities", "", time.Minute, 15 * time.Minute},
		{"getEsaSignalAdapterCapabilities", "", time.Minute, 15 * time.Minute},
		{"listEsaCreativeFormats", "", 5 * time.Minute, 15 * time.Minute},
		{"listEsaCreativeFormats", "q=a", 0, 0},
		{"listEsaSignalCandidates", "", 0, 0},
	} {
		inWorld(t, func(w *world) {
			w.answers(200, empty[c.operation])
			w.read(c.operation, "coast", c.query)
			time.Sleep(c.keep)
			if a := w.read(c.operation, "coast", c.query); (a.State == snapshot.Hit) != (c.keep > 0) || a.Age != c.keep || c.keep > 0 && len(w.calls()) != 1 {
				t.Errorf("%s?%s after %s: %+v", c.operation, c.query, c.keep, a)
			}
			time.Sleep(time.Millisecond)
			w.calls()
			w.read(c.operation, "coast", c.query)
			w.wantCalls(1)

			w.takes(0, true)
			time.Sleep(c.lastGood)
			a, err := w.service.Read(w.Context(), find(t, c.operation), w.request("coast", c.query, ""))
			switch {
			case c.lastGood > 0:
				if err != nil || a.State != snapshot.Stale || a.Age != c.lastGood {
					t.Errorf("%s?%s in an outage: %+v, %v", c.operation, c.query, a, err)
				}
				time.Sleep(time.Millisecond)
				_, err = w.service.Read(w.Context(), find(t, c.operation), w.request("coast", c.query, ""))
			case c.keep > 0:
				time.Sleep(c.keep + time.Millisecond)
				_, err = w.service.Read(w.Context(), find(t, c.operation), w.request("coast", c.query, ""))
			}
			if told(err) != "503 UPSTREAM_UNREACHABLE" {
				t.Errorf("%s?%s at last: %v", c.operation, c.query, err)
			}
		})
	}
}

func TestErrorsAboutTheQuestionAreNotRemembered(t *testing.T) {
	inWorld(t, func(w *world) {
		for code, want := range map[int]string{404: "404 SIGNAL_NOT_FOUND", 400: "400 body: The sales agent does not accept the request."} {
			w.answers(code, `{"error":"signal_mapping_not_found"}`)
			for range 2 {
				_, _, err := w.do("getEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
				if told(err) != want {
					t.Errorf("%d is %s", code, told(err))
				}
			}
			w.wantCalls(2)
		}
		w.answers(500, `{"error":"internal"}`)
		for range 2 {
			_, _, err := w.do("getEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
			if told(err) != "503 UPSTREAM_ERROR" || fault.As(err).RetryAfter < time.Second {
				t.Errorf("%v, %s", err, fault.As(err).RetryAfter)
			}
		}
		w.wantCalls(1) // it is not asked again at once
	})
}

func TestAFetchOutlivesItsReader(t *testing.T) {
	for _, c := range []struct {
		operation  string
		takes      time.Duration
		fetchesFor time.Duration
	}{{"listEsaSignals", 9 * time.Second, 10 * time.Second}, {"listEsaCreativeFormats", 70 * time.Second, 75 * time.Second}} {
		inWorld(t, func(w *world) {
			w.answers(200, empty[c.operation])
			w.takes(c.takes, false)
			ctx, cancel := context.WithTimeout(w.Context(), time.Second)
			defer cancel()
			if _, err := w.service.Read(ctx, find(t, c.operation), w.request("coast", "", "")); err != ctx.Err() {
				t.Errorf("%s: %v", c.operation, err)
			}
			time.Sleep(c.takes)
			if a := w.read(c.operation, "coast", ""); a.State != snapshot.Hit {
				t.Errorf("%s: %+v", c.operation, a)
			}
			w.wantCalls(1)

			w.takes(c.fetchesFor+time.Hour, false)
			time.Sleep(time.Hour)
			begun := time.Now()
			_, err := w.service.Read(w.Context(), find(t, c.operation), w.request("coast", "", ""))
			if want := map[string]time.Duration{"listEsaSignals": 3 * time.Second, "listEsaCreativeFormats": 75 * time.Second}[c.operation]; told(err) != "503 UPSTREAM_TIMEOUT" || time.Since(begun) != want {
				t.Errorf("%s: %v after %s", c.operation, err, time.Since(begun))
			}
			time.Sleep(time.Hour)
		})
	}
}

// TestMadeUpQuestionsEvictNothingOfOthers: what callers think up has no place among what others come back for.
func TestMadeUpQuestionsEvictNothingOfOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answersBy(func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "/signals") {
				return 200, empty["listEsaSignals"]
			}
			return 200, `{"selectors":[],"count":0,"next_cursor":"` + strings.Repeat("x", 200<<10) + `"}`
		})
		w.read("listEsaSignals", "coast", "")
		for i := range 60 {
			w.read("searchEsaAdServerSelectors", "isle", "selectorType=a&cursor="+strconv.Itoa(i))
		}
		w.calls()
		if a := w.read("listEsaSignals", "coast", ""); a.State != snapshot.Hit {
			t.Errorf("%+v", a)
		}
		w.read("searchEsaAdServerSelectors", "isle", "selectorType=a&cursor=59")
		w.wantCalls(0)
		w.read("searchEsaAdServerSelectors", "isle", "selectorType=a&cursor=0") // 60 take more than there is room for
		w.wantCalls(1)
	})
}

// TestAnotherPlainOperation adds one to the table: a row, and what the contract says of it.
func TestAnotherPlainOperation(t *testing.T) {
	text := &api.Schema{Type: "string"}
	closed := false
	spec := &api.Operation{ID: "listEsaPlacements", Method: "GET", Path: "/api/v2/storefront/esa/{esaId}/placements",
		Parameters: []api.Parameter{{Name: "esaId", In: "path", Required: true, Schema: text}, {Name: "siteId", In: "query", Schema: text}},
		Successes: []api.Success{{Status: "200", Schema: &api.Schema{Type: "object", AdditionalProperties: &closed, Required: []string{"placements"}, Properties: []api.Property{
			{Name: "placements", Schema: &api.Schema{Type: "array", Items: &api.Schema{Type: "object", AdditionalProperties: &closed, Required: []string{"adUnitCode"},
				Properties: []api.Property{{Name: "adUnitCode", Schema: text}}}}}}}}}}
	row := operations.NewRow(operations.Operation{ID: "listEsaPlacements", Call: operations.Call{Method: "GET", Path: "placements"}, Group: operations.Catalog, Keep: 5 * time.Second}, spec)
	inWorld(t, func(w *world) {
		w.answers(200, `{"placements":[{"ad_unit_code":"4471","internal":"CANARY"}]}`)
		for range 2 {
			a, err := w.service.Read(w.Context(), row, w.request("coast", "siteId=7", ""))
			w.must(err)
			if got := string(a.Body.Plain); got != `{"placements":[{"adUnitCode":"4471"}]}` {
				t.Error(got)
			}
		}
		if got := fmt.Sprint(w.calls()); got != "[GET /placements?site_id=7]" {
			t.Error(got)
		}
		_, err := w.service.Read(w.Context(), row, w.request("coast", "frob=7", ""))
		if told(err) != "400 query: There is a query parameter that this operation does not know." {
			t.Error(err)
		}
	})
}
