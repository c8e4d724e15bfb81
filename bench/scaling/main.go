// Command scaling computes what fleets of replicas ask of the systems around them, and which of these is too small
// first. docs/scaling.md shows what it says without flags, and says how to read it.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"esagate/bench/growth"
)

// page is where the tables are kept.
const page = "docs/scaling.md"

var (
	replicaCounts = []int{1, 3, 10, 30, 100, 300, 1000}
	sourceCounts  = []int{1e3, 1e4, 1e5, 1e6, 1e7}
)

// settings are the command line.
type settings struct {
	fleet growth.Fleet // but for how many there are
	reads float64      // of a source, a second, on average
	held  time.Duration
	most  limits
	write bool
}

// limits are what the systems around can take.
type limits struct {
	calls, ops, bytes, rows float64 // a second
	connections, clients    int     // of PostgreSQL, and of one Redis
	memory                  float64 // bytes of a replica
	processors              float64 // of a replica
}

func flags(f *flag.FlagSet) *settings {
	s := &settings{}
	f.Float64Var(&s.reads, "reads", 0.02, "reads a second of a source, on average")
	f.Float64Var(&s.fleet.Zipf, "zipf", 1, "exponent of the readership: 0 reads all sources equally often")
	f.DurationVar(&s.fleet.Call, "call", 150*time.Millisecond, "how long the sales agent takes for a status")
	f.DurationVar(&s.fleet.Fresh, "fresh", 5*time.Second, "snapshot.fresh")
	f.DurationVar(&s.fleet.Poll, "poll", 5*time.Minute, "reconcile.interval; 0 polls nothing")
	f.IntVar(&s.fleet.Polls, "polls", 4, "reconcile.concurrency")
	f.DurationVar(&s.held, "held", 15*time.Minute, "snapshot.stale_if_error")
	f.Float64Var(&s.most.calls, "agent", 1000, "status calls a second that the sales agent can take")
	f.Float64Var(&s.most.ops, "redis", 50_000, "scripts a second that one Redis can run")
	f.Float64Var(&s.most.bytes, "network", 100e6, "bytes a second to and from one Redis")
	f.Float64Var(&s.most.rows, "rows", 5000, "rows a second that the database can write")
	f.IntVar(&s.most.connections, "connections", 500, "connections that PostgreSQL takes")
	f.IntVar(&s.most.clients, "clients", 10_000, "connections that one Redis takes")
	f.Float64Var(&s.most.memory, "memory", 2<<30, "bytes of a replica's snapshot.memory")
	f.Float64Var(&s.most.processors, "processors", 2, "processors of a replica")
	f.BoolVar(&s.write, "write", false, "put the tables into "+page)
	return s
}

// check finds what can't be computed.
func (s *settings) check() error {
	switch {
	case s.reads <= 0 || s.fleet.Zipf < 0 || s.fleet.Zipf > 5:
		return errors.New("-reads must be above 0, and -zipf 0 to 5")
	case s.fleet.Call <= 0 || s.fleet.Fresh <= 0 || s.held <= 0 || s.fleet.Poll < 0 || s.fleet.Polls < 1:
		return errors.New("times must be above 0, and -polls too")
	}
	return nil
}

func main() {
	s := flags(flag.CommandLine)
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "scaling:", err)
		os.Exit(1)
	}
}

func (s *settings) run() error {
	if err := s.check(); err != nil {
		return err
	}
	tables := s.tables()
	if !s.write {
		fmt.Print(tables)
		return nil
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("run it in the project's folder: %w", err)
	}
	renewed, err := replaced(old, tables)
	if err != nil {
		return err
	}
	return os.WriteFile(page, renewed, 0o644)
}

const beginMark, endMark = "<!-- scaling: the output of the program -->\n", "<!-- end of the output -->\n"

