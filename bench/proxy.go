package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	proxySource  = "harbour-proxy"
	proxyCalls   = 400 // of one target in one round, on one connection
	proxyStreams = 20  // the same, one after the other
)

// passed is what was measured of one way to the agent.
type passed struct {
	target
	results []result
	calls   sample[time.Duration] // on one connection, nothing beside them
	first   sample[time.Duration] // from a request for a stream until its first event is there
	events  sample[time.Duration] // from an event's sending until it is there
}

// agentCall makes a call of the agent. The lines are headers.
func agentCall(accept string, lines ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: gateway.test\r\nUser-Agent: bench\r\nAccept: %s\r\nContent-Type: application/json\r\n", agentPath, accept)
	fmt.Fprintf(&b, "Content-Length: %d\r\nAuthorization: Bearer %s\r\n", len(agentRequest), buyerKey)
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	b.WriteString("\r\n" + agentRequest)
	return b.Bytes()
}

// newest are the headers of MCP 2026-07-28, from which method and name are known without the body.
var newest = []string{"Mcp-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: get_products"}

// ways starts everything and gives the ways to the agent: none between, the bare proxy, nginx where there is one, the
// gateway, and the gateway with a rule that has it look into the body.
func ways(ctx context.Context, w *world, s *settings) (all []*passed, stop func() error, err error) {
	var children []*child
	stop = func() error {
		var err error
		for _, c := range children {
			err = errors.Join(err, c.stop())
		}
		return err
	}
	add := func(name string, c *child, err error) error {
		if err == nil {
			children = append(children, c)
			all = append(all, &passed{target: target{name: name, servers: []*child{c}, request: func(int, string) []byte { return agentCall("application/json", newest...) }}})
		}
		return err
	}
	agent, err := startSelf(ctx, "agent", nil, "-bare-agent")
	if err := add("nothing between", agent, err); err != nil {
		return nil, stop, err
	}
	w.agentURL = "http://" + agent.address
	bare, err := startSelf(ctx, "bare proxy", nil, "-bare-proxy", w.agentURL)
	if err := add("httputil.ReverseProxy alone", bare, err); err != nil {
		return nil, stop, err
	}
	nginx, err := w.nginx(ctx, s.nginx, agent.address)
	if err := add("nginx", nginx, err); errors.Is(err, errMissing) {
		fmt.Fprintln(os.Stderr, err)
	} else if err != nil {
		return nil, stop, err
	}
	for _, g := range []struct{ name, rules string }{
		{"gateway", ""}, {"gateway, with a rule", `, deny: ["tools/call:delete_*"]`},
	} {
		gateway, err := w.gateway(ctx, "agents: {streams: 1000"+g.rules+"}\n", nil, proxySource)
		if err := add(g.name, gateway, err); err != nil {
			return nil, stop, err
		}
	}
	return all, stop, nil
}

// runProxy measures calls of an agent by each way, in every round, the order rotating, and streams likewise.
func runProxy(ctx context.Context, w *world, s *settings) (err error) {
	all, stop, err := ways(ctx, w, s)
	defer func() { err = errors.Join(err, stop()); w.agentURL = "" }()
	if err != nil {
		return err
	}
	for round := range s.rounds {
		for i := range all {
			way := all[(round+i)%len(all)]
			r, err := drive(ctx, way.target, s.connections, s.time)
			if err == nil {
				way.results = append(way.results, r)
				err = errors.Join(way.alone(), way.stream(ctx))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, s.rounds)
	}
	printCalls(all, s)
	printStreams(all)
	return nil
}

// alone measures calls on one connection.
func (p *passed) alone() error {
	c, err := dial(p.servers[0].address, time.Now().Add(30*time.Second))
	if err != nil {
		return err
	}
	defer c.close()
	request := p.request(0, "")
	for n := range proxyCalls + proxyCalls/10 {
		began := time.Now()
		status, _, err := c.do(request)
		if err != nil || status != 200 {
			return errors.Join(fmt.Errorf("status %d", status), err)
		}
		if n >= proxyCalls/10 { // the first ones wake things up
			p.calls = append(p.calls, time.Since(began))
		}
	}
	return nil
}

// stream measures streams, one after the other on one connection.
func (p *passed) stream(ctx context.Context) error {
	c, err := dial(p.servers[0].address, time.Now().Add(30*time.Second))
	if err != nil {
		return err
	}
	defer c.close()
	request := agentCall("text/event-stream", newest...)
	for range proxyStreams {
		if err := pause(ctx, streamPause); err != nil {
			return err
		}
		began := time.Now()
		if _, err := c.conn.Write(request); err != nil {
			return err
		}
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			return err
		}
		count := 0
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			stamp, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			now := time.Now()
			sent, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil {
				return errors.New("an event without its time")
			}
			p.events = append(p.events, now.Sub(time.Unix(0, sent)))
			if count++; count == 1 {
				p.first = append(p.first, now.Sub(began))
			}
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != 200 || count != streamEvents {
			return errors.Join(fmt.Errorf("status %d and %d events", resp.StatusCode, count), err)
		}
	}
	return nil
}

// printCalls writes a row a way. Ratios are to the bare proxy in the same round.
func printCalls(all []*passed, s *settings) {
	fmt.Printf("\nCalls of an agent: %d connections, %d rounds of %s, order rotating; then one connection\n\n", s.connections, s.rounds, s.time)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| between client and agent\t| calls/s\t| to ReverseProxy\t| least .. most\t| its CPU a call\t| alone: median\t| more than nothing\t| p99\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, p := range all {
		var rates, ratios sample[float64]
		var cpus sample[time.Duration]
		for round, r := range p.results {
			rates, cpus = append(rates, r.rate), append(cpus, r.cpu)
			ratios = append(ratios, ratio(r.rate, all[1].results[round].rate))
		}
		fmt.Fprintf(out, "| %s\t| %.0f\t| %.2f\t| %.2f .. %.2f\t| %.1f us\t| %.0f us\t| %.0f us\t| %.0f us\t|\n", p.name,
			rates.median(), ratios.median(), ratios.least(), ratios.most(), us(cpus.median()),
			us(p.calls.median()), us(p.calls.median()-all[0].calls.median()), us(p.calls.percentile(0.99)))
	}
	_ = out.Flush() // stdout: a reader that has gone needs no table
}

// printStreams writes how long events were on their way.
func printStreams(all []*passed) {
	fmt.Printf("\nStreams of an agent, one at a time: %d events, %s apart\n\n", streamEvents, streamPause)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| between client and agent\t| first event after: median\t| more than nothing\t| p99\t| an event's way: median\t| p99\t| most\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, p := range all {
		fmt.Fprintf(out, "| %s\t| %.0f us\t| %.0f us\t| %.0f us\t| %.0f us\t| %.0f us\t| %.0f us\t|\n", p.name,
			us(p.first.median()), us(p.first.median()-all[0].first.median()), us(p.first.percentile(0.99)),
			us(p.events.median()), us(p.events.percentile(0.99)), us(p.events.most()))
	}
	_ = out.Flush()
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
