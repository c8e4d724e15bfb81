package gateway_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// wallView is what tests look at on the wall.
type wallView struct {
	lead     string
	rows     []string          // names of sources, in their order
	counts   map[string]string // by their words
	chosen   []string          // words
	tiles    map[string]string // where the counts lead, by their words
	links    map[string]string // by their texts
	selected map[string]string // of the filters, by their names
	text     string            // all of it
}

func (b *browser) wall(path string) *wallView {
	b.Helper()
	return wallOf(b, b.open(path))
}

// wallOf reads a page of the wall.
func wallOf(b *browser, a answer) *wallView {
	b.Helper()
	if a.status != 200 {
		b.Fatalf("%d: %s", a.status, a.body)
	}
	root, err := html.Parse(bytes.NewReader(a.body))
	b.must(err)
	v := &wallView{counts: map[string]string{}, tiles: map[string]string{}, links: map[string]string{}, selected: map[string]string{}, text: shown(root)}
	for n := range root.Descendants() {
		switch {
		case n.Data == "h1":
			v.lead = shown(n)
		case n.Data == "h3" && n.FirstChild.Data == "a":
			v.rows = append(v.rows, shown(n))
		case n.Data == "a" && strings.HasPrefix(of(n.Parent, "class"), "tile "):
			said := strings.SplitN(shown(n), " ", 3) // count, sign and word
			v.counts[said[2]], v.tiles[said[2]] = said[0], of(n, "href")
			if of(n, "aria-current") == "true" {
				v.chosen = append(v.chosen, said[2])
			}
		case n.Data == "a":
			v.links[shown(n)] = of(n, "href")
		case n.Data == "option" && has(n, "selected"):
			v.selected[of(n.Parent, "name")] = shown(n)
		}
	}
	return v
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func of(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// shown gives the text of an element.
func shown(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestTheWallShowsWhatNeedsAHand: the worst first; what works, waits or was switched off is folded, and each count leads
// to what it counts.
func TestTheWallShowsWhatNeedsAHand(t *testing.T) {
	inEveryState(t, setup{}, func(w *world) {
		_, states := everyState()
		b := w.signedIn(readKey)
		v := b.wall("/ops")
		if got := strings.Join(v.rows, " "); got != "Gone Lost Blocked Degraded" && got != "Lost Gone Blocked Degraded" {
			w.Errorf("rows: %s", got)
		}
		if v.lead != "3 of 7 sources can't sell. The sales agent is well." {
			w.Errorf("%s", v.lead)
		}
		for state, word := range map[string]string{"down": "Down", "blocked": "Blocked", "degraded": "Degraded", "pending": "Pending",
			"live": "Live", "unknown": "Not known", "deactivated": "Deactivated"} {
			n := 0
			for _, s := range states {
				if s == state {
					n++
				}
			}
			if v.counts[word] != fmt.Sprint(n) {
				w.Errorf("%s: %q, want %d", word, v.counts[word], n)
			}
			one := b.wall(v.tiles[word])
			if len(one.rows) != n || strings.Join(one.chosen, " ") != word || one.tiles[word] != "/ops" {
				w.Errorf("%s at %s: %q, %q chosen, which leads to %s", word, v.tiles[word], one.rows, one.chosen, one.tiles[word])
			}
			if n == 0 && one.links["Clear the filters"] != "/ops" {
				w.Errorf("nothing leads back: %v", one.links)
			}
		}
		for text, want := range map[string]string{"Show 1 live source": "/ops?state=live", "Show 1 pending source": "/ops?state=pending",
			"Show 1 deactivated source": "/ops?state=deactivated"} {
			if v.links[text] != want {
				w.Errorf("%s: %q", text, v.links[text])
			}
		}
		if !regexp.MustCompile(`Show 1 live source oldest answer \d+ s · 1 new in the last hour`).MatchString(v.text) {
			w.Errorf("what is folded: %s", v.text)
		}
		two := b.wall(b.wall(v.tiles["Down"]).tiles["Blocked"])
		if len(two.rows) != 3 || len(two.chosen) != 2 || two.tiles["Down"] != "/ops?state=blocked" {
			w.Errorf("%+v", two)
		}
	})
}

// TestTheWallIsFilteredAsAnOverview: what is asked of it is asked in the same words, and gives the same rows in the same
// order.
func TestTheWallIsFilteredAsAnOverview(t *testing.T) {
	theirs := registry.ConfigSource{CustomerID: stranger, SourceID: "their-daily", Name: "Theirs", TenantID: "tnt_theirs"}
	inEveryState(t, setup{sources: []registry.ConfigSource{theirs}}, func(w *world) {
		w.signedIn(wallKey).wall("/ops") // which has all read
		w.pass(10 * time.Second)
		for _, key := range []string{readKey, wallKey} {
			b := w.signedIn(key)
			for _, query := range []string{"?state=down&state=live", "?state=down,live", "?q=LOST", "?q=their", "?adServer=google_ad_manager", "?issue=SETUP_BLOCKED",
				"?sort=name", "?sort=-since", "?sort=age&state=down", "?q=no-such"} {
				want := decode[overviewView](w, w.send(request("GET", overviewPath+query, key, "")), 200)
				v := b.wall("/ops" + query)
				var names []string
				for _, item := range want.Items {
					names = append(names, item.Name)
				}
				if strings.Join(v.rows, ",") != strings.Join(names, ",") {
					w.Errorf("%s%s:\n got %s\nwant %s", key, query, v.rows, names)
				}
				// A form sends what nobody has filled in too.
				if again := b.wall("/ops" + query + "&customer=&page="); strings.Join(again.rows, ",") != strings.Join(names, ",") {
					w.Errorf("%s: %s", query, again.rows)
				}
			}
		}
		desk, own := w.signedIn(wallKey), w.signedIn(readKey)
		if v := desk.wall("/ops?customer=4712&sort=name"); strings.Join(v.rows, " ") != "Theirs" || v.selected["customer"] != "Customer 4712 (1)" || v.links["Clear the filters"] != "/ops?customer=4712" {
			w.Errorf("%+v", v)
		}
		if v := desk.wall("/ops?customer=99"); !strings.Contains(v.text, "This customer has no managed sources") || v.links["Sources of all customers"] != "/ops" {
			w.Errorf("%s", v.text)
		}
		if v := own.wall("/ops?customer=4711&q=e"); len(v.rows) == 0 || v.selected["customer"] != "" || strings.Contains(v.text, "Theirs") {
			w.Errorf("%s", v.text)
		}
		if a := own.open("/ops?customer=4712"); a.status != 404 {
			w.Errorf("another customer's wall: %d", a.status)
		}
		for query, want := range map[string]string{
			"?state=fine": "state must be of these", "?sort=best": "sort must be", "?page=0": "page must be a whole number", "?page=-1": "page must be",
			"?q=a&q=b": "q is given more than once", "?take=5": "does not know", "?state=%zz": "not properly encoded", "?q=" + strings.Repeat("x", 101): "1 to 100 characters",
		} {
			if a := own.open("/ops" + query); a.status != 400 || !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), `<a href="/ops">`) {
				w.Errorf("%s: %d: %s", query, a.status, a.body)
			}
		}
	})
}

// TestTheWallHasPages, which keep what was asked for.
func TestTheWallHasPages(t *testing.T) {
	s, _ := many(99)
	for i := range 120 {
		id := fmt.Sprintf("more-%03d", i)
		s.sources = append(s.sources, registry.ConfigSource{CustomerID: customer, SourceID: id, Name: id})
	}
	inWorld(t, s, func(w *world) {
		b := w.signedIn(readKey)
		seen := map[string]bool{}
		at, pages := "/ops?sort=name", 0
		for ; at != ""; pages++ {
			v := b.wall(at)
			for _, name := range v.rows {
				seen[name] = true
			}
			if want := fmt.Sprintf("%d–%d of 221", 100*pages+1, 100*pages+len(v.rows)); !strings.Contains(v.text, want) {
				w.Errorf("%s is not said of %s", want, at)
			}
			if (v.links["First"] == "") != (pages == 0) || (v.links["Last"] == "") != (v.links["Next"] == "") {
				w.Errorf("%s: %v", at, v.links)
			}
			at = v.links["Next"]
		}
		if len(seen) != 221 || pages != 3 {
			w.Errorf("%d sources on %d pages", len(seen), pages)
		}
		if v := b.wall("/ops?sort=name&page=9"); len(v.rows) != 21 || v.links["Previous"] != "/ops?page=2&sort=name" || v.links["First"] != "/ops?sort=name" {
			w.Errorf("past the end: %q, %v", v.rows, v.links)
		}
		if v := b.wall("/ops?state=pending&page=2"); len(v.rows) != 21 || v.links["Previous"] != "/ops?state=pending" {
			w.Errorf("%d rows, %v", len(v.rows), v.links)
		}
	})
}

// TestTheWallOfUnreadSources says that they are being read, and has a browser without scripts look again.
func TestTheWallOfUnreadSources(t *testing.T) {
	s, _ := many(3)
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		w.agent.Fault("", upstreamtest.Fault{Delay: time.Second})
		b := w.signedIn(readKey)
		const again = `<noscript><meta http-equiv="refresh"`
		a := b.open("/ops")
		if v := wallOf(b, a); !strings.Contains(v.text, "4 sources are being read for the first time") || !strings.Contains(string(a.body), again) ||
			v.lead != "The sales agent has not answered since the gateway was started." || strings.Contains(v.text, " Nothing needs a hand") {
			w.Errorf("%s", v.text)
		}
		w.pass(10 * time.Second)
		a = b.open("/ops")
		if v := wallOf(b, a); len(v.rows) != 3 || strings.Contains(v.text, "for the first time") || strings.Contains(string(a.body), again) {
			w.Errorf("%s", v.text)
		}
	})
}

