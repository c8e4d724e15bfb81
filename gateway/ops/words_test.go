package ops_test

import (
	"math"
	"testing"
	"time"

	"esagate/api"
	"esagate/gateway/ops"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) api.Timestamp { return api.TimestampOf(noon.Add(-d)) }

func TestDurationsInWords(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration][2]string{
		-time.Hour:                    {"0 s", "0 s"},
		999 * time.Millisecond:        {"0 s", "0 s"},
		45 * time.Second:              {"45 s", "45 s"},
		119 * time.Second:             {"1 min", "1 min"},
		59*time.Minute + 59*1e9:       {"59 min", "59 min"},
		time.Hour:                     {"1 h", "1 h"},
		21*time.Hour + 10*time.Minute: {"21 h", "21 h 10 min"},
		day:                           {"1 d", "1 d"},
		day + 30*time.Minute:          {"1 d", "1 d 30 min"},
		6*day + 23*time.Hour + 59*1e9: {"6 d", "6 d 23 h"},
		2000*day + 5*time.Hour:        {"2,000 d", "2,000 d 5 h"},
		math.MaxInt64:                 {"106,751 d", "106,751 d 23 h"},
	} {
		if got := [2]string{ops.Short(d), ops.Long(d)}; got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestTimesHoldTheExactOne(t *testing.T) {
	got := ops.Ago(noon, api.TimestampOf(time.Date(2026, 11, 30, 12, 22, 0, 5e8, time.FixedZone("", 3600))))
	want := `<time datetime="2026-11-30T11:22:00Z" title="30 Nov 2026, 11:22:00 UTC">37 min</time>`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := ops.Ago(noon, api.Timestamp{}); got != "" {
		t.Errorf("no time is %q", got)
	}
}

func TestNumbersInWords(t *testing.T) {
	for got, want := range map[string]string{
		ops.Count(0): "0", ops.Count(999): "999", ops.Count(1930): "1,930", ops.Count(int64(-1234567)): "-1,234,567",
		ops.Plural(1, "task", "tasks"): "1 task", ops.Plural(0, "task", "tasks"): "0 tasks",
		ops.Plural(2000, "source", "sources"): "2,000 sources",
		ops.Percent(0):                        "0 %", ops.Percent(-1): "0 %", ops.Percent(.0001): "< 0.1 %", ops.Percent(.004): "0.4 %",
		ops.Percent(.5): "50 %", ops.Percent(.999): "99.9 %", ops.Percent(.9999): "> 99.9 %", ops.Percent(1): "100 %",
		ops.Percent(2): "100 %", ops.Percent(math.NaN()): "–",
		ops.Rate(0): "0 /s", ops.Rate(.04): "< 0.1 /s", ops.Rate(.4): "0.4 /s", ops.Rate(2): "2 /s", ops.Rate(94.4): "94 /s", ops.Rate(1930): "1,930 /s",
		ops.Took(41900 * time.Microsecond): "41 ms", ops.Took(1234 * time.Millisecond): "1.2 s", ops.Took(2 * time.Second): "2 s",
		ops.Bytes(0): "0 B", ops.Bytes(-1): "0 B", ops.Bytes(12345): "12 kB",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
