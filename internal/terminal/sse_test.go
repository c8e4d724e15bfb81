package terminal

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// events reads a stream to its end.
func events(t testing.TB, text string) (all []string, r *eventReader) {
	t.Helper()
	r = newEventReader(strings.NewReader(text))
	for {
		e, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, errLongEvent) {
				t.Fatal(err)
			}
			return all, r
		}
		all = append(all, e.name+"="+string(e.data)+"@"+r.id)
	}
}

func TestEventsOfAStream(t *testing.T) {
	for text, want := range map[string][]string{
		"id: 1\nevent: a\ndata: x\n\n":                       {"a=x@1"},
		"id:1\r\nevent:a\r\ndata:x\r\n\r\ndata:y\r\n\r\n":    {"a=x@1", "=y@1"},
		"id: 1\revent: a\rdata: x\r\r":                       {"a=x@1"},
		"\ufeffdata: x\n\n":                                  {"=x@"},
		"data: x\ndata: y\ndata\n\n":                         {"=x\ny\n@"},
		": a comment\nunknown: field\ndata:  two blanks\n\n": {"= two blanks@"},
		"event: lost\n\ndata: x\n\n":                         {"=x@"},
		"id: 7\n\ndata: x\n\n":                               {"=x@7"}, // an id alone counts
		"id: 1\ndata: x\n\nid: 2\ndata: not ended":           {"=x@1"},
		"id: 1\ndata: x\n\nid\ndata: y\n\n":                  {"=x@1", "=y@"},
		"id: a\x00b\ndata: x\n\n":                            {"=x@"},
		"data: x\n\n\n\n\ndata:\n\n":                         {"=x@", "=@"},
		"":                                                   nil,
		"data: " + strings.Repeat("x", maxEvent) + "\n\n":    nil,
		strings.Repeat("data: "+strings.Repeat("x", 1<<10)+"\n", 1100) + "\n": nil,
	} {
		if got, _ := events(t, text); !slices.Equal(got, want) {
			t.Errorf("%.60q:\n got %.200q\nwant %q", text, got, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"retry: 1500\n\n": 1500 * time.Millisecond, "retry: x\n\n": 0, "retry: -1\n\n": 0, "retry:\n\n": 0, "retry: 99999999999\n\n": 0,
	} {
		if _, r := events(t, text); r.retry != want {
			t.Errorf("%q: %v, want %v", text, r.retry, want)
		}
	}
}

// FuzzEvents: a stream gives the same events whatever ends its lines, and is read to its end.
func FuzzEvents(f *testing.F) {
	f.Add("id: 1\nevent: a\ndata: x\n\n")
	f.Add("\ufeffdata\n\nretry: 10\n:\n\ndata: y")
	f.Add("data: a\r\rid: \x00\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		want, _ := events(t, text)
		for _, end := range []string{"\r\n", "\r"} {
			if got, _ := events(t, strings.ReplaceAll(text, "\n", end)); !slices.Equal(got, want) {
				t.Errorf("with %q: %q, want %q", end, got, want)
			}
		}
	})
}
