package status

import (
	"hash/crc32"
	"time"

	"esagate/internal/cluster"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/upstream"
)

// keeping says what the registry is to keep of what was learned of a tenant.
type keeping uint8

const (
	keepInTurn  keeping = iota // once in savePause: no other replica is known to
	keepNow                    // at once: it is the first in savePause over all replicas
	keepChanges                // what is new: the rest was kept with an earlier one
	keepNothing                // another replica does
)

// keeping says what is to be kept of a document that was fetched at a time of the sales agent's. While replicas share
// documents, who fetches knows the one before (decision 53), so that no more than these two have to be compared: of those
// of a minute, by the sales agent's clock, the first is kept. The minutes of tenants begin at different times.
func (s *Service) keeping(tenantID string, at time.Time, signal *registry.InventorySync) (of keeping, heard bool) {
	if s.deps.Redis == nil || !s.deps.Redis.Available() {
		return keepInTurn, false
	}
	before, ok := s.documents.Peek(tenantID)
	if !ok || !at.After(before.Doc.at) {
		return keepInTurn, false
	}
	shift := time.Duration(crc32.ChecksumIEEE([]byte(tenantID))) * time.Microsecond
	if begins := at.Add(shift).Truncate(savePause).Add(-shift); before.Doc.at.Before(begins) {
		return keepNow, false
	}
	last := s.opened.contents(before.Doc, time.Now()).signal
	return keepChanges, last.SameState(signal)
}

// maxAhead is how far a document may be ahead of our clock (contract 4.1).
const maxAhead = 5 * time.Minute

// share has the documents of tenants shared with the other replicas.
func (s *Service) share() {
	if s.deps.Redis == nil {
		return
	}
	s.documents.Share(snapshot.Sharing[*document]{
		Store: s.deps.Redis.Snapshots(), Format: documentFormat,
		At:     func(d *document) int64 { return d.at.UnixMicro() },
		Encode: (*document).encode,
		Decode: func(encoded []byte) (*document, bool) {
			d, ok := decodeDocument(encoded)
			return d, ok && !d.Ahead(time.Now().Add(maxAhead))
		},
		EncodeError: encodeRefusal, DecodeError: decodeRefusal,
		Tell: func(tenantID string, at int64) {
			s.deps.Hints.Send(cluster.Hint{Kind: cluster.HintDocument, Key: tenantID, At: at})
		},
		Looked: func(o snapshot.LookOutcome) { s.ins.SnapshotLook(lookWords[o]) },
		Waited: s.ins.SnapshotWaited,
	})
	s.deps.Hints.On(cluster.HintDocument, func(h cluster.Hint) { s.documents.Hear(h.Key, h.At) })
}

var lookWords = [...]telemetry.LookOutcome{
	snapshot.LookSame: telemetry.LookSame, snapshot.LookNewer: telemetry.LookNewer, snapshot.LookFailed: telemetry.LookFailed,
}

// encodeRefusal gives what other replicas need to know of the error of a fetch: its reason. That this replica's breaker is
// open is no news for them: they may reach the sales agent.
func encodeRefusal(err error) []byte {
	switch reason := fault.As(err).Reason; reason {
	case fault.CircuitOpen:
		return nil
	case "":
		return []byte(fault.UpstreamError)
	default:
		return []byte(reason)
	}
}

// decodeRefusal makes an error of what another replica wrote.
func decodeRefusal(encoded []byte) (error, bool) {
	return upstream.ToldElsewhere(fault.Reason(encoded))
}
