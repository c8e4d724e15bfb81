package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a condition may take to come true on a slow machine; nothing waits that long
// unless something is wrong.
const patience = time.Minute

// View is how somebody looks at a page.
type View struct {
	Width, Height int64
	Dark          bool
	Still         bool // prefers reduced motion
	NoScript      bool
}

// The sizes that pages are made for.
var (
	Desktop = View{Width: 1200, Height: 980}
	Phone   = View{Width: 390, Height: 844}
	Screen  = View{Width: 1920, Height: 1080} // on a wall
	Narrow  = View{Width: 320, Height: 640}   // the narrowest, which is also Desktop magnified four times
)

// Page is a tab with cookies of its own. What its browser complains of fails its test at the end.
type Page struct {
	t     testing.TB
	ctx   context.Context
	found findings
}

// Open opens an empty page, or skips the test where there is no browser. It is closed at the test's end.
func Open(t testing.TB, v View) *Page {
	t.Helper()
	parent, err := running()
	if errors.Is(err, errNotInstalled) && os.Getenv(requiredEnv) != "required" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t}
	var cancel context.CancelFunc
	p.ctx, cancel = chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.found.hear))
	t.Cleanup(func() {
		for _, complaint := range p.Complaints() {
			t.Errorf("the browser complains: %s", complaint)
		}
		cancel()
	})
	if err := chromedp.Do(p.ctx); err != nil { // without a deadline, which would be that of the page
		t.Fatal(err)
	}
	p.Run(
		command(network.Enable, network.EnableParams{}),
		command(log.Enable, cdp.Empty{}),
	)
	p.RunFirst(reportViolations)
	p.Look(v)
	return p
}

// Look changes how the page is looked at.
func (p *Page) Look(v View) {
	p.t.Helper()
	scheme, motion := "light", "no-preference"
	if v.Dark {
		scheme = "dark"
	}
	if v.Still {
		motion = "reduce"
	}
	p.Run(
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: v.Width, Height: v.Height, DeviceScaleFactor: 1, Mobile: v.Width < 600}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion},
		}}),
		command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScript}),
	)
}

// command makes an action of a command of the protocol whose result nobody needs.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// Run does actions, which must be done in good time.
func (p *Page) Run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.describe())
	}
}

// RunFirst has a script run in each page that is loaded from now on, before what is in it.
func (p *Page) RunFirst(script string) {
	p.t.Helper()
	p.Run(command(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script}))
}

// Held says how much the page keeps in memory, when what is not needed is gone.
func (p *Page) Held() (nodes, listeners int64) {
	p.t.Helper()
	p.Run(command(heapprofiler.CollectGarbage, cdp.Empty{}), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		counted, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
		if err == nil {
			nodes, listeners = counted.Nodes, counted.JsEventListeners
		}
		return err
	}))
	return nodes, listeners
}

// Goto loads an address, and waits until all of its files are there.
func (p *Page) Goto(url string) {
	p.t.Helper()
	p.found.goTo(url)
	p.Run(chromedp.Navigate(url))
}

// Eval runs a script in the page, past its policy, and stores what it gives in into, unless that is nil. A
// promise is waited for.
func (p *Page) Eval(script string, into any) {
	p.t.Helper()
	if err := p.eval(patience, script, into); err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, p.describe())
	}
}

func (p *Page) eval(within time.Duration, script string, into any) error {
	ctx, cancel := context.WithTimeout(p.ctx, within)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAsValue, chromedp.EvalAwaitPromise))
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(value, into)
}

// WaitFor waits until an expression of JavaScript is true. One that fails, for instance because the page
// is being replaced, is not true yet.
func (p *Page) WaitFor(condition string) {
	p.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var holds bool
		if last = p.eval(patience, "(async () => !!("+condition+"))()", &holds); last == nil && holds {
			return
		}
		select {
		case <-p.ctx.Done():
			p.t.Fatalf("the browser has gone: %v", context.Cause(p.ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
	p.t.Fatalf("in %v this did not come true: %s (%v)\n%s", patience, condition, last, p.describe())
}

// WaitForText waits until the page shows a text.
func (p *Page) WaitForText(text string) {
	p.t.Helper()
	p.WaitFor(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// Text gives what an element shows.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	var text string
	p.WaitFor(fmt.Sprintf("document.querySelector(%q)", selector))
	p.Eval(fmt.Sprintf("document.querySelector(%q).innerText", selector), &text)
	return text
}

// Click presses the mouse on an element, when it can be seen.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Hover(selector)
	p.Run(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Hover moves the mouse onto the middle of an element.
func (p *Page) Hover(selector string) {
	p.t.Helper()
	var at struct {
		X float64 `json:"x"`
		Y float64 `json:"y"`
	}
	p.WaitFor(fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", selector))
	p.Eval(fmt.Sprintf(`(e => { e.scrollIntoView({block: "nearest", behavior: "instant"}); const r = e.getBoundingClientRect();
		return {x: r.x + r.width / 2, y: r.y + r.height / 2} })(document.querySelector(%q))`, selector), &at)
	p.MoveTo(at.X, at.Y)
}

// MoveTo moves the mouse.
func (p *Page) MoveTo(x, y float64) {
	p.t.Helper()
	p.Run(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
}

// Press types keys, as of package kb of chromedp or letters, to what has the focus. A key that the page takes for
// itself types nothing, as on a keyboard: chromedp's own way types it all the same.
func (p *Page) Press(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) == 3 { // between them, the character
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, e := range []input.DispatchKeyEventParams{down, up} {
			chromedp.KeyModifiers(modifiers...)(&e)
			if e.Modifiers&^int64(chromedp.ModifierShift) != 0 {
				e.Text, e.UnmodifiedText = "", "" // a shortcut
			}
			p.Run(command(input.DispatchKeyEvent, e))
		}
	}
}

// describe says what the page shows, for a message of failure.
func (p *Page) describe() string {
	var shown struct {
		URL  string `json:"url"`
		Text string `json:"text"`
	}
	script := `({url: location.href, text: document.body?.innerText ?? ""})`
	if err := p.eval(5*time.Second, script, &shown); err != nil {
		return "the page can't be asked what it shows: " + err.Error()
	}
	if len(shown.Text) > 2000 {
		shown.Text = shown.Text[:2000] + " …"
	}
	return "at " + shown.URL + " the page shows:\n\t" + strings.ReplaceAll(shown.Text, "\n", "\n\t") +
		"\ncomplaints: " + strings.Join(p.Complaints(), "\n\t")
}
