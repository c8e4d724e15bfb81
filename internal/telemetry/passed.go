package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Door says by which way a request came that is passed on to another server.
type Door string

// The doors.
const (
	DoorConsole Door = "console" // the sales agent's admin UI
	DoorMCP     Door = "mcp"
	DoorA2A     Door = "a2a"
)

var doors = []Door{DoorConsole, DoorMCP, DoorA2A}

// PassOutcome says what became of a request that was passed on.
type PassOutcome string

// The outcomes of passing on.
const (
	PassDone        PassOutcome = "done"        // the answer came whole, whatever it said
	PassLeft        PassOutcome = "left"        // the client left, or did not take the answer
	PassEnded       PassOutcome = "ended"       // its key is not good any more, or the gateway stopped
	PassTimeout     PassOutcome = "timeout"     // nothing came for too long
	PassTooLarge    PassOutcome = "too_large"   // request or answer
	PassCut         PassOutcome = "cut"         // the answer ended before its end
	PassUnreachable PassOutcome = "unreachable" // there was no answer
	PassRefused     PassOutcome = "refused"     // there was one that is not passed on
)

var passOutcomes = []PassOutcome{PassDone, PassLeft, PassEnded, PassTimeout, PassTooLarge, PassCut, PassUnreachable, PassRefused}

const namePassDuration = "esagate.proxy.duration"

// passed records what was passed on.
func (b *builder) passed() func(door Door, outcome PassOutcome, sent, received int64, took time.Duration) {
	type key struct {
		door    Door
		outcome PassOutcome
	}
	duration := b.histogram(namePassDuration, "Duration of requests that were passed on, streams included.")
	bytes := b.counter("esagate.proxy.bytes", "Bytes of the bodies that were passed on.")
	ended := map[key]*options{}
	sentBy, receivedBy := map[Door]*options{}, map[Door]*options{}
	for _, d := range doors {
		door := attribute.String("door", string(d))
		for _, o := range passOutcomes {
			ended[key{d, o}] = newOptions(attribute.NewSet(door, attribute.String("outcome", string(o))))
		}
		sentBy[d] = newOptions(attribute.NewSet(door, attribute.String("direction", "sent")))
		receivedBy[d] = newOptions(attribute.NewSet(door, attribute.String("direction", "received")))
		for _, of := range []*options{sentBy[d], receivedBy[d]} {
			bytes.Add(detached, 0, of.add...)
		}
	}
	return func(door Door, outcome PassOutcome, sent, received int64, took time.Duration) {
		if o := ended[key{door, outcome}]; o != nil {
			duration.Record(detached, took.Seconds(), o.record...)
			bytes.Add(detached, sent, sentBy[door].add...)
			bytes.Add(detached, received, receivedBy[door].add...)
		}
	}
}
