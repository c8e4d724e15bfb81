package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// benchmarksPage is where reports are kept.
const benchmarksPage = "docs/benchmarks.md"

// report prints what a part has found, and with -write puts it into the page of benchmarks.
func (s *settings) report(w *world, part, text string) error {
	fmt.Print(text)
	if !s.write {
		return nil
	}
	path := filepath.Join(w.root, benchmarksPage)
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if page, err = replaced(page, part, text); err != nil {
		return err
	}
	return os.WriteFile(path, page, 0o644)
}

// replaced puts a text between the two marks of a part of a page.
func replaced(page []byte, part, text string) ([]byte, error) {
	begin, end := []byte("<!-- bench: "+part+" -->\n"), []byte("<!-- end of "+part+" -->\n")
	before, rest, ok := bytes.Cut(page, begin)
	_, after, ended := bytes.Cut(rest, end)
	if !ok || !ended {
		return nil, fmt.Errorf("%s has no place for %q", benchmarksPage, part)
	}
	return bytes.Join([][]byte{before, begin, []byte(strings.TrimPrefix(text, "\n")), end, after}, nil), nil
}

// printContest gives the tables of a contest.
func printContest(all []*contestant, bare *contestant, missing []string, down, up time.Time) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n`go run ./bench %s`:\n\n", strings.Join(os.Args[1:], " "))
	out := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| \t| requests/s\t| to bare\t| least .. most\t| p99\t| CPU a request\t| calls a source and interval\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, c := range append([]*contestant{bare}, all...) {
		var rates, ratios sample[float64]
		var p99, cpus sample[time.Duration]
		for round, r := range c.load {
			rates, ratios = append(rates, r.rate), append(ratios, ratio(r.rate, bare.load[round].rate))
			p99, cpus = append(p99, r.p99), append(cpus, r.cpu)
		}
		calls := ""
		if c.seen != nil {
			calls = fmt.Sprintf("%.2f", float64(c.seen.calls)/float64(len(c.sources))/contestCount.Seconds()*contestFresh.Seconds())
		}
		fmt.Fprintf(out, "| %s\t| %.0f\t| %.2f\t| %.2f .. %.2f\t| %.1f ms\t| %.1f us\t| %s\t|\n", c.name, rates.median(),
			ratios.median(), ratios.least(), ratios.most(), ms(p99.median()), us(cpus.median()), calls)
	}
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| \t| reads in an outage: failed\t| longest\t| fresh again: median\t| most\t| a new source: median\t| most\t| older after newer\t| hanging: first read\t| most\t| second\t| most\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, c := range all {
		o := c.seen.outcome(down, up)
		fmt.Fprintf(out, "| %s\t| %d of %d\t| %.0f ms\t| %.1f s\t| %.1f s\t| %.1f s\t| %.1f s\t| %d\t| %.1f ms\t| %.1f ms\t| %.1f ms\t| %.1f ms\t|\n", c.name,
			o.failed, o.reads, ms(o.longest), o.known.median().Seconds(), o.known.most().Seconds(), o.late.median().Seconds(), o.late.most().Seconds(), o.older,
			ms(c.hang[0].median()), ms(c.hang[0].most()), ms(c.hang[1].median()), ms(c.hang[1].most()))
		if o.never > 0 {
			missing = append(missing, fmt.Sprintf("%s: %d readers did not get what is new within %s", c.name, o.never, contestReturn))
		}
	}
	_ = out.Flush() // a buffer takes everything
	for _, m := range missing {
		fmt.Fprintf(&b, "\nMissing: %s.\n", m)
	}
	return b.String()
}
