package api

import "time"

// Timestamp is an instant that is written as RFC 3339 in UTC, ending in Z, with
// the number of fraction digits it was read with. The zero Timestamp is null.
type Timestamp struct {
	Time   time.Time
	Digits int // 0 to 9
}

// TimestampOf gives an instant of our own clock: as many digits as it needs.
func TimestampOf(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	digits := 9
	for ns := t.Nanosecond(); digits > 0 && ns%10 == 0; ns /= 10 {
		digits--
	}
	return Timestamp{Time: t.UTC(), Digits: digits}
}

// IsZero reports whether the timestamp is null.
func (t Timestamp) IsZero() bool { return t.Time.IsZero() }

// AppendJSON appends the quoted timestamp, or null.
func (t Timestamp) AppendJSON(dst []byte) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	const layout = "2006-01-02T15:04:05.000000000"
	dst = append(dst, '"')
	dst = t.Time.UTC().AppendFormat(dst, layout)
	cut := 9 - t.Digits
	if t.Digits == 0 {
		cut = 10 // the point goes too
	}
	dst = dst[:len(dst)-cut]
	return append(dst, 'Z', '"')
}

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }
