package gateway

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"

	"esagate/api"
	"esagate/registry"
)

const maxTake = 200

func (g connections) getConnection(w http.ResponseWriter, r *request, src *registry.Source) error {
	if err := parseQuery(r.URL.RawQuery).err(); err != nil {
		return err
	}
	src = g.deps.Status.WithAdServer(r.Context(), src)
	if err := r.Context().Err(); err != nil {
		return err
	}
	g.writeDocument(w, r, connectionDocument(src))
	return nil
}

func (g connections) listConnections(w http.ResponseWriter, r *request) error {
	return g.list(w, r, g.deps.Directory.ManagedSources, connectionDocument)
}

// page reads a customer's sources, skip of them left out, and says how many there are.
type page func(ctx context.Context, customer int64, skip, take int) (list []*registry.Source, total int, err error)

// list answers with one page of documents.
func (g *Gateway) list(w http.ResponseWriter, r *request, read page, document func(*registry.Source) []byte) error {
	q := parseQuery(r.URL.RawQuery, "skip", "take")
	skip := q.integer("skip", 0, math.MaxInt32, 0)
	take := q.integer("take", 1, maxTake, maxTake)
	if err := q.err(); err != nil {
		return err
	}
	list, total, err := read(r.Context(), r.caller.CustomerID, skip, take)
	if err != nil {
		return err
	}
	documents := make([][]byte, len(list))
	for i, src := range list {
		documents[i] = document(src)
	}
	body := fmt.Appendf(nil, "[%s]", bytes.Join(documents, []byte{','}))
	if g.cfg.Envelope { // contract 8.1
		const page = `{"data":%s,"error":null,"meta":{"pagination":{"skip":%d,"take":%d,"total":%d,"hasMore":%t}}}`
		body = fmt.Appendf(nil, page, body, skip, take, total, skip+len(list) < total)
	}
	writeBody(w, r, api.NewBody(body))
	return nil
}
