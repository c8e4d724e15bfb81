package gateway

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"esagate/registry"
	"esagate/snapshot"
	"esagate/status"
)

func (g connections) getStatus(w http.ResponseWriter, r *request, src *registry.Source) error {
	runs, err := statusQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	answer, err := g.deps.Status.Get(r.Context(), src, runs)
	if err != nil {
		return err
	}
	h := w.Header()
	h["Age"] = []string{strconv.Itoa(int(answer.Age / time.Second))}
	h["Cache-Status"] = []string{cacheStatus(answer)}
	return writeBody(w, r, answer.Body, time.Time{})
}

// statusQuery reads the status parameters: how many runs of each stream to list, 0
// when histories are not asked for.
func statusQuery(raw string) (runs int, err error) {
	if raw == "" {
		return 0, nil
	}
	q := parseQuery(raw, "includeSyncHistory", "syncHistoryLimit")
	wanted := q.boolean("includeSyncHistory", false)
	runs = q.integer("syncHistoryLimit", 1, 10, 5)
	if !wanted {
		runs = 0
	}
	return runs, q.err()
}

// cacheStatus says how the answer came about (RFC 9211). A stale copy that is
// served is a hit with a negative ttl; one that a newer document has replaced while
// the reader waited was forwarded as stale. A document made here is a hit.
func cacheStatus(a status.Answer) string {
	switch {
	case a.State == snapshot.Hit, a.Local:
		return "esagate; hit"
	case a.State == snapshot.Stale:
		// -1 as soon as it is no longer fresh
		return "esagate; hit; ttl=" + strconv.Itoa(int(math.Floor(a.Fresh.Seconds())))
	}
	forwarded, outcome := "miss", "stored"
	if a.Replaced {
		forwarded = "stale"
	}
	if a.Collapsed {
		outcome = "collapsed"
	}
	return "esagate; fwd=" + forwarded + "; " + outcome
}
