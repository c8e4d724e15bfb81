package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/api"
)

// output is what a watch has written, which tests wait for.
type output struct {
	mu      sync.Mutex
	err     error // of all writes
	text    bytes.Buffer
	written chan struct{}
}

func newOutput() *output { return &output{written: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.text.Write(p)
	select {
	case o.written <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.text.String() }

func (o *output) fail(err error) { o.mu.Lock(); defer o.mu.Unlock(); o.err = err }

// shows waits until a text was written.
func (o *output) shows(t *testing.T, text string) {
	t.Helper()
	give := time.After(30 * time.Second)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.written:
		case <-give:
			t.Fatalf("%q was not written:\n%s", text, o.String())
		}
	}
}

// watching is a watch that runs.
type watching struct {
	out, errs *output
	stop      func()
	ended     chan error
	bad       bool
}

func (g *gateway) watch(w *Watch) *watching {
	ctx, cancel := context.WithCancel(g.t.Context())
	r := &watching{out: newOutput(), errs: newOutput(), stop: cancel, ended: make(chan error, 1)}
	w.Client, w.Out, w.Err = g.client(Options{}), r.out, r.errs
	if w.Screen != nil {
		w.Screen.Out = r.out
	}
	go func() {
		bad, err := w.Run(ctx)
		r.bad = bad
		r.ended <- err
	}()
	g.t.Cleanup(cancel)
	return r
}

// stream gives a stream that writes texts as they come, until the channel is closed.
func stream(texts <-chan string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		for {
			_ = http.NewResponseController(w).Flush()
			select {
			case text, ok := <-texts:
				if !ok {
					return
				}
				_, _ = io.WriteString(w, text)
			case <-r.Context().Done():
				return
			}
		}
	}
}

func send(id int, name string, data any) string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", id, name, api.Encode(data))
}

func changed(id int, item api.OverviewItem) string {
	return send(id, api.EventStatusChanged, item)
}

func TestWatchWritesEachChange(t *testing.T) {
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "live"), source("meadow", "live"), source("pier", "live")}
	first, second := make(chan string), make(chan string)
	g.streams <- stream(first)
	g.streams <- stream(second)
	w := g.watch(&Watch{})
	first <- "retry: 500\n\n"
	w.out.shows(t, "live   pier ")
	blocked := source("harbour", "blocked")
	blocked.Issue, blocked.IssueCount = &api.OverviewIssue{Code: "NO_ACTIVE_PRODUCTS", Message: "There is none.\x1b[2J"}, 1
	first <- changed(1, blocked)
	w.out.shows(t, " harbour live -> blocked: NO_ACTIVE_PRODUCTS There is none.\ufffd[2J\n")
	first <- send(2, api.EventSyncFailed, api.SyncEvent{SourceID: "harbour", CustomerID: 4210, Stream: "inventory", Error: text("timed out")})
	w.out.shows(t, " harbour sync.failed inventory: timed out\n")
	first <- send(3, api.EventConnectionChanged, api.ConnectionEvent{SourceID: "pier", CustomerID: 4210, Deleted: true})
	w.out.shows(t, " pier is gone\n")
	first <- "id: 4\nevent: status.changed\ndata: {\n\n" // is passed over
	g.set(func() { g.items = []api.OverviewItem{blocked, source("meadow", "down"), source("quay", "pending")} })
	close(first)
	w.errs.shows(t, "esagate: not following: the gateway ended the stream (again in ")
	second <- send(9, api.EventResync, struct{}{})
	w.out.shows(t, " meadow live -> down\n")
	w.out.shows(t, " quay is new: pending\n")
	w.errs.shows(t, "esagate: following again\n")
	w.stop()
	if err := <-w.ended; err != nil || !w.bad {
		t.Errorf("%v, bad %t", err, w.bad)
	}
	g.set(func() {
		if !slices.Equal(g.lastIDs, []string{"", "4"}) {
			t.Errorf("streams began behind %q", g.lastIDs)
		}
	})
	if strings.Contains(w.out.String(), "\x1b") {
		t.Errorf("%q", w.out.String())
	}
}

func TestWatchWritesEventsAsJSON(t *testing.T) {
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "live"), source("meadow", "blocked")}
	texts := make(chan string)
	g.streams <- stream(texts)
	w := g.watch(&Watch{JSON: true, States: []string{"blocked"}})
	w.out.shows(t, `"sourceId":"meadow"`)
	texts <- changed(1, source("harbour", "degraded")) // neither was nor is what is wanted
	texts <- changed(2, source("meadow", "live"))
	w.out.shows(t, `{"event":"status.changed","id":"2","data":{"sourceId":"meadow"`)
	w.stop()
	if err := <-w.ended; err != nil || w.bad {
		t.Errorf("%v, bad %t", err, w.bad)
	}
	lines := strings.Split(strings.TrimSuffix(w.out.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `{"event":"overview","data":{"headline":`) || strings.Contains(w.out.String(), "harbour") {
		t.Errorf("%d lines:\n%s", len(lines), w.out.String())
	}
}

func TestWatchOneSource(t *testing.T) {
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "live"), source("meadow", "live")}
	texts := make(chan string)
	g.streams <- stream(texts)
	w := g.watch(&Watch{Source: "1harbour"})
	w.out.shows(t, "harbour  Source harbour\nstate     live\n")
	texts <- changed(1, source("meadow", "down"))
	other := source("harbour", "down")
	other.CustomerID = 7
	texts <- changed(2, other)
	texts <- changed(3, source("harbour", "down"))
	w.out.shows(t, " harbour live -> down\n")
	g.set(func() { g.items = nil })
	texts <- send(4, api.EventConnectionChanged, api.ConnectionEvent{SourceID: "harbour", CustomerID: 4210, Deleted: true})
	if err := <-w.ended; err == nil || err.Error() != "there is no source harbour" {
		t.Errorf("of a source that is gone: %v", err)
	}
	if strings.Contains(w.out.String(), "meadow") || strings.Count(w.out.String(), "->") != 1 {
		t.Errorf("%s", w.out.String())
	}
	if !slices.ContainsFunc(g.asked, func(a string) bool { return strings.HasPrefix(a, root+eventsPath+"?sourceId=harbour ") }) {
		t.Errorf("asked %q", g.asked)
	}
}

