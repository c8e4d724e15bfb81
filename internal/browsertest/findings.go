package browsertest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// reportViolations has what the page's policy blocked show up among the errors of its console.
const reportViolations = `addEventListener("securitypolicyviolation", e =>
	console.error("the policy blocks " + (e.blockedURI || "something") + " by " + e.violatedDirective + ": " + e.sample))`

// findings are what a page's browser complained of. Its methods are safe for concurrent use.
type findings struct {
	mu       sync.Mutex
	origin   string // of the last page that was asked for
	list     []string
	expected []string
	requests map[network.RequestID]string
}

// goTo notes where what a page loads may come from.
func (f *findings) goTo(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.origin = origin(address)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

// hear takes an event of the browser.
func (f *findings) hear(event any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]runtime.ConsoleAPICalledType{runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert}, e.Type) {
			f.add("console: %s", said(e.Args))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		f.add("exception: %s (%s:%d)", text, e.ExceptionDetails.URL, e.ExceptionDetails.LineNumber)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning || e.Entry.Source == log.EntrySourceSecurity {
			f.add("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		f.request(e)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			f.add("answered with %d: %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" { // left by the page itself
			f.add("failed: %s %s %s", f.requests[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	}
}

// request notes a request, which must go to where the page came from.
func (f *findings) request(e *network.EventRequestWillBeSent) {
	if f.requests == nil {
		f.requests = map[network.RequestID]string{}
	}
	f.requests[e.RequestID] = e.Request.URL
	if u, err := url.Parse(e.Request.URL); err == nil && slices.Contains([]string{"data", "blob", "about"}, u.Scheme) {
		return
	}
	if f.origin != "" && origin(e.Request.URL) != f.origin {
		f.add("asks somebody else: %s", e.Request.URL)
	}
}

func (f *findings) add(format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

// said gives what was written to the console.
func said(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		words = append(words, cmp.Or(strings.Trim(string(a.Value), `"`), a.Description))
	}
	return strings.Join(words, " ")
}

// Expect takes complaints that contain a text for a part of what is tested.
func (p *Page) Expect(texts ...string) {
	p.found.mu.Lock()
	defer p.found.mu.Unlock()
	p.found.expected = append(p.found.expected, texts...)
}

// Complaints gives what the browser has complained of so far, and nobody expects.
func (p *Page) Complaints() []string {
	p.found.mu.Lock()
	defer p.found.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.found.list), func(complaint string) bool {
		return slices.ContainsFunc(p.found.expected, func(text string) bool { return strings.Contains(complaint, text) })
	})
}
