package registry

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of identifiers that a Store keeps.
const (
	// MaxIDLength bounds a sourceId and a tenant id, in code points (contract 6.1;
	// for tenant ids the bound is ours, so that every database can index them).
	MaxIDLength = 255
	// MaxESAID is the largest esaId: what a JSON number holds exactly.
	MaxESAID = 1<<53 - 1
)

// Storable reports whether every Store can keep the text as it is: valid UTF-8
// without U+0000, which PostgreSQL refuses.
func Storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// StorableID reports whether a text can be a sourceId or a tenant id in a Store.
func StorableID(s string) bool {
	return s != "" && Storable(s) && utf8.RuneCountInString(s) <= MaxIDLength
}

// Text returns free text as a Store keeps it: what is not [Storable] becomes U+FFFD.
func Text(s string) string {
	if Storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Instant returns a time as a Store keeps it: in UTC, cut to the microsecond. A
// time that has no four-digit year is none.
func Instant(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// Kept returns the state as a Store keeps it, so that [InventorySync.SameState] can
// compare it with one that was read. Its UpdatedAt is the signal's time; without
// a status it is [SyncUnknown].
func (s InventorySync) Kept() InventorySync {
	s.Status, s.Error = Text(s.Status), Text(s.Error)
	if s.Status == "" {
		s.Status = SyncUnknown
	}
	s.LastRunAt, s.CompletedAt = Instant(s.LastRunAt), Instant(s.CompletedAt)
	s.ObservedAt = Instant(s.ObservedAt)
	s.UpdatedAt = s.ObservedAt
	if s.ItemCount != nil {
		n := *s.ItemCount
		s.ItemCount = &n
	}
	return s
}
