package gateway

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

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
	return g.writeDocument(w, r, g.document(src), sourceChanged(src))
}

func (g connections) listConnections(w http.ResponseWriter, r *request) error {
	return g.list(w, r, g.all())
}

// all are the customer's connections.
func (g connections) all() collection {
	return collection{g.deps.Directory.ManagedSources, g.document}
}

// collection is what a list shows: it reads a customer's sources, skip of them left out, and says
// how many there are.
type collection struct {
	read     func(ctx context.Context, customer int64, skip, take int) (list []*registry.Source, total int, err error)
	document func(*registry.Source) []byte
}

// list answers with one page of documents.
func (g *Gateway) list(w http.ResponseWriter, r *request, c collection) error {
	q := parseQuery(r.URL.RawQuery, "skip", "take")
	skip := q.integer("skip", 0, math.MaxInt32, 0)
	take := q.integer("take", 1, maxTake, maxTake)
	if err := q.err(); err != nil {
		return err
	}
	body, p, err := c.page(g, r, skip, take)
	if err != nil {
		return err
	}
	p.link(w, r, q)
	return writeBody(w, r, body, time.Time{})
}

// page gives a page of a collection as a GET answers with it.
func (c collection) page(g *Gateway, r *request, skip, take int) (*api.Body, page, error) {
	list, total, err := c.read(r.Context(), r.caller.CustomerID, skip, take)
	if err != nil {
		return nil, page{}, err
	}
	documents := make([][]byte, len(list))
	for i, src := range list {
		documents[i] = c.document(src)
	}
	p := page{skip, take, total}
	return api.NewBody(p.wrap(fmt.Appendf(nil, "[%s]", bytes.Join(documents, []byte{','})), g.cfg.Envelope)), p, nil
}
