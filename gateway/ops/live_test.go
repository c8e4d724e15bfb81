package ops_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/internal/browsertest"
	"esagate/status"
)

// stage is a gateway whose sources and faults a test chooses.
type stage struct {
	at string

	mu       sync.Mutex
	items    []api.OverviewItem
	fault    int // what everything is answered with; 0: all is well
	refusing int // what streams are answered with; 0: they are open
	news     chan string
	cut      chan struct{} // closed when streams end

	reads, opened int // how often the page was asked for, and a stream
}

// newStage shows a wall with the sources that need a hand, to a page that follows it.
func newStage(t *testing.T, v browsertest.View) (*stage, *browsertest.Page) {
	s := &stage{items: troubled(), news: make(chan string, 100), cut: make(chan struct{})}
	server := httptest.NewServer(withAssets(s.serve))
	s.at = server.URL + "/ops"
	t.Cleanup(func() { s.end(); server.Close() })
	p := browsertest.Open(t, v)
	p.Goto(s.at)
	p.WaitFor(settled)
	p.Eval(`window.mark = "the same document"`, nil)
	t.Cleanup(func() { p.WaitFor(`window.mark === "the same document"`) }) // before the page is closed
	return s, p
}

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault, refusing, cut := s.fault, s.refusing, s.cut
	s.mu.Unlock()
	switch {
	case fault == http.StatusUnauthorized:
		w.Header().Set("Hx-Redirect", "/ops/sign-in?next=%2Fops")
		fallthrough
	case fault != 0:
		w.WriteHeader(fault)
		_, _ = w.Write(ops.Failure(ops.FailureView{Page: ops.Page{Title: "This can't be done"}, Message: "The test says so."}))
	case r.URL.Path == "/ops/events" && refusing != 0:
		s.set(func() { s.opened++ })
		w.WriteHeader(refusing)
	case r.URL.Path == "/ops/events":
		s.stream(w, r, cut)
	default:
		s.mu.Lock()
		s.reads++
		page := wall("", operator, status.OverviewQuery{}, overview(manyCounts, manyLead, slices.Clone(s.items), len(s.items))).page
		s.mu.Unlock()
		_, _ = w.Write(page)
	}
}

func (s *stage) stream(w http.ResponseWriter, r *http.Request, cut <-chan struct{}) {
	s.set(func() { s.opened++ })
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_, _ = fmt.Fprint(w, "retry: 1000\n:\nid: 1\n\n")
	_ = flush()
	for n := 2; ; n++ {
		select {
		case <-r.Context().Done():
			return
		case <-cut:
			return
		case name := <-s.news:
			_, _ = fmt.Fprintf(w, "id: %d\nevent: %s\ndata: {}\n\n", n, name)
			_ = flush()
		}
	}
}

// change changes the sources, and says so.
func (s *stage) change(do func(items []api.OverviewItem) []api.OverviewItem) {
	s.set(func() { s.items = do(slices.Clone(s.items)) })
	s.news <- "status.changed"
}

func (s *stage) set(do func()) { s.mu.Lock(); defer s.mu.Unlock(); do() }

// end ends all streams.
func (s *stage) end() { s.set(func() { close(s.cut); s.cut = make(chan struct{}) }) }

func (s *stage) counts() (reads, opened int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads, s.opened
}

const (
	graniteRow = "#s-4210-granite-video"
	alderRow   = "#s-4391-alder-press"
)

// order is the names of the rows, as the page has them.
const order = `[...document.querySelectorAll(".rows h3")].map(e => e.textContent.trim()).join()`

// toFront puts a source before all others, in a state.
func toFront(id, state string) func([]api.OverviewItem) []api.OverviewItem {
	return func(items []api.OverviewItem) []api.OverviewItem {
		i := slices.IndexFunc(items, func(item api.OverviewItem) bool { return item.SourceID == id })
		item := items[i]
		item.State = state
		return append([]api.OverviewItem{item}, slices.Delete(items, i, i+1)...)
	}
}

func TestAnEventChangesARow(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	p.Eval(fmt.Sprintf(`document.querySelector(%q).mark = "the same row"`, alderRow), nil)
	p.Click("#q")
	p.Press("gran")
	s.change(toFront("alder-press", "down"))
	p.WaitFor(order + `.startsWith("Alder Press,Granite")`)
	p.WaitFor(`document.querySelector("` + alderRow + ` .word").textContent === "Down"`)
	p.WaitFor(`document.querySelector("` + alderRow + `").mark === "the same row"`)
	p.WaitFor(`document.querySelector("` + alderRow + `").dataset.note === "changed"`)
	moves := `getComputedStyle(document.querySelector("` + alderRow + `")).animationName === `
	p.WaitFor(moves + `"note"`)
	still := browsertest.Desktop
	still.Still = true
	p.Look(still)
	p.WaitFor(moves + `"none"`)
	p.WaitFor(`document.querySelector("#said").textContent === "Alder Press is down."`)
	p.WaitFor(`document.querySelectorAll("[data-note]").length === 1`) // of a row that only moved nothing is said
	p.WaitFor(`document.activeElement.id === "q" && document.activeElement.value === "gran"`)
	p.WaitFor(`/^· last change \d+ s ago$/.test(document.querySelector("#live .last").textContent)`)
	p.Accessible()
	p.WaitFor(`!document.querySelector("[data-note]")`)

	s.change(func([]api.OverviewItem) []api.OverviewItem { return troubled()[:1] })
	p.WaitFor(order + ` === "Granite Video"`)
	p.WaitFor(`document.querySelector("#said").textContent === "5 sources changed."`)
}

