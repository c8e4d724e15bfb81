package wire

import "time"

// ParseTime reads a timestamp as the sales agent's builds write them: a date, T
// or one space, a time of day with optional seconds and up to nine fraction
// digits, then Z, an offset (+HH:MM, +HHMM, +HH) or nothing, which is UTC. The
// year must be 1 to 9999 in UTC.
func ParseTime(s string) (Time, bool) { return parseTime(s) }

func parseTime[T string | []byte](s T) (Time, bool) {
	const minutes = len("2006-01-02T15:04")
	if len(s) < minutes || s[4] != '-' || s[7] != '-' || s[13] != ':' ||
		s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return Time{}, false
	}
	year, ok0 := digits(s, 0, 4)
	month, ok1 := digits(s, 5, 7)
	day, ok2 := digits(s, 8, 10)
	hour, ok3 := digits(s, 11, 13)
	minute, ok4 := digits(s, 14, 16)
	if !ok0 || !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 {
		return Time{}, false
	}
	i, second, nanos, fraction := minutes, 0, 0, 0
	if i < len(s) && s[i] == ':' {
		var ok bool
		if second, ok = digits(s, i+1, i+3); !ok || second > 59 {
			return Time{}, false
		}
		i += 3
		if i < len(s) && s[i] == '.' {
			if nanos, fraction = nanoseconds(s, i+1); fraction == 0 {
				return Time{}, false
			}
			i += 1 + fraction
		}
	}
	offset, ok := zone(s, i)
	if !ok {
		return Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day { // 30 February becomes a day of March
		return Time{}, false
	}
	if offset != 0 {
		t = t.Add(-time.Duration(offset) * time.Minute)
	}
	// The zero time.Time, the first instant of year 1, stands for "absent".
	if t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
		return Time{}, false
	}
	return Time{Time: t, Digits: fraction}, true
}

// digits reads s[from:to], which must be decimal digits.
func digits[T string | []byte](s T, from, to int) (n int, ok bool) {
	if to > len(s) {
		return 0, false
	}
	for i := from; i < to; i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

// nanoseconds reads the fraction digits at i; count is 0 unless there are 1 to 9.
func nanoseconds[T string | []byte](s T, i int) (nanos, count int) {
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if count++; count > 9 {
			return 0, 0
		}
		nanos = nanos*10 + int(s[i]-'0')
	}
	for n := count; n < 9; n++ {
		nanos *= 10
	}
	return nanos, count
}

// zone reads the rest of s as a zone, in minutes east of UTC.
func zone[T string | []byte](s T, i int) (minutes int, ok bool) {
	if i == len(s) || i == len(s)-1 && (s[i] == 'Z' || s[i] == 'z') {
		return 0, true
	}
	if s[i] != '+' && s[i] != '-' {
		return 0, false
	}
	hour, ok := digits(s, i+1, i+3)
	minute, at := 0, i+3
	if ok && at < len(s) {
		if s[at] == ':' {
			at++
		}
		minute, ok = digits(s, at, at+2)
		ok = ok && len(s) == at+2
	}
	if !ok || hour > 23 || minute > 59 {
		return 0, false
	}
	if minutes = hour*60 + minute; s[i] == '-' {
		minutes = -minutes
	}
	return minutes, true
}
