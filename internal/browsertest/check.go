package browsertest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// What is looked for: what stands against WCAG 2.2 AA, and what axe-core's authors advise against. The rule for
// the size of targets is off by default.
const (
	allRules = `{rules: {"target-size": {enabled: true}}, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}`
	ofLook   = `{runOnly: {type: "rule", values: ["color-contrast", "target-size"]}}`
)

const runAxe = `axe.run(document, {resultTypes: ["violations"], ...%s}).then(r => r.violations.map(v =>
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
	p.judge(allRules)
}

// Legible is Accessible for what other colours or sizes of the window can change.
func (p *Page) Legible() {
	p.t.Helper()
	p.judge(ofLook)
}

func (p *Page) judge(rules string) {
	p.t.Helper()
	for _, v := range p.violations(rules) {
		p.t.Errorf("axe: %s (%s)\n\t%s", v.Help, v.Rule, strings.Join(v.Nodes, "\n\t"))
	}
}

func (p *Page) violations(rules string) []violation {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	if script == "" {
		p.t.Log(noAxe)
		return nil
	}
	var there bool
	if p.Eval("!!window.axe", &there); !there {
		p.Eval(script+"\n;0", nil)
	}
	var found []violation
	p.Eval(fmt.Sprintf(runAxe, rules), &found)
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

// smaller packs a picture with 256 colours at most: each of the others becomes one that is as near as can be.
func smaller(picture []byte) ([]byte, error) {
	drawn, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	bounds := drawn.Bounds()
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(drawn.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for near := 0; palette == nil || len(palette) > 256; near += 4 {
		palette = nil
		for _, c := range most {
			if !slices.ContainsFunc(palette, func(p color.Color) bool { return distance(p.(color.RGBA), c) < near }) {
				palette = append(palette, c)
			}
			if len(palette) > 256 {
				break
			}
		}
	}
	index := map[color.RGBA]uint8{}
	for c := range count {
		index[c] = uint8(palette.Index(c))
	}
	packed := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			packed.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, packed)
	return b.Bytes(), err
}

// distance is that of the channel in which two colours differ most.
func distance(a, b color.RGBA) int {
	of := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	return max(of(a.R, b.R), of(a.G, b.G), of(a.B, b.B))
}
