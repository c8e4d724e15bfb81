package status

import (
	"math"

	"esagate/internal/telemetry"
	"esagate/snapshot"
)

// anyNumber is no bound.
const anyNumber = math.MaxInt

// shares are the bytes that parts of a Service may take; 0: any.
type shares struct {
	documents int // at rest: some 2 KB each
	open      int // of those that are read, with their answers encoded: some 15 KB each
	places    int // how sources stand: some 1.5 KB each
	histories int // some 15 KB each
	saving    int // documents that wait to be written, beyond those that are in memory anyway
	local     int // of each kind that is made here, or says nothing
}

// sharesOf divides memory. Where all sources that fit are known and few are read, documents and places are full
// together.
func sharesOf(memory int) shares {
	part := memory / 32
	return shares{documents: 12 * part, places: 9 * part, open: 6 * part, histories: 2 * part, saving: 2 * part, local: part / 2}
}

// bounded gives limits by bytes.
func bounded(limits snapshot.Limits, bytes int) snapshot.Limits {
	limits.Entries, limits.Bytes = 0, bytes
	return limits
}

// memory gives what the parts take.
func (s *Service) memory() map[string]telemetry.Memory {
	parts := map[string]telemetry.Memory{}
	for name, u := range map[string]snapshot.Usage{
		"documents": s.documents.Usage(), "open": s.opened.usage(), "standings": s.board.usage(), "histories": s.histories.Usage(),
	} {
		parts[name] = telemetry.Memory{Bytes: u.Bytes, Evictions: u.Evictions}
	}
	return parts
}
