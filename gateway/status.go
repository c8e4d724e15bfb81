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
	h["Age"] = ageHeader(answer.Age)
	h["Cache-Status"] = cacheStatus(answer)
	writeBody(w, r, answer.Body)
	return nil
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

// ages holds ready Age values for the first 15 minutes.
var ages = func() [901][]string {
	var values [901][]string
	for s := range values {
		values[s] = []string{strconv.Itoa(s)}
	}
	return values
}()

func ageHeader(age time.Duration) []string {
	if s := int(age / time.Second); s < len(ages) {
		return ages[s]
	}
	return []string{strconv.Itoa(int(age / time.Second))}
}

var (
	cacheHit            = []string{"esagate; hit"}
	cacheMiss           = []string{"esagate; fwd=miss; stored"}
	cacheMissCollapsed  = []string{"esagate; fwd=miss; collapsed"}
	cacheStale          = []string{"esagate; fwd=stale; stored"}
	cacheStaleCollapsed = []string{"esagate; fwd=stale; collapsed"}
)

// cacheStatus says how the answer came about (RFC 9211). A stale copy that is
// served is a hit with a negative ttl; one that a newer document has replaced while
// the reader waited was forwarded as stale. A document made here is a hit.
func cacheStatus(a status.Answer) []string {
	switch {
	case a.State == snapshot.Hit, a.Local:
		return cacheHit
	case a.State == snapshot.Stale:
		ttl := int(math.Floor(a.Fresh.Seconds())) // -1 as soon as it is no longer fresh
		return []string{"esagate; hit; ttl=" + strconv.Itoa(ttl)}
	case a.Replaced && a.Collapsed:
		return cacheStaleCollapsed
	case a.Replaced:
		return cacheStale
	case a.Collapsed:
		return cacheMissCollapsed
	}
	return cacheMiss
}
