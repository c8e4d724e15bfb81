package gateway

import (
	"math"
	"net/http"

	"esagate/api"
	"esagate/transform"
)

func (g inventory) listSources(w http.ResponseWriter, r *request) error {
	q := parseQuery(r.URL.RawQuery, "skip", "take")
	skip := q.integer("skip", 0, math.MaxInt32, 0)
	take := q.integer("take", 1, maxTake, maxTake)
	if err := q.err(); err != nil {
		return err
	}
	list, total, err := g.deps.Directory.Sources(r.Context(), r.caller.CustomerID, skip, take)
	if err != nil {
		return err
	}
	encoded := []byte{'['}
	for i, s := range list {
		if i > 0 {
			encoded = append(encoded, ',')
		}
		encoded = append(encoded, api.Encode(transform.InventorySource(s, ""))...)
	}
	encoded = append(encoded, ']')
	if g.cfg.Envelope {
		encoded = envelopedPage(encoded, skip, take, total, skip+len(list) < total)
	}
	writeBody(w, r, api.NewBody(encoded))
	return nil
}

func (g inventory) getSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err := joinIssues(err, parseQuery(r.URL.RawQuery).err()); err != nil {
		return err
	}
	s, err := g.deps.Directory.Source(r.Context(), r.caller.CustomerID, sourceID)
	if err != nil {
		return err
	}
	g.writeDocument(w, r, sourceDocument(s, ""))
	return nil
}