// TestTheWallInOutages: while the sales agent is away it says so first, and how old its rows are; without the
// database it goes on without the last 24 hours.
func TestTheWallInOutages(t *testing.T) {
	inEveryState(t, setup{}, func(w *world) {
		b := w.signedIn(wallKey)
		w.agent.SetDown(true)
		for range 100 {
			w.pass(time.Second)
			w.unchecked(statusOf)
		}
		v := b.wall("/ops")
		if !strings.HasPrefix(v.lead, "The sales agent ") || !strings.Contains(v.text, "As last known, 3 of 7 sources can't sell.") || !strings.Contains(v.text, "answer 1 min old") {
			w.Errorf("%s", v.text)
		}
	})
	inEveryState(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		w.overview("")
		w.must(w.store.Close())
		v := b.wall("/ops")
		if len(v.rows) != 4 || !strings.Contains(v.text, "the last 24 hours are not shown") {
			w.Errorf("%s", v.text)
		}
	})
}

// TestTheWallIsCompressed for browsers that take that.
func TestTheWallIsCompressed(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		a := b.open("/ops", "Accept-Encoding", "gzip, br")
		if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Cache-Control") != "no-store" {
			w.Fatalf("%v", a.header)
		}
		z, err := gzip.NewReader(bytes.NewReader(a.body))
		w.must(err)
		page, err := io.ReadAll(z)
		w.must(err)
		if !bytes.Contains(page, []byte(`<div id="board"`)) {
			w.Errorf("%s", page)
		}
	})
}
