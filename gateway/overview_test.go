package gateway_test

import (
	"testing"

	"esagate/registry"
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