// TestWatchDrawsOver: a screen is drawn over and given back, with the last state left on it.
func TestWatchDrawsOver(t *testing.T) {
	g := newGateway(t)
	for i := range 30 {
		g.items = append(g.items, source(fmt.Sprintf("s%02d", i), "live"))
	}
	texts := make(chan string)
	g.streams <- stream(texts)
	w := g.watch(&Watch{Screen: &Screen{Size: func() (int, int) { return 50, 12 }}})
	w.out.shows(t, enterScreen)
	w.out.shows(t, "following; Ctrl-C ends")
	if strings.Contains(w.out.String(), "s25") || !strings.Contains(w.out.String(), "and 24 more") {
		t.Errorf("it does not fit:\n%s", w.out.String())
	}
	texts <- changed(1, source("s25", "blocked"))
	w.out.shows(t, "blocked  s25")
	w.stop()
	if err := <-w.ended; err != nil || !w.bad {
		t.Errorf("%v, bad %t", err, w.bad)
	}
	_, left, ok := strings.Cut(w.out.String(), leaveScreen)
	if !ok || !strings.Contains(left, "s29") || strings.Contains(left, "\x1b") {
		t.Errorf("what is left: %q", left)
	}
	for _, frame := range strings.Split(w.out.String(), home)[1:] {
		if frame, _, ok = strings.Cut(frame, endOfScreen); !ok || strings.Count(frame, endOfLine) != 11 && !strings.Contains(frame, "more") {
			t.Errorf("a frame of %d lines: %q", strings.Count(frame, endOfLine)+1, frame)
		}
	}
}

func TestWatchThatCanNotGoOn(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"this gateway has no live events":      func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "NOT_FOUND", "x") },
		"the gateway does not know this key":   func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "UNAUTHORIZED", "x") },
		"what answers there is no esagate (20": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
	} {
		g := newGateway(t)
		g.streams <- answer
		w := g.watch(&Watch{})
		if err := <-w.ended; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// Nor does it where its output is lost, as on a full disk.
	full := newGateway(t)
	texts := make(chan string, 1)
	full.streams <- stream(texts)
	lost := full.watch(&Watch{})
	lost.out.fail(io.ErrShortWrite)
	texts <- changed(1, source("harbour", "live"))
	if err := <-lost.ended; !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("without an output: %v", err)
	}
	// Without a stream there is the wall as it stands, and another try.
	g := newGateway(t)
	g.items = []api.OverviewItem{source("harbour", "live")}
	g.streams <- func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		refuse(w, 503, "UNAVAILABLE", "There are too many streams.")
	}
	w := g.watch(&Watch{})
	w.out.shows(t, "live   harbour")
	w.errs.shows(t, "not following: the gateway can't answer now: There are too many streams. Ask again in 1m0s. (again in 1m0s)")
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

func TestWaitsBetweenTries(t *testing.T) {
	f := follower{}
	if got := f.wait(0); got != firstRetry {
		t.Errorf("after a stream: %v", got)
	}
	f.retry = 9 * time.Second
	if got := f.wait(0); got != f.retry {
		t.Errorf("the gateway asked for %v, and got %v", f.retry, got)
	}
	for failures, most := range map[int]time.Duration{1: 18 * time.Second, 2: 36 * time.Second, 3: mostRetry, 50: mostRetry} {
		seen := map[time.Duration]bool{}
		for range 50 {
			got := f.wait(failures)
			seen[got] = true
			if got < most/2 || got > most {
				t.Errorf("after %d failures: %v, want about %v", failures, got, most)
			}
		}
		if len(seen) < 10 {
			t.Errorf("after %d failures all come back at %v", failures, seen)
		}
	}
	f.retry = time.Millisecond
	if got := f.wait(0); got != leastRetry {
		t.Errorf("the least: %v", got)
	}
}

// TestSyncsOfEvents: what an event says of a sync stands in a row in the words of the overview, which
// are those of a status and not of a history.
func TestSyncsOfEvents(t *testing.T) {
	begun, ended, items := api.TimestampOf(noon), api.TimestampOf(noon.Add(time.Minute)), int64(7)
	for name, want := range map[string]api.OverviewSync{
		api.EventSyncStarted:   {Status: "running", LastRunAt: begun},
		api.EventSyncCompleted: {Status: "success", LastRunAt: ended, LastSuccessAt: ended, ItemCount: &items},
		api.EventSyncFailed:    {Status: "failed", LastRunAt: ended},
	} {
		e := api.SyncEvent{Stream: "inventory", At: ended}
		switch name {
		case api.EventSyncStarted:
			e.At = begun
		case api.EventSyncCompleted:
			e.ItemCount = &items
		}
		var row Row
		takeSync(&row, name, &e)
		if got := row.Syncs[0].Value; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestStatesAreTheGateways holds the order of states against the counts of the API.
func TestStatesAreTheGateways(t *testing.T) {
	names := regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(api.Encode(api.StateCounts{})), -1)
	if len(names) != len(States) {
		t.Fatalf("%q", names)
	}
	for i, n := range names {
		if n[1] != States[i] || colours[n[1]] == "" {
			t.Errorf("state %d is %s, here %s", i, n[1], States[i])
		}
	}
}
