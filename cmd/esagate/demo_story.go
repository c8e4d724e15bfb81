package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"esagate/api"
	"esagate/upstream/upstreamtest"
)

// storySource is the source that the story is about: a setup task keeps it from selling.
const storySource = "alder-press"

// Forms of the story's commands, as they are typed.
const (
	byCall = "call"
	byCurl = "curl"
)

// story is what the story is about.
type story struct {
	tenant upstreamtest.Tenant
	esaID  string
}

// findStory finds what the story is about.
func (d *demo) findStory(ctx context.Context, a *app) error {
	all := upstreamtest.Sources()
	s := all[slices.IndexFunc(all, func(s upstreamtest.Source) bool { return s.SourceID == storySource })]
	src, err := a.directory.ManagedSource(ctx, s.CustomerID, s.SourceID)
	if err != nil {
		return err
	}
	d.story = story{s.Tenant, strconv.FormatInt(src.Connection.ID, 10)}
	return nil
}

// step is one command of the story: an operation on its source.
type step struct {
	about     string
	operation string
	before    string   // a switch of the sales agent that is turned first; "": none
	arguments []string // name=value, beside the source
	body      string   // JSON, in lines; "": none
	filter    string   // of jq, where that is there
	posts     string   // where a body goes that is for no operation, below the gateway's address; "": it is for one
}

// steps are the story.
func steps(t upstreamtest.Tenant) []step {
	signal := func(more string) string {
		return `{"signalId": "section_sport", "name": "Section: sport", "valueType": "binary",
"adapterConfig": {"type": "passthrough", "kind": "custom_key_value",
  "key_id": "` + t.SectionKeyID() + `"` + more + `}}`
	}
	return []step{
		{
			about: "what keeps it from selling", operation: "getEsaStatus",
			filter: "'.setupTasks.items[0] | .name, .description'",
		},
		{
			about: "advertisers that could take the orders of buyers whom nobody mapped", operation: "listEsaGamAdvertisers",
			arguments: []string{"q=northgate"}, filter: "-c '.advertisers[]'",
		},
		{
			about: "Northgate Tea does: within 2 s the wall shows that it sells", operation: "setEsaDefaultGamAdvertiser",
			body: `{"gamAdvertiserId": "` + t.AdvertiserID(0) + `"}`, filter: ".",
		},
		{
			about: "a product, sold on its front page", operation: "createEsaProduct",
			body: `{"name": "Front page, mornings", "status": "active", "channels": ["display"],
"format_options": [{"format_kind": "image", "params": {}}],
"inventory": {
  "publisher_properties": [{"publisher_domain": "` + storySource + `.example"}],
  "execution": {"adapter": "` + t.AdServer.Type + `",
    "selectors": [{"selector_type": "ad_unit", "external_id": "` + t.FrontPageID() + `"}]}}}`,
			filter: "'{wholesaleProductId, status}'",
		},
		{
			about: "a signal, tried and not made: what is wrong is named by its place", operation: "createEsaSignal",
			arguments: []string{"dry_run=true"}, body: signal(""), filter: ".",
		},
		{
			about: "the same, mended, and made", operation: "createEsaSignal",
			body:   signal(`, "value_id": "` + t.SportID() + `"`),
			filter: "'{signalId, etag}'",
		},
		{
			about: "a media buy that waits for a person to approve it", operation: "listEsaMediaBuys",
			arguments: []string{"status=pending_approval"}, filter: "-c '.mediaBuys[] | {mediaBuyId, principalName, totalBudget, status}'",
		},
		{
			about: "approved at the sales agent it runs, as its history tells", operation: "getEsaMediaBuy",
			before:    "media-buy/" + t.ID + "/" + t.PendingBuyID() + "/active",
			arguments: []string{"mediaBuyId=" + t.PendingBuyID()}, filter: "-c '.status, .statusHistory[]'",
		},
		{
			about: "the sales agent's own page of its products: open the link within 60 s, it works once", operation: "mintEsaLaunchUrl",
			body: `{"path": "/products"}`, filter: "-r .url",
		},
		{
			about: "what a buyer's program finds there by MCP, with the same key: the product too", posts: "/mcp/" + storySource,
			body: `{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
"params": {"name": "get_products", "arguments": {}}}`,
			filter: "-c '.result.structuredContent.products[]'",
		},
	}
}

