package transform

import (
	"encoding/binary"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := len(dst)
	dst = append(dst, s...)
	if !plain(dst[from:]) {
		// The error only says that something became U+FFFD, which is wanted.
		dst, _ = jsontext.AppendQuote(dst[:from-1], s)
		return dst
	}
	return append(dst, '"')
}

// plain reports whether b is ASCII that stands for itself in a JSON string, eight
// bytes at a time: nearly all text is, and all of it is asked.
func plain(b []byte) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	const space, quote, escape = ' ' * low, '"' * low, '\\' * low
	var odd uint64 // a high bit in it marks a byte that does not stand for itself
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		odd |= w | (w - space) | ((w ^ quote) - low) | ((w ^ escape) - low)
	}
	for _, c := range b {
		w := uint64(c)
		odd |= w | (w - ' ') | ((w ^ '"') - 1) | ((w ^ '\\') - 1)
	}
	return odd&high == 0
}

func appendOptional(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, `null`...)
	}
	return appendString(dst, *s)
}

// appendCount appends what leads to a counter, then the counter.
func appendCount(dst []byte, lead string, n int64) []byte {
	return strconv.AppendInt(append(dst, lead...), n, 10)
}

// appendName appends the name of an object's i-th member.
func appendName(dst []byte, i int, name string) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(appendString(dst, name), ':')
}

// appendTime is api.Timestamp.AppendJSON without the cost of a layout: a
// document has some twenty timestamps.
func appendTime(dst []byte, t api.Timestamp) []byte {
	if t.IsZero() {
		return append(dst, `null`...)
	}
	u := t.Time.UTC()
	year, month, day := u.Date()
	hour, minute, second := u.Clock()
	if year < 0 || year > 9999 {
		return t.AppendJSON(dst)
	}
	dst = append(dst, '"', tens(year/100), ones(year/100), tens(year%100), ones(year%100),
		'-', tens(int(month)), ones(int(month)), '-', tens(day), ones(day),
		'T', tens(hour), ones(hour), ':', tens(minute), ones(minute), ':', tens(second), ones(second))
	if t.Digits > 0 {
		var digits [9]byte
		for i, n := len(digits)-1, u.Nanosecond(); i >= 0; i, n = i-1, n/10 {
			digits[i] = ones(n)
		}
		dst = append(append(dst, '.'), digits[:t.Digits]...)
	}
	return append(dst, 'Z', '"')
}

// tens and ones give the last two digits of n.
func tens(n int) byte { return byte('0' + n/10%10) }
func ones(n int) byte { return byte('0' + n%10) }
