package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// sizeQuiet is how long nobody reads before memory is looked at again.
const sizeQuiet = 30 * time.Second

// sized is what one contestant needed for many sources.
type sized struct {
	*contestant
	ready, read         time.Duration // until the last source was answered after the start; to read each once
	empty, after, quiet int64         // bytes in use
	calls               int
}

// runSize starts the contestants that are one server, one after the other, with many sources, and reads each once.
func runSize(ctx context.Context, w *world, s *settings) (err error) {
	sources := make([]string, s.sources)
	for i := range sources {
		sources[i] = "many-" + strconv.Itoa(i)
		w.addTenant(sources[i])
	}
	var all []*sized
	var missing []string
	for _, e := range entries {
		if !e.single || e.part != "" && !s.wants(e.part) {
			continue
		}
		m := &sized{contestant: &contestant{name: e.name, sources: sources}}
		switch err := m.measure(ctx, w, s, e); {
		case errors.Is(err, errMissing):
			missing = append(missing, err.Error())
		case err != nil:
			return fmt.Errorf("%s: %w", e.name, err)
		default:
			all = append(all, m)
		}
	}
	return s.report(w, "size", printSize(all, missing))
}

func (m *sized) measure(ctx context.Context, w *world, s *settings, e entry) (err error) {
	defer func() { err = errors.Join(err, m.stop()) }()
	began := time.Now()
	if err := e.start(ctx, w, s, m.contestant); err != nil {
		return err
	}
	server := m.servers[0]
	last := statusRequest(m.sources[len(m.sources)-1])
	for {
		if _, status, err := fetch(server.address, last); err == nil && status == 200 {
			break
		} else if m.ready = time.Since(began); m.ready > time.Minute {
			return errors.Join(fmt.Errorf("the last source is answered with %d after %s", status, m.ready), err)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	m.ready = time.Since(began)
	m.empty = server.bytes()
	before := w.agent.Calls("")
	began = time.Now()
	if err := m.readAll(ctx, s.connections); err != nil {
		return err
	}
	m.read, m.after, m.calls = time.Since(began), server.bytes(), w.agent.Calls("")-before
	if err := pause(ctx, sizeQuiet); err != nil {
		return err
	}
	m.quiet = server.bytes()
	return nil
}

// readAll reads each source once, over some connections.
func (m *sized) readAll(ctx context.Context, connections int) error {
	failures := make([]error, connections)
	var readers sync.WaitGroup
	for n := range connections {
		readers.Go(func() {
			c, err := dial(m.servers[0].address, time.Now().Add(10*time.Minute))
			if err != nil {
				failures[n] = err
				return
			}
			defer c.close()
			for i := n; i < len(m.sources) && ctx.Err() == nil; i += connections {
				if status, _, err := c.do(statusRequest(m.sources[i])); err != nil || status != 200 {
					failures[n] = errors.Join(fmt.Errorf("status %d", status), err)
					return
				}
			}
		})
	}
	readers.Wait()
	return errors.Join(append(failures, ctx.Err())...)
}

// bytes gives the memory that the child and its own children use: what several share counts once; 0 where the system
// does not tell (Linux).
func (c *child) bytes() (total int64) {
	for _, pid := range c.processes() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)) // nothing is 0
		_, rest, _ := bytes.Cut(text, []byte("\nPss:"))
		line, _, _ := strings.Cut(string(rest), "kB")
		kilobytes, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		total += kilobytes << 10
	}
	return total
}

// printSize gives the table.
func printSize(all []*sized, missing []string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n`go run ./bench %s`:\n\n", strings.Join(os.Args[1:], " "))
	out := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| \t| answers the last source after\t| memory then\t| after each was read once\t| a source\t| after 30 s of quiet\t| a source\t| reading took\t| calls\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, m := range all {
		each := func(now int64) float64 { return float64(now-m.empty) / 1024 / float64(len(m.sources)) }
		fmt.Fprintf(out, "| %s\t| %.1f s\t| %d MiB\t| %d MiB\t| %.1f KiB\t| %d MiB\t| %.1f KiB\t| %.0f s\t| %d\t|\n", m.name, m.ready.Seconds(),
			m.empty>>20, m.after>>20, each(m.after), m.quiet>>20, each(m.quiet), m.read.Seconds(), m.calls)
	}
	_ = out.Flush() // a buffer takes everything
	for _, what := range missing {
		fmt.Fprintf(&b, "\nMissing: %s.\n", what)
	}
	return b.String()
}
