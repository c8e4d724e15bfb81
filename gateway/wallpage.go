package gateway

import (
	"math"
	"net/http"
	"slices"

	"esagate/gateway/ops"
	"esagate/status"
)

// showWall answers with the page of all sources.
func (g pages) showWall(w http.ResponseWriter, r *request) error {
	query, err := wallQuery(r)
	if err != nil {
		return err
	}
	overview, err := g.deps.Status.Overview(r.Context(), query)
	if err == nil && len(overview.Items) == 0 && overview.Total > 0 { // the page is past the last one
		query.Skip = int(overview.Total-1) / ops.WallRows * ops.WallRows
		overview, err = g.deps.Status.Overview(r.Context(), query)
	}
	if overview == nil {
		return err
	}
	writePage(w, r, http.StatusOK, ops.Wall(ops.WallView{
		Page: r.pageView("Sources"), Overview: overview, Query: query, NoHistory: err != nil, RedisAway: redisAway(g.deps.Redis),
		Storefront: ops.Storefront(g.cfg.StorefrontURL), Machine: g.machine(r.key.Operator),
	}))
	return nil
}

// wallQuery reads what is asked of the wall: as of an overview, by pages.
func wallQuery(r *request) (status.OverviewQuery, error) {
	q := parseQueryLists(r.URL.RawQuery, []string{"state"}, "q", "adServer", "issue", "customer", "sort", "page")
	for name, given := range q.values { // a form sends what nobody has filled in too
		if !slices.ContainsFunc(given, func(v string) bool { return v != "" }) {
			delete(q.values, name)
		}
	}
	query := q.overview()
	query.Take = ops.WallRows
	query.Skip = ops.WallRows * (q.integer("page", 1, math.MaxInt32/ops.WallRows, 1) - 1)
	query.History, query.Facets, query.NeedsHand = true, true, ops.NeedsHand(&query)
	if err := q.err(); err != nil {
		return query, err
	}
	return query, ofCaller(&query, r)
}
