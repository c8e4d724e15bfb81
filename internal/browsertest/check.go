package browsertest

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// axe gives the script of axe-core; "": there is none here.
var axe = sync.OnceValues(func() (string, error) {
	name := os.Getenv(axeEnv)
	if name == "" {
		return "", nil
	}
	content, err := os.ReadFile(name)
	return string(content), err
})

const noAxe = axeEnv + " names no file: unpack axe.min.js of the npm package axe-core (.ci/run says which version), and name it"

// runAxe looks for what stands against WCAG 2.2 AA, and for what axe-core's authors advise against.
// Its rule for the size of targets is off by default.
const runAxe = `axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v =>
	({rule: v.id, help: v.help, nodes: v.nodes.map(n => n.target.join(" ") + ": " + n.any.concat(n.all, n.none).map(c => c.message).join("; "))})))`

// violation is what axe-core says against a page.
type violation struct {
	Rule  string   `json:"rule"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

// Accessible fails the test for each thing that axe-core finds in the page as it stands. Without axe-core it
// only says so in the test's log.
func (p *Page) Accessible() {
	p.t.Helper()
	for _, v := range p.violations() {
		p.t.Errorf("axe: %s (%s)\n\t%s", v.Help, v.Rule, strings.Join(v.Nodes, "\n\t"))
	}
}

func (p *Page) violations() []violation {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	if script == "" {
		p.t.Log(noAxe)
		return nil
	}
	var found []violation
	p.Eval(script+"\n;0", nil)
	p.Eval(runAxe, &found)
	return found
}

// Fits fails the test if the page can be scrolled sideways.
func (p *Page) Fits() {
	p.t.Helper()
	var over []string
	p.Eval(`(w => document.documentElement.scrollWidth <= w ? [] : [...document.querySelectorAll("body *")].
		filter(e => e.getBoundingClientRect().right > w + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).concat("(the page)"))(innerWidth)`, &over)
	if len(over) > 0 {
		p.t.Errorf("the page is wider than the window, by:\n\t%s", strings.Join(over, "\n\t"))
	}
}

// Screenshot writes a picture of the whole page, as PNG.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	p.shoot(name, true)
}

// ScreenshotOfView writes a picture of what is in the window.
func (p *Page) ScreenshotOfView(name string) {
	p.t.Helper()
	p.shoot(name, false)
}

func (p *Page) shoot(name string, whole bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	params := cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng}
	if whole {
		metrics, err := chromedp.Call(ctx, cdppage.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			p.t.Fatal(err)
		}
		params.CaptureBeyondViewport, params.Clip = &whole, &cdppage.Viewport{Scale: 1,
			Width: metrics.CSSContentSize.Width, Height: metrics.CSSContentSize.Height}
	}
	shot, err := chromedp.Call(ctx, cdppage.CaptureScreenshot, params)
	if err != nil {
		p.t.Fatal(err)
	}
	small, err := smaller(shot.Data)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, small, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// smaller packs a picture as well as PNG can. It is as the browser drew it.
func smaller(picture []byte) ([]byte, error) {
	drawn, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	opaque := image.NewRGBA(drawn.Bounds())
	draw.Draw(opaque, opaque.Bounds(), drawn, drawn.Bounds().Min, draw.Src)
	var packed bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&packed, opaque)
	return packed.Bytes(), err
}
