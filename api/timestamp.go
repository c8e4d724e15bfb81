package api

import (
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

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

// String gives the timestamp as it is written, "" for null.
func (t Timestamp) String() string {
	if t.IsZero() {
		return ""
	}
	return string(t.Append(nil))
}

// MarshalJSONTo implements [json.MarshalerTo].
func (t Timestamp) MarshalJSONTo(enc *jsontext.Encoder) error {
	if t.IsZero() {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteValue(append(t.Append(append(enc.AvailableBuffer(), '"')), '"'))
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (t *Timestamp) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = Timestamp{}
	token, err := dec.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return err
	}
	text := token.String()
	if t.Time, err = time.Parse(time.RFC3339, text); err != nil {
		return errors.New("api: a timestamp is wanted") // the parser's own would quote it
	}
	if _, fraction, ok := strings.Cut(text, "."); ok {
		t.Digits = min(len(fraction)-len("Z"), 9)
	}
	return nil
}

// Append appends the timestamp, which is not null, as it is written.
func (t Timestamp) Append(b []byte) []byte {
	const layout = "2006-01-02T15:04:05.000000000"
	end := len(layout) - 9 + t.Digits
	if t.Digits == 0 {
		end = len("2006-01-02T15:04:05")
	}
	return append(t.Time.UTC().AppendFormat(b, layout[:end]), 'Z')
}
