package gateway

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/auth"
	"esagate/internal/background"
	"esagate/internal/events"
	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/internal/telemetry"
)

const (
	streamsOfKey     = 20
	maxStreamSources = 50
	streamRetryAfter = 5 * time.Second // for a stream that was refused
)

var (
	eventStream = []string{"text/event-stream"}
	unbuffered  = []string{"no"}
)

// eventNames are those that a reader can choose from. A resync comes whatever it chooses.
var eventNames = []string{
	api.EventStatusChanged, api.EventSyncStarted, api.EventSyncCompleted, api.EventSyncFailed, api.EventConnectionChanged,
}

// streams bounds the streams of events that are open: each holds a connection.
type streams struct {
	ofKey      *background.Shares[auth.Caller]
	ofCustomer *background.Shares[int64]
}

// newStreams leaves half of the connections to requests, and half of the streams to other customers.
func newStreams(connections int) streams {
	most := max(1, cmp.Or(connections, maxConnections)/2)
	return streams{
		ofKey:      background.NewShares[auth.Caller](streamsOfKey, math.MaxInt),
		ofCustomer: background.NewShares[int64](max(1, most/2), most),
	}
}

// followers are those who read streams of events.
type followers struct{ *Gateway }

// openStream takes a place for a stream of a key, and gives the function that gives it back.
func (g followers) openStream(key auth.Caller) (end func(), err error) {
	s := g.streams
	if !s.ofKey.Take(key) {
		return nil, g.limits.refuse(telemetry.LimitedStreams, streamRetryAfter)
	}
	if !s.ofCustomer.Take(key.CustomerID) {
		s.ofKey.Give(key)
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "There are too many streams.", RetryAfter: streamRetryAfter}
	}
	return func() {
		s.ofCustomer.Give(key.CustomerID)
		s.ofKey.Give(key)
	}, nil
}

// followEvents answers with the events of the caller's sources for as long as it reads them
// (contract 10.20).
func (g followers) followEvents(w http.ResponseWriter, r *request) error {
	subscription, err := readSubscription(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		beginStream(w)
		return nil
	}
	end, err := g.openStream(*r.key)
	if err != nil {
		return err
	}
	defer end()
	reader := g.deps.Events.Subscribe(subscription)
	defer reader.Close()
	beginStream(w)
	g.stream(w, r, reader)
	return nil
}

func beginStream(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = eventStream, noStore, unbuffered
	w.WriteHeader(http.StatusOK)
}

// readSubscription reads what a caller wants to follow.
func readSubscription(r *request) (events.Subscription, error) {
	s := events.Subscription{Customer: r.caller.CustomerID, After: r.Header.Get("Last-Event-ID")}
	if r.ContentLength != 0 && !r.bodyRead { // while it is on its way, nobody sees the client leave
		return s, fault.New(fault.BadRequest, "This request takes no content.")
	}
	known := []string{"types"}
	if r.page {
		known = append(known, "customer") // whom the stream is for: see pages.actingFor
	}
	q := parseQueryLists(r.URL.RawQuery, []string{"sourceId"}, known...)
	s.Sources = slices.Compact(slices.Sorted(slices.Values(q.values["sourceId"])))
	if len(s.Sources) > maxStreamSources {
		q.fail("query.sourceId", "sourceId is given more than 50 times.")
	}
	for _, id := range s.Sources {
		if message := sources.CheckSourceID(id); message != "" {
			q.fail("query.sourceId", message)
		}
	}
	if given, ok := q.values["types"]; ok {
		s.Names = slices.Compact(slices.Sorted(strings.SplitSeq(given[0], ",")))
		for _, name := range s.Names {
			if !slices.Contains(eventNames, name) {
				q.fail("query.types", "types must be names of events with commas between them: "+strings.Join(eventNames, ", ")+".")
			}
		}
	}
	return s, q.err()
}
