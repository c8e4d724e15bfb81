package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"
)

// loadSource is the source that the load reads.
const loadSource = "harbour-news"

// plainRead asks for the source that the load reads, whatever the connection.
func plainRead(int, string) []byte { return statusRequest(loadSource) }

// targets are what the load drives; the first is the yardstick.
func targets(bare, gateway *child) []target {
	return []target{
		{name: "bare handler, plain", servers: []*child{bare}, request: plainRead},
		{name: "gateway, plain", servers: []*child{gateway}, request: plainRead},
		{name: "gateway, gzip", servers: []*child{gateway}, request: func(int, string) []byte {
			return statusRequest(loadSource, "Accept-Encoding: gzip")
		}},
		{name: "gateway, 304", servers: []*child{gateway}, conditional: true, request: func(_ int, etag string) []byte {
			if etag == "" {
				return statusRequest(loadSource)
			}
			return statusRequest(loadSource, "If-None-Match: "+etag)
		}},
	}
}

// development starts a gateway that was built without the release profile.
func (w *world) development(ctx context.Context) (*child, error) {
	released := w.binary
	defer func() { w.binary = released }()
	w.binary += "-development"
	if err := w.build(ctx, w.binary, "-pgo=off"); err != nil {
		return nil, err
	}
	return w.gateway(ctx, "", nil, loadSource)
}

// servers starts the gateway and, for the document that it serves, the bare
// handler. The caller stops them.
func servers(ctx context.Context, w *world, gatewayEnv, bareEnv []string) (gateway, bare *child, err error) {
	gateway, err = w.gateway(ctx, "", gatewayEnv, loadSource)
	if err != nil {
		return nil, nil, err
	}
	document, status, err := fetch(gateway.address, statusRequest(loadSource))
	if err == nil && status != 200 {
		err = fmt.Errorf("the gateway answers %d: %s", status, document.body)
	}
	if err == nil {
		bare, err = w.bare(ctx, document.body, bareEnv)
	}
	if err != nil {
		return nil, nil, errors.Join(err, gateway.stop())
	}
	return gateway, bare, nil
}

// runLoad drives every target in every round, the order rotating, and reports.
func runLoad(ctx context.Context, w *world, s *settings) (err error) {
	gateway, bare, err := servers(ctx, w, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop(), gateway.stop()) }()
	development, err := w.development(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, development.stop()) }()
	all := append(targets(bare, gateway), target{name: "plain, no profile", servers: []*child{development}, request: plainRead})
	results := make([][]result, len(all))
	for round := range s.rounds {
		for i := range all {
			at := (round + i) % len(all)
			r, err := drive(ctx, all[at], s.connections, s.time)
			if err != nil {
				return err
			}
			results[at] = append(results[at], r)
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, s.rounds)
	}
	printLoad(all, results, s)
	calls := w.agent.Calls("tnt_" + loadSource)
	fmt.Printf("\nStatus calls that the sales agent got for all this: %d. Traces sent to the collector: %d batches, %d KB.\n",
		calls, w.sink.requests.Load(), w.sink.bytes.Load()/1000)
	if now, most, ok := gateway.memory(); ok {
		fmt.Printf("Memory of the gateway (resident set): %s after the run, %s at most.\n", now, most)
	}
	return nil
}

// printLoad writes one row a target. Ratios are to the yardstick of the same
// round, so that what slows the whole machine for a while cancels out.
func printLoad(all []target, results [][]result, s *settings) {
	fmt.Printf("%d connections, %d rounds of %s a target, order rotating\n\n", s.connections, s.rounds, s.time)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| target\t| requests/s\t| least .. most\t| to bare\t| least .. most\t| server CPU a request\t| body\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for i, t := range all {
		var rates, ratios, sizes, full sample[float64]
		var cpus sample[time.Duration]
		for round, r := range results[i] {
			rates = append(rates, r.rate)
			ratios = append(ratios, ratio(r.rate, results[0][round].rate))
			cpus = append(cpus, r.cpu)
			sizes = append(sizes, r.size)
			full = append(full, r.full)
		}
		body := fmt.Sprintf("%.0f bytes", sizes.median())
		if t.conditional {
			body = fmt.Sprintf("none (at most %.2f %% were a 200)", 100*full.most())
		}
		fmt.Fprintf(out, "| %s\t| %.0f\t| %.0f .. %.0f\t| %.2f\t| %.2f .. %.2f\t| %.1f us\t| %s\t|\n", t.name,
			rates.median(), rates.least(), rates.most(), ratios.median(), ratios.least(), ratios.most(),
			float64(cpus.median())/float64(time.Microsecond), body)
	}
	_ = out.Flush() // stdout: a reader that has gone needs no table
}
