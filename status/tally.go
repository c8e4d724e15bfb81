package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream"
)

// tally counts sources by their states, and those that can't sell by what keeps them from it.
type tally struct {
	api.StateCounts
	total  int64
	causes [len(causes)]int64
	asked  int64 // of so many the sales agent is asked for the status
	failed int64 // of these a breaker keeps the calls back
}

// cause is what keeps sources from selling.
type cause int

const (
	causeGone cause = iota
	causeAdServer
	causeRefused
	causeSetup
	causeProducts
	causeOther
)

// causes says of one source, and of more, what keeps them from selling.
var causes = [...]struct{ one, more string }{
	causeGone:     {"is not known to the sales agent", "are not known to the sales agent"},
	causeAdServer: {"has lost its ad server", "have lost their ad servers"},
	causeRefused:  {"could not be connected", "could not be connected"},
	causeSetup:    {"waits for a setup task", "wait for setup tasks"},
	causeProducts: {"has no active product", "have no active products"},
	causeOther:    {"has another problem", "have other problems"},
}

// add counts a source; open: the breaker of its tenant is.
func (t *tally) add(src *registry.Source, state string, facts *api.OverviewFacts, open bool) {
	t.total++
	if src.Connection.TenantID != "" && state != transform.StateDeactivated {
		if t.asked++; open {
			t.failed++
		}
	}
	*t.Of(state)++
	if state == transform.StateDown || state == transform.StateBlocked {
		t.causes[causeOf(src, state, facts)]++
	}
}

func causeOf(src *registry.Source, state string, facts *api.OverviewFacts) cause {
	code := ""
	if facts.Issue != nil {
		code = facts.Issue.Code
	}
	switch {
	case state == transform.StateDown && code == transform.IssueTenantNotFound:
		return causeGone
	case state == transform.StateDown:
		return causeAdServer
	case src.Connection.Provisioning == registry.StatusFailed:
		return causeRefused
	case facts.BlockerCount > 0:
		return causeSetup
	case code == transform.IssueNoActiveProducts, strings.HasPrefix(code, "SYNC_"): // no sync keeps a source from selling
		return causeProducts
	}
	return causeOther
}

// Headline says in one sentence how many sources can't sell and why, and whether that is as it was when the
// sales agent could last be asked. Its parts are without capitals and full stops, but for Agent.
type Headline struct {
	Agent  string // why the rest is as last known: "The sales agent can't be reached"; "": it is not
	Main   string // "9 of 2,000 sources can't sell"
	Reason string // "2 have lost their ad servers, 7 wait for setup tasks"; "": there is none to be said
	Agents string // "2 agents refuse their credentials"; "": none does
	Well   bool   // the sales agent is asked, and answers for every source
	mark   string // what stands before Reason
}

// String gives the whole sentence.
func (h *Headline) String() string {
	sentence := h.Main + h.mark + h.Reason
	if h.Agents != "" {
		sentence += "; " + h.Agents
	}
	sentence += "."
	if h.Agent != "" {
		return h.Agent + "; as last known, " + sentence
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}

// add says one thing more.
func (h *Headline) add(mark, more string) {
	if h.Reason == "" {
		h.mark, h.Reason = mark, more
		return
	}
	h.Reason += "; " + more
}

func (t *tally) headline(agent upstream.Health) *Headline {
	if t.total == 0 {
		return &Headline{Main: "there are no sources yet"}
	}
	h := t.sentence()
	switch {
	case t.asked == 0:
	case agent.KeyRefused:
		h.Agent = "The sales agent refuses the gateway's key"
	case agent.Breaker != "closed":
		h.Agent = "The sales agent can't be reached"
	case !agent.Reached:
		h.Agent = "The sales agent has not answered since the gateway was started"
	case t.failed == t.asked:
		h.Agent = "The sales agent gives no status of any source"
	case t.failed > 0:
		h.add("; ", plural(t.failed, "of them is", "of them are")+" as last known, because the sales agent gives no status")
	default:
		h.Well = true
	}
	return h
}

func (t *tally) sentence() *Headline {
	sources, selling := plural(t.total, "source", "sources"), t.Live+t.Degraded
	problems := ""
	switch {
	case t.Degraded > 0 && t.Degraded == t.total:
		problems = ", but with problems"
	case t.Degraded > 0:
		problems = fmt.Sprintf(", %s of them with problems", humanize.Comma(t.Degraded))
	}
	switch stopped := t.Down + t.Blocked; {
	case t.total == 1:
		return t.ofOne(problems)
	case stopped > 0:
		h := &Headline{Main: fmt.Sprintf("%s of %s can't sell", humanize.Comma(stopped), sources)}
		h.add(": ", t.reasons())
		if t.Unknown > 0 {
			h.add("; ", fmt.Sprintf("of %s it is not known", humanize.Comma(t.Unknown)))
		}
		return h
	case t.Unknown > 0:
		return &Headline{Main: fmt.Sprintf("it is not known whether %s of %s can sell", humanize.Comma(t.Unknown), sources)}
	case selling == t.total:
		return &Headline{Main: fmt.Sprintf("all %s sell%s", sources, problems)}
	}
	var others []string
	if t.Pending > 0 {
		others = append(others, plural(t.Pending, "is being connected", "are being connected"))
	}
	if t.Deactivated > 0 {
		others = append(others, plural(t.Deactivated, "is deactivated", "are deactivated"))
	}
	rest := strings.Join(others, ", ")
	if selling == 0 {
		return &Headline{Main: fmt.Sprintf("none of %s sells", sources), mark: ": ", Reason: rest}
	}
	return &Headline{Main: fmt.Sprintf("%s of %s %s%s", humanize.Comma(selling), sources, verb(selling, "sells", "sell"), problems), mark: "; ", Reason: rest}
}

// ofOne is the sentence where there is one source.
func (t *tally) ofOne(problems string) *Headline {
	switch {
	case t.Down+t.Blocked > 0:
		c := slices.Index(t.causes[:], 1)
		return &Headline{Main: "the one source can't sell", mark: ": ", Reason: "it " + causes[c].one}
	case t.Unknown > 0:
		return &Headline{Main: "it is not known whether the one source can sell"}
	case t.Pending > 0:
		return &Headline{Main: "the one source is being connected"}
	case t.Deactivated > 0:
		return &Headline{Main: "the one source is deactivated"}
	}
	return &Headline{Main: "the one source sells" + problems}
}

// reasons lists what keeps sources from selling, the commonest first.
func (t *tally) reasons() string {
	order := []cause{causeGone, causeAdServer, causeRefused, causeSetup, causeProducts, causeOther}
	slices.SortStableFunc(order, func(a, b cause) int { return int(t.causes[b] - t.causes[a]) })
	var said []string
	for _, c := range order {
		if n := t.causes[c]; n > 0 {
			said = append(said, plural(n, causes[c].one, causes[c].more))
		}
	}
	return strings.Join(said, ", ")
}

func plural(n int64, one, more string) string { return humanize.Comma(n) + " " + verb(n, one, more) }

func verb(n int64, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
