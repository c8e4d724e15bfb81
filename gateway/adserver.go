package gateway

import (
	"net/http"
	"time"

	"esagate/internal/operations"
	"esagate/registry"
)

// adServers serves the table of operations on ad servers, all by the same two handlers.
type adServers struct{ *Gateway }

// routes is their table.
func (g adServers) routes() (rows []Route) {
	for _, o := range operations.Table() {
		row := Route{o.Method, o.Path, o.ID, write, g.onSource(g.write(o))}
		if row.Method == http.MethodGet {
			row.access, row.handle = read, g.onSource(g.read(o))
		}
		rows = append(rows, row)
	}
	return rows
}

func (g adServers) read(o *operations.Operation) func(http.ResponseWriter, *request, *registry.Source) error {
	return func(w http.ResponseWriter, r *request, src *registry.Source) error {
		answer, err := g.deps.Operations.Read(r.Context(), o, operations.Request{Source: src, Vars: r.vars, Query: r.URL.RawQuery})
		if err != nil {
			return err
		}
		return writeBody(w, r, answer.Body, time.Time{})
	}
}

func (g adServers) write(o *operations.Operation) func(http.ResponseWriter, *request, *registry.Source) error {
	return func(w http.ResponseWriter, r *request, src *registry.Source) error {
		body, err := readBody(r, maxBodyBytes)
		if err != nil {
			return err
		}
		if err := g.precondition(r, connectionView).Check(src); err != nil {
			return err
		}
		status, document, err := g.deps.Operations.Write(detached(r), o, operations.Request{Source: src, Vars: r.vars, Query: r.URL.RawQuery, Body: body})
		if err != nil {
			return err
		}
		if document == nil {
			w.WriteHeader(status)
			return nil
		}
		g.answer(w, r, status, document)
		return nil
	}
}