// replaced puts the tables between the marks of the page.
func replaced(old []byte, tables string) ([]byte, error) {
	before, rest, ok := bytes.Cut(old, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !ok || !ended {
		return nil, fmt.Errorf("%s has no marks", page)
	}
	return bytes.Join([][]byte{before, []byte(beginMark + tables + endMark), after}, nil), nil
}

// of gives a fleet of the settings.
func (s *settings) of(replicas, sources int, redis bool) growth.Fleet {
	f := s.fleet
	f.Replicas, f.Sources, f.Reads, f.Redis = replicas, sources, s.reads*float64(sources), redis
	return f
}

// tables gives all tables.
func (s *settings) tables() string {
	var b strings.Builder
	s.matrix(&b, "Calls of the sales agent a second, each replica alone", func(r, n int) string { return short(s.of(r, n, false).Rates().Calls) })
	s.matrix(&b, "Calls of the sales agent a second, over one Redis", func(r, n int) string { return short(s.of(r, n, true).Rates().Calls) })
	s.matrix(&b, "Scripts and hints in Redis a second", func(r, n int) string { return short(s.of(r, n, true).Rates().RedisOps) })
	s.matrix(&b, "Bytes to and from Redis a second", func(r, n int) string { return short(s.of(r, n, true).Rates().RedisBytes) })
	s.matrix(&b, "Rows written in the database a second, over one Redis", func(r, n int) string { return short(s.of(r, n, true).Rates().RowWrites) })
	s.matrix(&b, "Memory of a replica that serves everything from memory, bytes", func(r, n int) string { return short(s.of(r, n, true).Room(s.held).Replica) })
	s.byReplicas(&b)
	s.bySources(&b)
	s.matrix(&b, "What is too small, over one Redis", s.short)
	return b.String()
}

// matrix writes a table of replicas by sources.
func (s *settings) matrix(b *strings.Builder, title string, cell func(replicas, sources int) string) {
	fmt.Fprintf(b, "**%s**\n\n", title)
	out := tabwriter.NewWriter(b, 0, 0, 1, ' ', 0)
	fmt.Fprint(out, "| sources\t|")
	for _, r := range replicaCounts {
		fmt.Fprintf(out, " %d\t|", r)
	}
	fmt.Fprint(out, "\n|---:\t|"+strings.Repeat("---:\t|", len(replicaCounts))+"\n")
	for _, n := range sourceCounts {
		fmt.Fprintf(out, "| %s\t|", short(float64(n)))
		for _, r := range replicaCounts {
			fmt.Fprintf(out, " %s\t|", cell(r, n))
		}
		fmt.Fprintln(out)
	}
	_ = out.Flush() // a builder takes everything
	b.WriteString("\n")
}

// byReplicas writes what does not depend on sources.
func (s *settings) byReplicas(b *strings.Builder) {
	b.WriteString("**Connections, at most**\n\n")
	out := tabwriter.NewWriter(b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| replicas\t| to PostgreSQL, with Redis\t| without\t| to Redis\t| to the sales agent\t|")
	fmt.Fprintln(out, "|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, r := range replicaCounts {
		with, without := s.of(r, 1, true).Rates(), s.of(r, 1, false).Rates()
		fmt.Fprintf(out, "| %d\t| %s\t| %s\t| %s\t| %s\t|\n", r, short(with.DatabaseConnections), short(without.DatabaseConnections),
			short(with.RedisConnections), short(64*float64(r)))
	}
	_ = out.Flush()
	b.WriteString("\n")
}

// bySources writes what does not depend on replicas.
func (s *settings) bySources(b *strings.Builder) {
	b.WriteString("**For the readers of so many sources**\n\n")
	out := tabwriter.NewWriter(b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| sources\t| reads a second\t| processors\t| replicas for these\t| memory of Redis, bytes\t| `snapshot.fresh` that the agent can take\t|")
	fmt.Fprintln(out, "|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, n := range sourceCounts {
		f := s.of(1, n, true)
		room := f.Room(s.held)
		fmt.Fprintf(out, "| %s\t| %s\t| %.2g\t| %.0f\t| %s\t| %s\t|\n", short(float64(n)), short(f.Reads), room.Processors,
			max(1, math.Ceil(room.Processors/s.most.processors)), short(room.Redis), s.freshFor(f))
	}
	_ = out.Flush()
	b.WriteString("\n")
}

// freshFor gives how long copies have to be fresh so that the sales agent can take the calls.
func (s *settings) freshFor(f growth.Fleet) string {
	for f.Fresh = s.fleet.Fresh; f.Fresh <= 168*time.Hour; f.Fresh = f.Fresh * 5 / 4 {
		if f.Rates().Calls <= s.most.calls {
			return f.Fresh.Round(time.Second).String()
		}
	}
	return "none"
}

// short names what a fleet asks too much of: A the sales agent, O operations and B bytes of one Redis, W writes and C
// connections of PostgreSQL, R those of Redis, M memory and P processors of a replica.
func (s *settings) short(replicas, sources int) string {
	f := s.of(replicas, sources, true)
	rates, room := f.Rates(), f.Room(s.held)
	var names []byte
	for _, l := range []struct {
		name       byte
		used, most float64
	}{
		{'A', rates.Calls, s.most.calls},
		{'O', rates.RedisOps, s.most.ops},
		{'B', rates.RedisBytes, s.most.bytes},
		{'W', rates.RowWrites, s.most.rows},
		{'C', rates.DatabaseConnections, float64(s.most.connections)},
		{'R', rates.RedisConnections, float64(s.most.clients)},
		{'M', room.Replica, s.most.memory},
		{'P', room.Processors / float64(replicas), s.most.processors},
	} {
		if l.used > l.most {
			names = append(names, l.name)
		}
	}
	if len(names) == 0 {
		return "fits"
	}
	return string(names)
}
