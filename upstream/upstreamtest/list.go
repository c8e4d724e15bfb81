package upstreamtest

import (
	"net/url"
	"slices"
	"strings"
)

// list gives the tenants, newest first, those made at one instant by id. There are
// no pages: all of them come in one answer.
func (a *Agent) list(q url.Values) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*tenantState, 0, len(a.tenants))
	for _, t := range a.tenants {
		if s := q.Get("external_source"); s == "" || s == t.ExternalSource {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(x, y *tenantState) int {
		if c := y.since.Compare(x.since); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	out := tenantList{Tenants: make([]tenantSummary, 0, len(all)), Count: len(all)}
	for _, t := range all {
		out.Tenants = append(out.Tenants, t.summary())
	}
	return ok(out)
}
