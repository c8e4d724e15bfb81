package ops

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"esagate/api"
)

// words are the functions of templates that write times, counts and the small charts.
var words = template.FuncMap{
	"ago": Ago, "count": Count[int64], "number": Count[int], "percent": Percent, "bytes": Bytes, "rate": Rate, "took": Took, "short": Short, "plural": Plural,
	"strip": Strip, "runs": Runs,
}

const day = 24 * time.Hour

// Short gives a duration in its largest unit, rounded down: "45 s", "38 min", "2 h", "6 d". One below 0 is 0.
func Short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(d, 0)/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return humanize.Comma(int64(d/day)) + " d"
}

// Long gives a duration in two units, rounded down to minutes from a minute on: "21 h 10 min", "3 d 4 h", "2 min".
func Long(d time.Duration) string {
	for _, unit := range []struct{ of, next time.Duration }{{day, time.Hour}, {time.Hour, time.Minute}} {
		if rest := d % unit.of; d >= unit.of && rest >= unit.next {
			return Short(d) + " " + Short(rest)
		}
	}
	return Short(d)
}

// Ago gives how long before now a time was, as an element that holds the exact time too; "" for null.
func Ago(now time.Time, t api.Timestamp) template.HTML {
	if t.IsZero() {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`,
		t.Time.UTC().Format(time.RFC3339), exact(t.Time), Short(now.Sub(t.Time))))
}

func exact(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// Count gives a number with commas: "1,930".
func Count[N int | int64](n N) string { return humanize.Comma(int64(n)) }

// Plural gives a number with its noun: "1 task", "1,930 sources".
func Plural(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + more
}

// Percent gives a share of 1 with one digit after the point: "0.4 %". A share that is neither none nor all
// is never shown as such.
func Percent(share float64) string {
	switch percent := share * 100; {
	case math.IsNaN(percent):
		return "–"
	case percent <= 0:
		return "0 %"
	case percent < .1:
		return "< 0.1 %"
	case percent >= 100:
		return "100 %"
	case percent > 99.9:
		return "> 99.9 %"
	default:
		return strings.TrimSuffix(strconv.FormatFloat(percent, 'f', 1, 64), ".0") + " %"
	}
}

// Rate gives how often something happens: "94 /s", "0.4 /s".
func Rate(perSecond float64) string {
	switch {
	case perSecond <= 0:
		return "0 /s"
	case perSecond < .1:
		return "< 0.1 /s"
	case perSecond < 10:
		return strings.TrimSuffix(strconv.FormatFloat(perSecond, 'f', 1, 64), ".0") + " /s"
	}
	return Count(int64(math.Round(perSecond))) + " /s"
}

// Took gives how long a call took: "41 ms", "1.2 s".
func Took(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
}

// Bytes gives a size: "12 kB".
func Bytes(n int) string { return humanize.Bytes(uint64(max(n, 0))) }
