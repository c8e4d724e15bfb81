package gateway

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/status"
	"esagate/transform"
)

// maxFilter bounds the text of a filter, in characters.
const maxFilter = 100

func (g connections) getOverview(w http.ResponseWriter, r *request) error {
	q := parseQueryLists(r.URL.RawQuery, []string{"state"},
		"q", "adServer", "issue", "customerId", "sort", "include", "skip", "take")
	query := q.overview()
	if err := q.err(); err != nil {
		return err
	}
	if err := ofCaller(&query, r); err != nil {
		return err
	}
	overview, err := g.deps.Status.Overview(r.Context(), query)
	if err != nil {
		return err
	}
	p := page{skip: query.Skip, take: query.Take, total: int(overview.Total)}
	p.link(w, r, q)
	return writeBody(w, r, api.NewWeakBody(p.wrap(api.Encode(overview.Overview), g.cfg.Envelope), overview.Steady()), time.Time{})
}

// ofCaller has a query be of the caller's sources.
func ofCaller(query *status.OverviewQuery, r *request) error {
	query.Customer = r.caller.CustomerID
	if query.Customer == registry.OperatorID && !r.caller.Operator {
		return fault.New(fault.Internal, "The caller has no customer.")
	}
	return nil
}

// overview reads what is asked of an overview.
func (q *query) overview() status.OverviewQuery {
	query := status.OverviewQuery{
		Only: q.id("customerId"), States: q.words("state", transform.States),
		Text: q.text("q", maxFilter), AdServer: q.text("adServer", maxFilter), Issue: q.text("issue", maxFilter),
		Skip: q.integer("skip", 0, math.MaxInt32, 0), Take: q.integer("take", 1, maxTake, maxTake),
		Order: status.ByState,
	}
	if given, ok := q.values["sort"]; ok {
		name, descending := strings.CutPrefix(given[0], "-")
		query.Order, query.Descending = status.OverviewOrder(name), descending
		if !slices.Contains(status.OverviewOrders, query.Order) {
			q.fail("query.sort", "sort must be state, name, since, sourceId, customerId or age, or one of them after a -.")
		}
	}
	if given, ok := q.values["include"]; ok {
		if query.History = given[0] == "history"; !query.History {
			q.fail("query.include", "include must be history.")
		}
	}
	return query
}

// page says which part of a list an answer has.
type page struct{ skip, take, total int }

// wrap wraps a success with its page where the operator wants it so (contract 8.1).
func (p page) wrap(document []byte, envelope bool) []byte {
	if !envelope {
		return document
	}
	const form = `{"data":%s,"error":null,"meta":{"pagination":{"skip":%d,"take":%d,"total":%d,"hasMore":%t}}}`
	return fmt.Appendf(make([]byte, 0, len(document)+len(form)+40), form, document, p.skip, p.take, p.total, p.skip+p.take < p.total)
}

// link names the other pages of a list (RFC 8288), for which the request's other parameters stay.
func (p page) link(w http.ResponseWriter, r *request, q *query) {
	last := 0
	if p.total > 0 {
		last = (p.total - 1) / p.take * p.take
	}
	var links bytes.Buffer
	add := func(rel string, skip int) {
		if links.Len() > 0 {
			links.WriteString(", ")
		}
		fmt.Fprintf(&links, `<%s?%s>; rel="%s"`, r.URL.EscapedPath(), q.with(skip, p.take), rel)
	}
	add("first", 0)
	if p.skip > 0 {
		add("prev", min(max(p.skip-p.take, 0), last))
	}
	if p.skip+p.take < p.total {
		add("next", p.skip+p.take)
	}
	add("last", last)
	w.Header()["Link"] = []string{links.String()}
}
