package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"esagate/api"
	"esagate/api/apitest"
	"esagate/internal/events"
)

const eventsOf = "/api/v2/storefront/events"

// follower reads a stream of events as a program does.
type follower struct {
	*world
	net.Conn
	header http.Header

	mu       sync.Mutex
	events   []string // "name source" of each that a test has made
	retry    []time.Duration
	comments int
	lastID   string
	ended    time.Time // zero: not yet
}

// follow opens a stream with a key; what it says is read at once.
func (w *world) follow(l *pipes, key, query string, headers ...string) *follower {
	w.Helper()
	f := w.followAt(l, eventsOf+query, "Authorization: Bearer "+key+"\r\n"+strings.Join(headers, ""))
	apitest.Validate(w.TB, request("GET", eventsOf, key, ""), http.StatusOK, f.header, nil)
	return f
}

// followAt opens a stream at a path, with some lines of headers.
func (w *world) followAt(l *pipes, path, headers string) *follower {
	w.Helper()
	c := w.dial(l)
	c.say("GET %s HTTP/1.1\r\nHost: gateway.example\r\n%s\r\n", path, headers)
	resp, err := http.ReadResponse(c.r, nil)
	w.must(err)
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("the stream %s is answered with %d", path, resp.StatusCode)
	}
	f := &follower{world: w, Conn: c.Conn, header: resp.Header}
	go f.read(bufio.NewScanner(resp.Body))
	synctest.Wait()
	return f
}

func (f *follower) read(lines *bufio.Scanner) {
	var name, data string
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		f.mu.Lock()
		switch field {
		case "id":
			f.lastID = value
		case "event":
			name = value
		case "data":
			data = value
		case "retry":
			d, err := time.ParseDuration(value + "ms")
			if err != nil {
				f.Errorf("retry: %q", value)
			}
			f.retry = append(f.retry, d)
		case ":":
			f.comments++
		case "":
			if data != "" {
				apitest.ValidateEvent(f.TB, name, []byte(data))
				_, source, _ := strings.Cut(data, `"sourceId":"`)
				source, _, _ = strings.Cut(source, `"`)
				if len(source) <= 1 { // else it is one that the sales agent knows, and has news of its own
					f.events = append(f.events, strings.TrimSpace(name+" "+source))
				}
			}
			name, data = "", ""
		default:
			f.Errorf("the line %q", lines.Text())
		}
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = time.Now()
}

// got wants events since it was last asked.
func (f *follower) got(want ...string) {
	f.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.events, want) {
		f.Errorf("got %q, want %q", f.events, want)
	}
	f.events = nil
}

// heard gives the last id, and how many comments there were.
func (f *follower) heard() (lastID string, comments int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lastID, f.comments
}

// over reports whether the stream has ended, and when.
func (f *follower) over() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended, !f.ended.IsZero()
}

// leave closes the connection, and waits until the server has seen it.
func (f *follower) leave() {
	_ = f.Close()
	synctest.Wait()
}

// publish makes a run of a source's inventory sync end.
func (w *world) publish(customer int64, source string) {
	items := int64(7)
	w.events.Publish(events.Event{
		Customer: customer, SourceID: source, Name: api.EventSyncCompleted, Key: api.EventSyncCompleted + " inventory",
		Data: api.Encode(api.SyncEvent{
			SourceID: source, ESAID: "7", CustomerID: customer, Stream: "inventory", ItemCount: &items,
		}),
	})
}

// change makes a source's connection change.
func (w *world) change(customer int64, source string) {
	w.events.Publish(events.Event{
		Customer: customer, SourceID: source, Name: api.EventConnectionChanged, Key: api.EventConnectionChanged,
		Data: api.Encode(api.ConnectionEvent{
			SourceID: source, ESAID: "7", CustomerID: customer, Name: fmt.Sprintf("%s\r\n\ndata: no event", source), ProvisioningStatus: "active",
		}),
	})
}
