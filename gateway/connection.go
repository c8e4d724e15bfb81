package gateway

import (
	"math"
	"net/http"
	"strconv"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
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
	q := parseQuery(r.URL.RawQuery, "skip", "take")
	skip := q.integer("skip", 0, math.MaxInt32, 0)
	take := q.integer("take", 1, maxTake, maxTake)
	if err := q.err(); err != nil {
		return err
	}
	list, total, err := g.deps.Directory.ManagedSources(r.Context(), r.caller.CustomerID, skip, take)
	if err != nil {
		return err
	}
	encoded := []byte{'['}
	for i, src := range list {
		if i > 0 {
			encoded = append(encoded, ',')
		}
		encoded = append(encoded, api.Encode(transform.Connection(src))...)
	}
	encoded = append(encoded, ']')
	if g.cfg.Envelope {
		encoded = envelopedPage(encoded, skip, take, total, skip+len(list) < total)
	}
	writeBody(w, r, api.NewBody(encoded))
	return nil
}

// envelopedPage wraps one page of a list (contract 8.1).
func envelopedPage(list []byte, skip, take, total int, more bool) []byte {
	b := append([]byte(`{"data":`), list...)
	b = append(b, `,"error":null,"meta":{"pagination":{"skip":`...)
	b = strconv.AppendInt(b, int64(skip), 10)
	b = append(b, `,"take":`...)
	b = strconv.AppendInt(b, int64(take), 10)
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	b = append(b, `,"hasMore":`...)
	b = strconv.AppendBool(b, more)
	return append(b, "}}}"...)
}
