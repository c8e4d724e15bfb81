// Package browsertest shows pages to Debian's chromium in tests: pages that fail their test for
// whatever the browser has to complain of, and for what axe-core finds.
//
// The test program of a package that uses it has a TestMain with Main in it. One browser serves all
// of its tests; each page has cookies of its own.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// requiredEnv says, with the value required, that a test fails where there is no browser.
	requiredEnv = "ESAGATE_TEST_BROWSER"
	// axeEnv names the file axe.min.js of axe-core.
	axeEnv = "ESAGATE_TEST_AXE"

	startTimeout = time.Minute
	stopTimeout  = 10 * time.Second
)

// browser is the one of this process.
var browser struct {
	mu   sync.Mutex
	ctx  context.Context // nil until the first page
	stop func()
	err  error // why there is none
}

// Main runs the tests of a package, ends the browser that they may have started, and removes what it
// left. It gives the program's exit status.
func Main(m interface{ Run() int }) int {
	code := m.Run()
	Stop()
	return code
}

// Stop ends the browser, if there is one, and removes its profile. The next page starts another one.
func Stop() {
	browser.mu.Lock()
	defer browser.mu.Unlock()
	if browser.stop != nil {
		browser.stop()
	}
	browser.ctx, browser.stop, browser.err = nil, nil, nil
}

var errNotInstalled = errors.New("there is no chromium in PATH: apt-get install --no-install-recommends chromium fonts-dejavu-core")

// running gives the browser, which it starts first if it must.
func running() (context.Context, error) {
	browser.mu.Lock()
	defer browser.mu.Unlock()
	if browser.ctx == nil && browser.err == nil {
		browser.ctx, browser.stop, browser.err = start()
	}
	return browser.ctx, browser.err
}

func start() (context.Context, func(), error) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, errNotInstalled
	}
	sweep()
	profile, err := os.MkdirTemp("", fmt.Sprintf(profiles+"-", os.Getpid()))
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.UserDataDir(profile),
		chromedp.WSURLReadTimeout(startTimeout),
		// Nothing outside is asked, whatever a page or the browser itself wants.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("font-render-hinting", "none"),
	)
	if os.Geteuid() == 0 { // for whom chromium has no sandbox
		options = append(options, chromedp.NoSandbox)
	}
	// The process dies with this one, if nobody stops it.
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	stop := func() {
		ending, done := context.WithTimeout(ctx, stopTimeout)
		_ = chromedp.Cancel(ending) // it asks the browser to close, and waits
		done()
		cancel()
		release()
		_ = os.RemoveAll(profile)
	}
	starting := time.AfterFunc(startTimeout, cancel)
	err = chromedp.Do(ctx)
	if starting.Stop(); err != nil {
		stop()
		return nil, nil, fmt.Errorf("chromium does not start: %w", err)
	}
	return ctx, stop, nil
}

// profiles is how the folders of browsers' profiles are called, by the processes that they are of.
const profiles = "browsertest-%d"

// sweep removes the profiles of processes that have ended without doing so: a test that takes too long is killed.
func sweep() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), "browsertest-*-*"))
	for _, folder := range folders {
		var id int
		if _, err := fmt.Sscanf(filepath.Base(folder), profiles, &id); err != nil {
			continue
		}
		process, err := os.FindProcess(id)
		if err == nil {
			err = process.Signal(syscall.Signal(0)) // which only asks whether it is there
		}
		if errors.Is(err, os.ErrProcessDone) {
			_ = os.RemoveAll(folder)
		}
	}
}
