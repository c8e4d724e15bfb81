package ops_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esagate/gateway/assets"
	"esagate/internal/browsertest"
)

// screenshots makes pictures of all states, and those of README.md:
//
//	go test ./gateway/ops -run TestGalleryInBrowser -screenshots /tmp/pictures
var screenshots = flag.String("screenshots", "", "folder to write pictures of every state of every page to")

// shown are the pictures of README.md, in docs, by the pictures that they are.
var shown = map[string]string{"wall-many-desktop-light": "wall-light", "wall-many-desktop-dark": "wall-dark"}

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// withAssets serves what pages load, and leaves the rest to another handler, with the headers of pages.
func withAssets(pages http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, assets.Prefix); ok {
			file := assets.Get(name)
			if file == nil {
				http.NotFound(w, r)
				return
			}
			w.Header()["Content-Type"] = file.Type
			_, _ = w.Write(file.Plain)
			return
		}
		w.Header().Set("Content-Security-Policy", assets.Policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		pages(w, r)
	})
}

// onward is the query of the page to which a scene leads by itself.
const onward = "state=down"

// showScene serves one state of a page, with a stream that says nothing.
func showScene(t *testing.T, page []byte) string {
	server := httptest.NewServer(withAssets(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RawQuery == onward: // there is nothing, and the page stays
			w.WriteHeader(http.StatusNoContent)
			return
		case r.URL.Path != "/ops/events":
			_, _ = w.Write(page)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL + "/ops"
}

// settled: the page's files are there, and its stream is open if it has one.
const settled = `document.readyState === "complete" && (document.querySelector("#live")?.dataset.state ?? "live") === "live" &&
	!document.querySelector(".htmx-request, .htmx-swapping")`

// TestGalleryInBrowser looks at every state of every page as people do.
func TestGalleryInBrowser(t *testing.T) {
	dark := func(v browsertest.View) browsertest.View { v.Dark = true; return v }
	for _, s := range gallery() {
		t.Run(s.name, func(t *testing.T) {
			at := showScene(t, s.page)
			p := browsertest.Open(t, browsertest.Desktop)
			p.Goto(at)
			p.WaitFor(settled)
			p.Accessible()
			for _, look := range []struct {
				name string
				view browsertest.View
			}{
				{"desktop-light", browsertest.Desktop}, {"desktop-dark", dark(browsertest.Desktop)},
				{"phone-light", browsertest.Phone}, {"screen-dark", dark(browsertest.Screen)},
				{"narrow-light", browsertest.Narrow}, {"phone-dark", dark(browsertest.Phone)},
			} {
				p.Look(look.view)
				p.Fits()
				if *screenshots == "" {
					continue
				}
				name := s.name + "-" + look.name
				p.Screenshot(filepath.Join(*screenshots, name+".png"))
				if in, ok := shown[name]; ok {
					p.ScreenshotOfView(filepath.Join("..", "..", "docs", in+".png"))
				}
			}
			p.Legible() // on the phone, in the dark
		})
	}
}