func TestManyEventsAreOneRead(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	before, _ := s.counts()
	begun := time.Now()
	for range 90 {
		s.news <- "sync.started"
	}
	s.change(toFront("alder-press", "down"))
	p.WaitFor(order + `.startsWith("Alder Press")`)
	reads, _ := s.counts()
	if most := 2 + int(time.Since(begun)/time.Second); reads-before > most {
		t.Errorf("91 events made the page read itself %d times in %v; want at most %d", reads-before, time.Since(begun), most)
	}
}

func TestOrderIsHeldUnderThePointer(t *testing.T) {
	for _, tt := range []struct {
		name          string
		take, release func(*browsertest.Page)
	}{
		{"hovered", func(p *browsertest.Page) { p.Hover(graniteRow) }, func(p *browsertest.Page) { p.MoveTo(600, 5) }},
		{"focused", func(p *browsertest.Page) {
			p.Eval(`document.querySelector("`+graniteRow+` a").focus()`, nil)
			p.Press(kb.Shift)
		},
			func(p *browsertest.Page) { p.Eval(`document.activeElement.blur()`, nil) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, p := newStage(t, browsertest.Desktop)
			var before, held string
			p.Eval(order, &before)
			tt.take(p)
			s.change(func(items []api.OverviewItem) []api.OverviewItem {
				items = toFront("alder-press", "down")(items)
				items = slices.DeleteFunc(items, func(item api.OverviewItem) bool { return item.SourceID == "quarry-fm" })
				return append([]api.OverviewItem{source(4388, "Newcomer", "down", time.Minute)}, items...)
			})
			// What the rows say changes at once, and what is new stands behind them.
			p.WaitFor(`document.querySelector("` + alderRow + ` .word").textContent === "Down"`)
			if p.Eval(order, &held); held != before+",Newcomer" {
				t.Errorf("the order is %s; want %s,Newcomer", held, before)
			}
			p.WaitFor(`document.querySelector("#s-4388-quarry-fm").dataset.note === "no longer in this list"`)
			p.Accessible()
			tt.release(p)
			p.WaitFor(order + `.startsWith("Newcomer,Alder Press,Granite Video,Loft Living")`)
		})
	}
}

func TestKeys(t *testing.T) {
	_, p := newStage(t, browsertest.Desktop)
	focused := func(want string) {
		t.Helper()
		p.WaitFor(fmt.Sprintf(`(document.activeElement.id || document.activeElement.textContent.trim() || "nothing") === %q`, want))
	}
	p.Press("/")
	focused("q")
	p.Press("j/k?")
	p.WaitFor(`document.querySelector("#q").value === "j/k?"`)
	p.Press(kb.Escape)
	p.WaitFor(`document.activeElement === document.body && document.querySelector("#q").value === "j/k?"`)
	p.Press("j")
	focused("Granite Video")
	p.Press("j")
	focused("Quarry FM")
	p.Press(kb.ArrowDown)
	focused("Loft Living")
	p.Press("k")
	p.Press(kb.ArrowUp)
	p.Press(kb.ArrowUp)
	focused("Granite Video")
	p.Press("?")
	p.WaitFor(`document.querySelector("#keys").open`)
	p.Accessible()
	p.Press("/") // not under a dialog
	p.WaitFor(`document.activeElement.textContent === "Close"`)
	p.Click("#single-keys")
	p.Press(kb.Escape)
	p.WaitFor(`!document.querySelector("#keys").open`)
	p.Press("/")
	p.Press("j")
	p.WaitFor(`document.activeElement.id !== "q"`)
	p.Eval(`document.querySelector("`+graniteRow+` a").focus()`, nil)
	p.Press(kb.ArrowDown) // no single key, and only on a row
	focused("Quarry FM")
}

func TestDialogsAndDetailsStayOpen(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	p.Press("?")
	p.WaitFor(`document.querySelector("#keys").open`)
	s.change(toFront("alder-press", "down"))
	p.WaitFor(order + `.startsWith("Alder Press")`)
	p.WaitFor(`document.querySelector("#keys").open`)
}

func TestTimesGoOn(t *testing.T) {
	t.Parallel() // it waits
	s, p := newStage(t, browsertest.Desktop)
	s.change(func(items []api.OverviewItem) []api.OverviewItem {
		items[0].Since = before(50 * time.Second)
		items[4].Syncs[0].Value.LastSuccessAt = before(50 * time.Hour)
		return items
	})
	p.WaitFor(`document.querySelector("#s-4210-summit-sports .what").textContent.includes("2 d ago")`)
	p.WaitFor(`!document.querySelector("[data-note]")`) // which is no change
	p.WaitFor(`document.querySelector("` + graniteRow + ` time").textContent === "1 min"`)
	p.WaitFor(`document.querySelector("#said").textContent === ""`)
}

// TestAPageOfDaysDoesNotGrow reads a page as often as in an hour of changes, and ends its stream now and then.
func TestAPageOfDaysDoesNotGrow(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	again := func() {
		for range 2 {
			for i, state := range []string{"down", "blocked"} {
				s.set(func() { s.items = toFront([]string{"alder-press", "granite-video"}[i], state)(slices.Clone(s.items)) })
				p.Eval(`(async () => { for (let i = 0; i < 50; i++)
					await htmx.ajax("GET", "/ops", {source: "#board", target: "#board", select: "#board", swap: "outerMorph"}) })()`, nil)
			}
			s.end()
			p.WaitFor(settled)
		}
	}
	again()
	nodes, listeners := p.Held()
	again()
	if n, l := p.Held(); n > nodes+nodes/20 || l > listeners {
		t.Errorf("the page held %d nodes and %d listeners, and holds %d and %d", nodes, listeners, n, l)
	}
}
