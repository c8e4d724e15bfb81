package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"unicode/utf8"

	"esagate/upstream/upstreamtest"
)

const demoColumns = 100

// demo is what the demo tells its user: where things are, what to ask and what to look at.
type demo struct {
	out       io.Writer
	base      string // of the gateway
	agentBase string
	agent     *upstreamtest.Agent
	scenes    io.Reader // where the numbers of scenes are typed; nil: nowhere
	story     story
}

// says prints a text, in lines of at most demoColumns.
func (d *demo) says(text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > demoColumns {
			fmt.Fprintln(d.out, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	fmt.Fprintln(d.out, line)
}

// introduce prints what there is to look at, to paste and to play.
func (d *demo) introduce() {
	fmt.Fprintf(d.out, "\n  %-18s%-10s%s\n", "SOURCE", "SHOWS", "LOOK AT")
	for _, s := range upstreamtest.Sources() {
		fmt.Fprintf(d.out, "  %-18s%-10s%s\n", s.SourceID, s.State, s.LookAt)
	}
	fmt.Fprintln(d.out, "\nIn another terminal:")
	_, err := exec.LookPath("jq")
	for _, c := range d.commands(err == nil) {
		fmt.Fprintf(d.out, "\n  # %s\n  %s\n", c.about, c.line)
	}
	how, tell := "in another terminal:", "start the demo with --story call, or with --story curl"
	if d.scenes != nil {
		how, tell = "type a number and Enter here, or", "type call (for esagate call) or curl and Enter here"
	}
	fmt.Fprintf(d.out, `
The wall  %[1]s/ops
          sign in with %[2]s, or with %[3]s for customer %[4]d alone
The API   %[1]s/docs
Admin UI  the sales agent's own, behind a button on the page of each source
Buyers    by MCP and by A2A, with the same keys: %[1]s/mcp/harbour-news
          and %[1]s/a2a/harbour-news
The story have %[8]s sell: a default advertiser, a product, a signal, a media buy, a buyer;
          %[7]s
Scenes    break the sales agent or an ad server, and mend them; %[6]s
          curl -X POST %[5]s/_agent/scene/agent-unplugged

`, d.base, demoOperator, demoKey, upstreamtest.FirstCustomer, d.agentBase, how, tell, d.story.tenant.Name)
	d.menu()
	fmt.Fprintln(d.out, "\nCtrl-C ends it.")
}

// demoLine is a command to paste, of two lines at most.
type demoLine struct{ about, line string }

// commands gives what to paste; with jq, where that is there.
func (d *demo) commands(jq bool) []demoLine {
	key := "-H 'Authorization: Bearer " + demoKey + "'"
	curl := func(path, args, filter string) string {
		line := fmt.Sprintf("curl -s %s/api/v2/storefront%s \\\n    %s%s", d.base, path, key, args)
		switch {
		case filter == "":
			return line
		case jq:
			return line + " | jq " + filter
		}
		return line + ` -w '\n'`
	}
	status := fmt.Sprintf("ESAGATE_KEY=%s %s status", demoKey, program())
	if d.base != "http://"+demoAddress {
		status += " \\\n    --url " + d.base
	}
	const granite = "/inventory-sources/granite-video/status"
	return []demoLine{
		{"how all sources stand, the worst first; --watch follows them", status},
		{"the same for programs", curl("/overview", "", "'.headline, .counts'")},
		{"what is wrong with one, and what to do", curl(granite, "", "'.operational, .setupTasks.items[0]'")},
		{"how old that is (Age), and its ETag", curl(granite, " -o /dev/null -D -", "")},
		{"have one synced: 7 s later the wall shows it live", curl("/inventory-sources/loft-living/refresh", " -X POST", ".")},
		{"a link to the sales agent's own pages of one, which works once and for 60 s", curl("/inventory-sources/harbour-news/launch", " -X POST", "-r .url")},
	}
}

// program is how to start this program again.
func program() string {
	if strings.Contains(os.Args[0], "go-build") { // go run's, which it deletes
		if _, err := os.Stat("cmd/esagate"); err == nil {
			return "go run ./cmd/esagate"
		}
	}
	return os.Args[0]
}
