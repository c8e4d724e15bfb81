package wire_test

import (
	"regexp"
	"testing"
	"time"

	"esagate/upstream/wire"
)

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-09T13:59:58Z":             "2026-03-09T13:59:58Z",
		"2026-03-09t13:59:58z":             "2026-03-09T13:59:58Z",
		"2026-03-09 13:59:58":              "2026-03-09T13:59:58Z",
		"2026-03-09T13:59":                 "2026-03-09T13:59:00Z",
		"2026-03-09T13:59Z":                "2026-03-09T13:59:00Z",
		"2026-03-09T13:59:58.5":            "2026-03-09T13:59:58.5Z",
		"2026-03-09T13:59:58.120000+00:00": "2026-03-09T13:59:58.120000Z",
		"2026-03-09T13:59:58.123456789-05": "2026-03-09T18:59:58.123456789Z",
		"2026-03-09T13:59:58+0530":         "2026-03-09T08:29:58Z",
		"2026-03-01T00:30:00+01:00":        "2026-02-28T23:30:00Z",
		"2024-02-29T12:00:00Z":             "2024-02-29T12:00:00Z",
		"0000-12-31T23:30:00-01:00":        "0001-01-01T00:30:00Z",
		"9999-12-31T23:59:59Z":             "9999-12-31T23:59:59Z",
		"":                                 "",
		"2026-03-09":                       "",
		"2026-02-29T12:00:00Z":             "",
		"2026-13-01T12:00:00Z":             "",
		"2026-00-10T12:00:00Z":             "",
		"2026-03-00T12:00:00Z":             "",
		"2026-03-09T24:00:00Z":             "",
		"2026-03-09T23:60:00Z":             "",
		"2026-03-09T23:59:60Z":             "",
		"2026-03-09  13:59:58":             "",
		"2026-03-09T13:59:58.Z":            "",
		"2026-03-09T13:59:58.1234567890Z":  "",
		"2026-03-09T13:59:58,5Z":           "",
		"2026-03-09T13:59:58 Z":            "",
		"2026-03-09T13:59:58Z ":            "",
		"2026-03-09T13:59:58+":             "",
		"2026-03-09T13:59:58+5":            "",
		"2026-03-09T13:59:58+05:":          "",
		"2026-03-09T13:59:58+05:3":         "",
		"2026-03-09T13:59:58+24:00":        "",
		"2026-03-09T13:59:58+05:60":        "",
		"2026-03-09T13:59:58+05:30:00":     "",
		"+2026-03-09T13:59:58Z":            "",
		"0000-01-01T00:00:00Z":             "",
		"0001-01-01T00:00:00Z":             "", // would read as absent
		"9999-12-31T23:30:00-01:00":        "",
		"2026-03-09T\u0661\u0663:59:58Z":   "",
	} {
		got := ""
		if v, ok := wire.ParseTime(in); ok {
			got = format(v)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// format writes the instant with as many digits as it was read with.
func format(v wire.Time) string {
	layout := "2006-01-02T15:04:05"
	if v.Digits > 0 {
		layout += ".000000000"[:v.Digits+1]
	}
	return v.Time.Format(layout + "Z")
}

// strict is what must be read if package time reads it, which takes more: an hour of one digit, a
// comma before a fraction of any length.
var strict = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$`)

func FuzzTimestamp(f *testing.F) {
	f.Add("2026-03-09T13:59:58.123456+02:00")
	f.Add("2026-03-09 13:59")
	f.Add("0001-01-01T00:00:00-00:01")
	f.Add("2026-03-09T13:59:58.1234567891Z")
	f.Add("2026-03-09T13:59:58,123Z")
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := wire.ParseTime(s)
		if !ok {
			if _, err := time.Parse(time.RFC3339, s); err == nil && strict.MatchString(s) && s[:4] > "0001" {
				t.Fatalf("%q was not read", s)
			}
			return
		}
		again, ok := wire.ParseTime(format(v))
		if !ok || !again.Time.Equal(v.Time) || again.Digits != v.Digits {
			t.Fatalf("%q became %q, which reads as %v", s, format(v), again)
		}
		if std, err := time.Parse(time.RFC3339Nano, s); err == nil && !std.Equal(v.Time) {
			t.Fatalf("%q is %v, not %v", s, std, v.Time)
		}
	})
}
