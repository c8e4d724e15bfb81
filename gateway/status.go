package gateway

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"esagate/registry"
	"esagate/snapshot"
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
	state := answer.State
	if answer.Local {
		state = snapshot.Hit
	}
	h["Cache-Status"] = []string{cacheStatus(state, answer.Fresh, answer.Replaced, answer.Collapsed)}
	return writeBody(w, r, answer.Body(), time.Time{})
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
func cacheStatus(state snapshot.State, fresh time.Duration, replaced, collapsed bool) string {
	switch state {
	case snapshot.Hit:
		return "esagate; hit"
	case snapshot.Stale:
		// -1 as soon as it is no longer fresh
		return "esagate; hit; ttl=" + strconv.Itoa(int(math.Floor(fresh.Seconds())))
	}
	forwarded, outcome := "miss", "stored"
	if replaced {
		forwarded = "stale"
	}
	if collapsed {
		outcome = "collapsed"
	}
	return "esagate; fwd=" + forwarded + "; " + outcome
}
