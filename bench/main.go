// Command bench drives the gateway from end to end and says what it reached:
// the real binary as a child process before a simulated sales agent, and beside
// it a bare net/http handler that writes the same bytes. docs/benchmarks.md says
// what is measured and how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// part is something that can be measured.
type part struct {
	name    string
	contest bool // those that are wanted of this kind are one run
	run     func(context.Context, *world, *settings) error
}

var parts = []part{
	{"load", false, runLoad}, {"cold", false, runCold}, {"hang", false, runHang}, {"watch", false, runWatch}, {"proxy", false, runProxy},
	{"cluster", true, runContest}, {"peers", true, runContest}, {"size", false, runSize}, {"flood", false, runFlood}, {"growth", false, runGrowth},
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// settings are the command line.
type settings struct {
	rounds      int
	time        time.Duration
	connections int
	only        string
	profile     string
	renew       bool
	write       bool
	sources     int
	nginx       string
	bare        string // hidden: be the bare handler for this file
	bareProxy   string // hidden: be the bare proxy before this address
	agent       bool   // hidden: be the agent behind proxies
}

func (s *settings) check() error {
	switch {
	case flag.NArg() > 0:
		return errors.New("there are flags only")
	case s.rounds < 1 || s.rounds > 1000:
		return errors.New("-rounds must be 1 to 1000")
	case s.time < 10*time.Millisecond || s.time > time.Minute:
		return errors.New("-time must be 10ms to 1m")
	case s.sources < 1 || s.sources > 1_000_000:
		return errors.New("-sources must be 1 to 1000000")
	case s.connections < 1 || s.connections > 1000:
		return errors.New("-connections must be 1 to 1000")
	}
	for name := range strings.SplitSeq(s.only, ",") {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("-only takes %s, with commas between them", partNames())
		}
	}
	return nil
}

func (s *settings) wants(part string) bool { return slices.Contains(strings.Split(s.only, ","), part) }

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 9, "rounds of the load, each with every target once")
	flag.DurationVar(&s.time, "time", 1500*time.Millisecond, "measured time of one target in one round")
	flag.IntVar(&s.connections, "connections", 64, "connections kept alive at once")
	flag.StringVar(&s.only, "only", "load,cold,hang,watch,proxy", "the parts to run; there are "+partNames())
	flag.BoolVar(&s.write, "write", false, "put the tables of cluster, peers and size into "+benchmarksPage)
	flag.IntVar(&s.sources, "sources", 100_000, "sources of the part size")
	flag.StringVar(&s.profile, "profile", "", "write CPU and allocation profiles of both servers under plain load into this `folder`, and nothing else")
	flag.BoolVar(&s.renew, "renew-profile", false, "write the profile that release builds use anew ("+releaseProfile+"), and nothing else")
	flag.StringVar(&s.bare, "bare-handler", "", "used by the program itself: serve this `file` and nothing else")
	flag.StringVar(&s.nginx, "nginx", "nginx", "the nginx to compare the gateway's proxy with, a `program`")
	flag.StringVar(&s.bareProxy, "bare-proxy", "", "used by the program itself: pass everything on to this `URL` and do nothing else")
	flag.BoolVar(&s.agent, "bare-agent", false, "used by the program itself: answer like an agent and do nothing else")
	flag.Parse()
	if err := s.check(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := s.run
	switch {
	case s.bare != "":
		run = func(ctx context.Context) error { return serveBare(ctx, s.bare) }
	case s.bareProxy != "":
		run = func(ctx context.Context) error { return serveBareProxy(ctx, s.bareProxy) }
	case s.agent:
		run = serveAgent
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what is wanted. All that it starts has ended when it returns.
func (s *settings) run(ctx context.Context) (err error) {
	w, err := newWorld(ctx, s.profile != "" || s.renew)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if s.profile != "" {
		return runProfile(ctx, w, s)
	}
	if s.renew {
		return runRenew(ctx, w, s)
	}
	contested := false
	for _, p := range parts {
		if !s.wants(p.name) || p.contest && contested {
			continue
		}
		contested = contested || p.contest
		if err := p.run(ctx, w, s); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
