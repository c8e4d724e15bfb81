package gateway

import (
	"net/http"
	"strconv"
	"time"

	"esagate/api"
	"esagate/internal/operations"
	"esagate/registry"
)

// adServers serves the table of operations on ad servers, all by the same two handlers.
type adServers struct{ *Gateway }

// routes is their table.
func (g adServers) routes() (rows []Route) {
	for _, o := range operations.Table() {
		row := Route{o.Method, o.Path, o.ID, tryOrWrite, g.write(o)}
		if row.Method == http.MethodGet {
			row.access, row.handle = read, g.onSource(g.read(o))
		}
		rows = append(rows, row)
	}
	return rows
}

func (g adServers) read(o *operations.Operation) func(http.ResponseWriter, *request, *registry.Source) error {
	return func(w http.ResponseWriter, r *request, src *registry.Source) error {
		if o.Slow {
			g.extendWriteDeadline(w)
		}
		answer, err := g.deps.Operations.Read(r.Context(), o, operations.Request{Source: src, Vars: r.vars, Query: r.URL.RawQuery})
		if err != nil {
			return err
		}
		h := w.Header()
		h["Age"] = []string{strconv.Itoa(int(answer.Age / time.Second))}
		h["Cache-Status"] = []string{cacheStatus(answer.State, answer.Fresh, answer.Replaced, answer.Collapsed)}
		return writeBody(w, r, answer.Body, time.Time{})
	}
}

// write makes the handler of a row that is no read. The audit has a request that may change something;
// whether it does may be said in its query or its body, so that is read first.
func (g adServers) write(o *operations.Operation) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		body, unread := readBody(r, maxBodyBytes)
		asked := operations.Request{Vars: r.vars, Query: r.URL.RawQuery, Body: body}
		if o.Changes(asked) {
			if err := g.beginAudit(r, o.ID); err != nil {
				return err
			}
		}
		return g.onSource(func(w http.ResponseWriter, r *request, src *registry.Source) error {
			if unread != nil {
				return unread
			}
			asked.Source = src
			return g.operate(w, r, o, asked)
		})(w, r)
	}
}

// operate answers a request of a row that is no read.
func (g adServers) operate(w http.ResponseWriter, r *request, o *operations.Operation, asked operations.Request) error {
	g.extendWriteDeadline(w) // it waits for other writes of the connection, which may be slow
	var once *registry.IdempotencyRecord
	if r.Method == http.MethodPost {
		var err error
		if once, err = idempotency(r, asked.Body); err != nil {
			return err
		}
	}
	if hasPrecondition(r.Header) {
		asked.If = func(current *api.Body) error { return g.holds(r, current) }
	}
	done, err := g.once(r, once, o.Changes(asked), func() (result, error) {
		status, document, err := g.deps.Operations.Write(detached(r), o, asked)
		return result{status, document}, err
	})
	switch {
	case err != nil:
		return err
	case done.document == nil:
		w.Header()["Cache-Control"] = noStore
		w.WriteHeader(done.status)
	default:
		g.answer(w, r, done.status, done.document)
	}
	return nil
}

// holds checks the preconditions of a write against what it changes; nil: against the connection's own document.
func (g adServers) holds(r *request, current *api.Body) error {
	if current != nil {
		return checkWrite(r.Header, current, time.Time{})
	}
	src, err := g.managedSource(r)
	if err != nil {
		return err
	}
	return g.precondition(r, connections(g).view()).Check(src)
}