// tellStory prints the story as commands to paste, with jq where that is there.
func (d *demo) tellStory(form string) {
	_, err := exec.LookPath("jq")
	fmt.Fprintf(d.out, "\nThe story of %s, to paste into another terminal:\n\n  export ESAGATE_URL=%s ESAGATE_KEY=%s\n",
		d.story.tenant.Name, d.base, demoKey)
	for i, s := range steps(d.story.tenant) {
		words, curls := s.call(), form == byCurl
		switch {
		case s.posts != "":
			words, curls = s.post(), true
		case curls:
			words = s.curl(d.story.esaID)
		}
		switch {
		case err == nil && s.posts != "": // an answer is an event
			words = append(words, "| sed -n 's/^data: //p' | jq "+s.filter)
		case err == nil:
			words = append(words, "| jq "+s.filter)
		case curls:
			words = append(words, `-w '\n'`)
		}
		if s.before != "" {
			words = append([]string{"curl -s -X POST " + d.agentBase + "/_agent/" + s.before + " &&"}, words...)
		}
		fmt.Fprintf(d.out, "\n  # %d %s\n  %s\n", i+1, s.about, strings.ReplaceAll(wrapped(words), "\n", "\n    "))
	}
	fmt.Fprintln(d.out)
}

// call gives the words of an esagate call.
func (s *step) call() []string {
	words := append([]string{program(), "call " + s.operation, "source=" + storySource}, s.arguments...)
	if s.body != "" {
		words = append(words, "-d '"+s.body+"'")
	}
	return words
}

// curl gives the words of the same with curl.
func (s *step) curl(esaID string) []string {
	op := api.Operations()[s.operation]
	to, between := "$ESAGATE_URL"+strings.Replace(op.Path, "{esaId}", esaID, 1), "?"
	for _, argument := range s.arguments {
		name, value, _ := strings.Cut(argument, "=")
		if in := "{" + name + "}"; strings.Contains(to, in) {
			to = strings.Replace(to, in, value, 1)
			continue
		}
		to, between = to+between+argument, "&"
	}
	words := []string{"curl -s"}
	if op.Method != "GET" {
		words = append(words, "-X "+op.Method)
	}
	words = append(words, `"`+to+`"`, `-H "Authorization: Bearer $ESAGATE_KEY"`)
	if s.body != "" {
		words = append(words, "-H 'Content-Type: application/json'", "-d '"+s.body+"'")
	}
	return words
}

// post gives the words of a call that is no operation's.
func (s *step) post() []string {
	return []string{
		"curl -s", `"$ESAGATE_URL` + s.posts + `"`, `-H "Authorization: Bearer $ESAGATE_KEY"`, "-H 'Content-Type: application/json'",
		"-H 'Accept: application/json, text/event-stream'", "-d '" + s.body + "'",
	}
}

// wrapped puts words into as many lines of a command as demoColumns wants; a word may be lines of its own.
func wrapped(words []string) string {
	const indented = 6 // by whom it is printed, and the mark of a line that goes on
	text, column := words[0], len(words[0])
	for _, word := range words[1:] {
		first, _, _ := strings.Cut(word, "\n")
		if column+1+utf8.RuneCountInString(first) > demoColumns-indented || strings.Contains(word, "\n") {
			text, column = text+" \\\n"+word, 0
		} else {
			text += " " + word
		}
		last := text[strings.LastIndexByte(text, '\n')+1:]
		column = utf8.RuneCountInString(last)
	}
	return text
}
