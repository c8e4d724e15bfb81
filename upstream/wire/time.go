package wire

import (
	"strings"
	"time"
)

// ParseTime reads a timestamp as the sales agent's builds write them: a date, T
// or one space, a time of day with optional seconds and up to nine fraction
// digits, then Z, an offset (+HH:MM, +HHMM, +HH) or nothing, which is UTC. The
// year must be 1 to 9999 in UTC.
func ParseTime(s string) (Time, bool) {
	const minutes = len("2006-01-02T15:04")
	if len(s) < minutes || s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return Time{}, false
	}
	seconds, rest, digits := ":00", s[minutes:], 0
	if strings.HasPrefix(rest, ":") {
		end := min(len(":05"), len(rest))
		if fraction, ok := strings.CutPrefix(rest[end:], "."); ok {
			digits = len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			end += len(".") + digits
		}
		seconds, rest = rest[:end], rest[end:]
	}
	zone, ok := zone(rest)
	if !ok || digits > 9 {
		return Time{}, false
	}
	t, err := time.ParseInLocation(time.RFC3339, s[:10]+"T"+s[11:minutes]+seconds+zone, time.UTC)
	t = t.UTC()
	// The zero time.Time, the first instant of year 1, stands for "absent".
	if err != nil || t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
		return Time{}, false
	}
	return Time{Time: t, Digits: digits}, true
}

// zone writes a zone in the way of RFC 3339.
func zone(s string) (string, bool) {
	switch {
	case s == "", s == "Z", s == "z":
		return "Z", true
	case s[0] != '+' && s[0] != '-':
		return "", false
	case len(s) == len("+05"):
		s += ":00"
	case len(s) == len("+0530"):
		s = s[:3] + ":" + s[3:]
	}
	return s, len(s) == len("+05:30") && s[1:3] <= "23" && s[4:] <= "59" // package time takes +24:60
}
