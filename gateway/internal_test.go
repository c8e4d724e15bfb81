package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"esagate/internal/fault"
)

// What can't be reached through a route of this version is tested from inside.

func TestEveryKindOfFailureHasAnAnswer(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if answerOf[kind].status < 400 || answerOf[kind].code == "" {
			t.Errorf("kind %d has no answer", kind)
		}
	}
	if len(answerOf) != int(fault.Unavailable)+1 {
		t.Errorf("%d answers for %d kinds", len(answerOf), fault.Unavailable+1)
	}
}

func TestRetryAfterIsWholeSecondsWithinAMinute(t *testing.T) {
	for d, want := range map[time.Duration]int{
		0: 1, time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, 59 * time.Second: 59, time.Hour: 60,
	} {
		if got := retryAfter(d); got != want {
			t.Errorf("%s: %d, want %d", d, got, want)
		}
	}
}

// TestOnlyPagesAreBelowOps, where the tests of all pages look for them.
func TestOnlyPagesAreBelowOps(t *testing.T) {
	g := new(Gateway)
	for _, route := range (pages{g}).routes() {
		if !isPage(route.Path) {
			t.Errorf("%s is no page by its path", route.Path)
		}
	}
	for _, route := range slices.Concat(g.routes(), (site{g}).routes(), (admin{g}).routes()) {
		if isPage(route.Path) {
			t.Errorf("%s is in another table than the pages", route.Path)
		}
	}
}

// A scan over what sources have drives the match of no source out of memory.
func TestMatchesOfWhatASourceHasAreNotRemembered(t *testing.T) {
	paths := newTable(Routes())
	ask := func(path string) bool {
		r := httptest.NewRequest("GET", path, nil)
		m, known := paths.match(r)
		if m == nil {
			t.Fatalf("there is nothing at %s", path)
		}
		if !known {
			paths.remember(&request{Request: r, vars: m.vars}, m.route)
		}
		return known
	}
	const status = storefront + "/esa/1000/status"
	ask(status)
	for i := range 2 * maxMatches {
		ask(fmt.Sprintf("%s/esa/1000/products/p_%d", storefront, i))
	}
	if !ask(status) {
		t.Error("a status is matched anew after a scan over products")
	}
	if list := storefront + "/esa/1000/products"; ask(list) || !ask(list) {
		t.Error("a list is not remembered")
	}
}

func FuzzSourceID(f *testing.F) {
	for _, seed := range []string{"", "retail", "a%2Fb", "%2e%2e", ".", "a b", "%ff", "%00", "%C3%BC", "%zz", strings.Repeat("%C3%BC", 256), "\x80", "a%252F"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		id, err := parseSourceID(escaped)
		if err != nil {
			e := fault.As(err)
			if e.Kind != fault.Validation || e.Field != "sourceId" || len(e.Issues) != 1 || id != "" {
				t.Fatalf("error %+v with id %q", e, id)
			}
			return
		}
		if id == "" || !utf8.ValidString(id) || utf8.RuneCountInString(id) > 255 || strings.ContainsAny(id, `/\?#%`) ||
			id == "." || id == ".." || strings.ContainsFunc(id, unicode.IsControl) || strings.TrimSpace(id) != id {
			t.Fatalf("%q passed as an id", id)
		}
		if again, err := parseSourceID(url.PathEscape(id)); err != nil || again != id {
			t.Fatalf("%q does not survive escaping: %q %v", id, again, err)
		}
	})
}

func FuzzESAID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "007", "9223372036854775807", "9223372036854775808", "1e3", "１", "+1", " 1", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseESAID(s)
		if err == nil && (id < 1 || fmt.Sprint(id) != s) {
			t.Fatalf("%q gave %d", s, id)
		}
		if err != nil && !fault.Is(err, fault.Validation) {
			t.Fatal(err)
		}
	})
}

func FuzzStatusQuery(f *testing.F) {
	for _, seed := range []string{"", "includeSyncHistory=true", "syncHistoryLimit=10", "syncHistoryLimit=0", "a=1&a=2", "%zz", "syncHistoryLimit=5&syncHistoryLimit=5", ";", "includeSyncHistory"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := statusQuery(raw)
		values, parseErr := url.ParseQuery(raw)
		if err != nil {
			e := fault.As(err)
			if e.Kind != fault.Validation || len(e.Issues) == 0 {
				t.Fatalf("%+v", e)
			}
			for _, i := range e.Issues { // messages are ours alone
				if !utf8.ValidString(i.Path+i.Message) || len(i.Message) > 100 {
					t.Fatalf("issue %+v", i)
				}
			}
			return
		}
		if parseErr != nil {
			t.Fatalf("%q passed", raw)
		}
		for name, given := range values {
			if len(given) != 1 || name != "includeSyncHistory" && name != "syncHistoryLimit" {
				t.Fatalf("%q passed", raw)
			}
		}
	})
}

// TestBodiesThatWereReadEnd with their last bytes: a call that was judged would close its connection else, whenever the
// agent answers at once.
func TestBodiesThatWereReadEnd(t *testing.T) {
	b := &spent{bytes.NewReader([]byte("{}"))}
	for _, want := range []struct {
		n   int
		err error
	}{{1, nil}, {1, io.EOF}, {0, io.EOF}} {
		if n, err := b.Read(make([]byte, 1)); n != want.n || err != want.err {
			t.Errorf("read %d, %v; want %d, %v", n, err, want.n, want.err)
		}
	}
}
