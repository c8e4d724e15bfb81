package gateway_test

import (
	"bytes"
	"context"
	"html"
	"regexp"
	"strings"
	"testing"
)

var refreshesTo = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]+)">`)

// TestAdminUIFromThePage: the page of a source leads into the sales agent's pages of it, also those who only read.
func TestAdminUIFromThePage(t *testing.T) {
	for key, name := range map[string]string{writeKey: "writer", readKey: "reader"} {
		inWorld(t, setup{}, func(w *world) {
			src, err := w.directory.ManagedSource(context.Background(), customer, source)
			w.must(err)
			w.must(w.lifecycle.Check(context.Background(), src))
			b := w.signedIn(key)
			if page := b.open(pageOf); !bytes.Contains(page.body, []byte(`action="`+pageOf+`/launch" target="_blank" rel="noopener"`)) {
				t.Fatalf("the page does not lead there: %s", page.body)
			}
			page := b.submit(pageOf+"/launch", "")
			to := refreshesTo.FindSubmatch(page.body)
			if page.status != 200 || to == nil {
				t.Fatalf("%d %s", page.status, page.body)
			}
			link, here := strings.CutPrefix(html.UnescapeString(string(to[1])), "https://gateway.example")
			if a := b.open(link); !here || a.status != 303 || a.header.Get("Location") != "/console/"+source+"/tenant/"+tenant+"?embedded=1" {
				t.Errorf("%s: %d %s", link, a.status, a.header.Get("Location"))
			}
			if got := w.lastAudit(); got != name+" launchInventorySourceEsa succeeded 200" {
				t.Error(got)
			}
		})
	}
}

// TestNoAdminUIFromThePage: there is none of a source that the sales agent does not know, and a page that was open says so.
func TestNoAdminUIFromThePage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(writeKey)
		at := strings.Replace(pageOf, source, unplanned, 1)
		if page := b.open(at); page.status != 200 || bytes.Contains(page.body, []byte("/launch")) {
			t.Errorf("%d %s", page.status, page.body)
		}
		if a := b.submit(at+"/launch", ""); a.status != 409 || !bytes.Contains(a.body, []byte("not set up at the sales agent yet")) {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := b.submit(pageOf+"/launch", "", "Sec-Fetch-Site", "cross-site"); a.status != 403 {
			t.Errorf("from another site: %d", a.status)
		}
	})
}
