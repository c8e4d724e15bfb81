package docs_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"esagate/api"
	"esagate/gateway/assets"
	"esagate/internal/browsertest"
)

// screenshots makes pictures: go test ./gateway/docs -run TestInTheBrowser -screenshots /tmp/pictures
var screenshots = flag.String("screenshots", "", "folder to write pictures of the page to")

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// serve gives the address of a page, under the policy that the gateway sends with it.
func serve(t *testing.T, page []byte) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", assets.Policy)
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET "+assets.Prefix+"{file}", func(w http.ResponseWriter, r *http.Request) {
		file := assets.Get(r.PathValue("file"))
		w.Header()["Content-Type"] = file.Type
		_, _ = w.Write(file.Plain)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/docs"
}

// TestInTheBrowser shows the page in all sizes, light and dark. What the browser complains of fails the test, and so
// does what axe-core finds, which is asked once for each layout and each set of colours: the page is long.
func TestInTheBrowser(t *testing.T) {
	address := serve(t, render(t, api.Spec(false).JSON.Plain))
	p := browsertest.Open(t, browsertest.Desktop)
	for _, look := range []struct {
		name    string
		view    browsertest.View
		dark    bool
		judged  bool
		anchors []string // for pictures
	}{
		{"desktop", browsertest.Desktop, false, true, []string{"main", "connectEsa", "schema-Status", "getEsaProduct", "operations"}},
		{"phone", browsertest.Phone, true, true, []string{"main", "contents", "connectEsa"}},
		{"screen", browsertest.Screen, true, false, []string{"getOverview", "answers"}},
		{"narrow", browsertest.Narrow, false, false, nil},
	} {
		look.view.Dark = look.dark
		p.Look(look.view)
		p.Goto(address)
		p.Fits()
		if look.judged {
			p.Accessible()
		}
		for _, anchor := range look.anchors {
			if *screenshots != "" {
				p.Goto(address + "?" + anchor + "#" + anchor)
				p.ScreenshotOfView(filepath.Join(*screenshots, "docs-"+look.name+"-"+anchor+".png"))
			}
		}
	}
}

// TestContentsOnAPhone opens the contents by their link and leaves them by one of theirs, without a script.
func TestContentsOnAPhone(t *testing.T) {
	view := browsertest.Phone
	view.NoScript = true
	p := browsertest.Open(t, view)
	p.Goto(serve(t, render(t, api.Spec(false).JSON.Plain)))
	shown := func(want bool) {
		t.Helper()
		var got bool
		if p.Eval(`getComputedStyle(document.getElementById("contents")).display != "none"`, &got); got != want {
			t.Errorf("the contents are shown: %v, want %v", got, want)
		}
	}
	shown(false)
	p.Click(".to-contents")
	shown(true)
	p.Click("#contents a[href='#connectEsa']")
	shown(false)
	var top float64
	if p.Eval(`document.getElementById("connectEsa").getBoundingClientRect().top`, &top); top < 0 || top > 200 {
		t.Errorf("the operation stands at %v", top)
	}
}
