package ops

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"esagate/api"
	"esagate/transform"
)

// Advice says in a sentence what is wrong with a source, or something of it, and where that is mended. Its text can
// hold words of other systems: it is text, and never markup.
type Advice struct {
	Text string
	Link Link
}

// Bounds of other systems' words in a sentence, in characters.
const (
	mostMessage = 240
	mostName    = 60
	mostNamed   = 3 // tasks
)

// issueTexts say what an issue means for the business, by its code; those of syncs have syncTexts. Where the
// text is "" the issue's own message is shown.
var issueTexts = map[string]struct {
	text, link string
	at         string // a part of the source's page
	first      bool   // it is what keeps a source from selling, also where setup tasks are open
}{
	"ADAPTER_DISCONNECTED": {text: "The ad server is not connected: nothing can be sold or reported.",
		link: "Reconnect the ad server", at: "connection"},
	"ADAPTER_NETWORK_NOT_FOUND": {text: "The ad server does not know the network or account that is configured: nothing can be sold.",
		link: "Correct the configuration", at: "connection", first: true},
	"ADAPTER_PERMISSION_DENIED": {text: "The ad server gives the saved account no access to this network: nothing can be sold.",
		link: "Give access, then test again", at: "connection", first: true},
	"ADAPTER_INVALID_CREDENTIALS": {text: "The ad server refuses the saved account: nothing can be sold or reported.",
		link: "Reconnect the ad server", at: "connection", first: true},
	"ADAPTER_INVALID_CONFIG": {text: "The configuration of the ad server is not complete or not valid: nothing can be sold.",
		link: "Correct the configuration", at: "connection", first: true},
	"ADAPTER_CONNECTION_FAILED": {text: "The ad server could not be reached: nothing can be sold.",
		link: "Test again", at: "connection", first: true},
	"INTERNAL_ERROR": {text: "Connecting the ad server went wrong on our side: nothing can be sold.",
		link: "Test again", at: "connection", first: true},
	transform.IssueConnectionFailed: {text: "The ad server could not be connected: nothing can be sold.",
		link: "Check the connection", at: "connection", first: true},
	transform.IssueTenantNotFound: {text: "The sales agent does not know this source any more: nothing can be sold.",
		link: "See the connection", at: "connection", first: true},
	transform.IssueNoActiveProducts: {text: "No product is active: there is nothing that buyers can book.",
		link: "See the products", at: "products"},
	transform.IssueNoNews: {text: "Nothing was heard of it for so long that its last state counts no more.",
		link: "See what is known", at: "connection"},
	"SETUP_BLOCKED": {link: "Open setup", at: "tasks"},
	"STATUS_STALE": {text: "The sales agent gives no newer status: what is shown may be out of date.",
		link: "See what it says", at: "connection"},
}

// taskTexts say what has to be done for a setup task, by its id. Other tasks are called by their names.
var taskTexts = map[string]string{
	"ad_server_configured":    "connect an ad server",
	"ad_server_connected":     "connect an ad server",
	"source_provisioned":      "set the source up",
	"connection_verified":     "test the connection",
	"sync_webhook_subscribed": "have syncs notified",
	"inventory_synced":        "sync the inventory",
	"products_created":        "put a product on sale",
	"principals_created":      "add a buyer",
	"currency_limits":         "allow a currency",
	"gam_default_advertiser":  "choose an advertiser",
}

// OfItem says how a source of an overview stands.
func (s Storefront) OfItem(now time.Time, item *api.OverviewItem) Advice {
	at := Place{item.CustomerID, item.SourceID}
	advice := s.ofState(now, item, at)
	if item.Stale && item.Age != nil && item.State != transform.StateDeactivated {
		advice.Text += fmt.Sprintf(" That is as of %s ago: the sales agent gives no newer status.", Short(time.Duration(*item.Age)*time.Second))
	}
	return advice
}

func (s Storefront) ofState(now time.Time, item *api.OverviewItem, at Place) Advice {
	page := func(text, link string) Advice { return Advice{text, Link{link, at.Path(), false}} }
	blocked := item.State == transform.StateBlocked
	switch {
	case item.State == transform.StateDeactivated:
		return Advice{"It is deactivated: it sells nothing until it is reactivated.", Link{"Reactivate it", at.at("connection"), false}}
	case item.State == transform.StatePending && len(item.Blockers) > 0 && item.AdServer == nil:
		return s.waits(item.Blockers, at)
	case item.State == transform.StatePending:
		return page("It is being connected to the sales agent, which can take some minutes.", "See how far it is")
	case item.Issue == nil && item.State == transform.StateLive:
		return page("It sells, and everything about it works.", "See the source")
	case item.Issue == nil && item.State == transform.StateUnknown && item.Breaker == "open":
		return page("The sales agent gives no status of it, so it is not known whether it can sell.", "See what is known")
	case item.Issue == nil && item.State == transform.StateUnknown:
		return page("Its status was not read yet, so it is not known whether it can sell.", "See what is known")
	case blocked && len(item.Blockers) > 0 && (item.Issue == nil || !issueTexts[item.Issue.Code].first):
		return s.waits(item.Blockers, at)
	case item.Issue == nil && (blocked || item.State == transform.StateDown):
		return page("Something keeps it from selling.", "See what it says")
	case item.Issue == nil:
		return page("Something about it does not work.", "See what it says")
	}
	code := item.Issue.Code
	if blocked && strings.HasPrefix(code, syncPrefix) { // a sync keeps no source from selling
		code = transform.IssueNoActiveProducts
	}
	issue := issue{code: code, message: item.Issue.Message, path: item.Issue.ConfigurePath, blockers: item.Blockers, now: now, at: at}
	issue.good = func(stream string) (last api.Timestamp, known bool) {
		if i := item.Syncs.Index(stream); i >= 0 {
			return item.Syncs[i].Value.LastSuccessAt, true
		}
		return last, false
	}
	advice := s.of(&issue)
	if more := item.IssueCount - 1; more > 0 {
		advice.Text = strings.TrimSuffix(advice.Text, ".") + " (and " + Plural(more, "more issue", "more issues") + ")."
	}
	return advice
}

// OfIssue says what an issue of a source's status means.
func (s Storefront) OfIssue(now time.Time, at Place, is *api.OperationalIssue, status *api.Status) Advice {
	issue := issue{code: is.Code, message: is.Message, path: is.ConfigurePath, now: now, at: at}
	for _, task := range status.SetupTasks.Items[:min(int(status.SetupTasks.BlockerCount), len(status.SetupTasks.Items))] {
		issue.blockers = append(issue.blockers, api.OverviewBlocker{ID: task.ID, Name: task.Name, ConfigurePath: task.ConfigurePath})
	}
	issue.good = func(stream string) (last api.Timestamp, known bool) {
		if i := status.Syncs.Index(stream); i >= 0 {
			return status.Syncs[i].Value.LastSuccessAt, true
		}
		return last, false
	}
	advice := s.of(&issue)
	for i := range status.Syncs {
		sync := &status.Syncs[i]
		if texts, ok := syncTexts[sync.Name]; ok && sync.Value.Issue != nil && strings.HasPrefix(is.Code, syncPrefix+texts.code) {
			s.ofAction(&advice.Link, at, sync.Value.Issue)
		}
	}
	return advice
}

// issue is an issue, with what there is to say about it.
type issue struct {
	code, message string
	path          *string
	blockers      []api.OverviewBlocker
	good          func(stream string) (last api.Timestamp, known bool)
	now           time.Time
	at            Place
}

func (s Storefront) of(is *issue) Advice {
	if is.code == "SETUP_BLOCKED" && len(is.blockers) > 0 {
		return s.waits(is.blockers, is.at)
	}
	if advice, ok := s.ofSyncIssue(is); ok {
		return advice
	}
	known, ok := issueTexts[is.code]
	if is.code == "ADAPTER_DISCONNECTED" {
		is.path = adServerPath(is.blockers) // its own is that of any task
	}
	switch {
	case ok:
	case is.path != nil:
		known.link, known.at = "Open setup", "tasks"
	default:
		known.link = "See what it says"
	}
	text := cmp.Or(known.text, sentence(is.message), "Something about it does not work.")
	if known.at == "" && is.path == nil {
		return Advice{text, Link{known.link, is.at.Path(), false}}
	}
	return Advice{text, s.link(known.link, is.path, is.at, known.at)}
}

// adServerPath gives where the open task of the ad server is dealt with, nil where that is not known.
func adServerPath(blockers []api.OverviewBlocker) *string {
	for i := range blockers {
		if b := &blockers[i]; taskTexts[b.ID] == taskTexts["ad_server_connected"] && b.ConfigurePath != nil {
			return b.ConfigurePath
		}
	}
	return nil
}

// waits says which setup tasks a source waits for.
func (s Storefront) waits(blockers []api.OverviewBlocker, at Place) Advice {
	var todo []string
	first := &blockers[0]
	for i := range blockers {
		b := &blockers[i]
		if b.ID == "source_provisioned" && len(blockers) > 1 {
			continue // it follows from the others
		}
		text := cmp.Or(taskTexts[b.ID], bounded(cmp.Or(b.Name, b.ID), mostName))
		if slices.Contains(todo, text) {
			continue
		}
		if todo = append(todo, text); len(todo) == 1 {
			first = b
		}
	}
	text := "Waits for one task: "
	if n := len(todo); n > 1 {
		text = "Waits for " + inWords(n) + " tasks: "
	}
	more := ""
	if len(todo) > mostNamed {
		more = fmt.Sprintf(", and %s more", inWords(len(todo)-mostNamed))
		todo = todo[:mostNamed]
	}
	return Advice{text + stopped(strings.Join(todo, ", ")+more), s.ofTaskLink(first.ID, first.ConfigurePath, at)}
}

func (s Storefront) ofTaskLink(id string, path *string, at Place) Link {
	text := "Open setup"
	if todo, ok := taskTexts[id]; ok {
		text = upperFirst(todo)
	}
	return s.link(text, path, at, taskID(id))
}

// OfTask says what is to be done for a setup task; a complete one has no link.
func (s Storefront) OfTask(at Place, task *api.SetupTask) Advice {
	advice := Advice{Text: cmp.Or(sentence(task.Description), sentence(task.Name), sentence(task.ID))}
	if !task.IsComplete {
		advice.Link = s.ofTaskLink(task.ID, task.ConfigurePath, at)
	}
	return advice
}

// inWords gives a number of things as one reads it.
func inWords(n int) string {
	if n > 0 && n < len(small) {
		return small[n]
	}
	return Count(n)
}

var small = [...]string{1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}

// sentence gives the words of others on one line, bounded and with a stop.
func sentence(text string) string { return stopped(bounded(text, mostMessage)) }

func stopped(text string) string {
	if text == "" || strings.ContainsRune(".!?…", lastRune(text)) {
		return text
	}
	return text + "."
}

// bounded gives the words of others on one line.
func bounded(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:most-1]), " ") + "…"
}

func lastRune(text string) rune {
	r, _ := utf8.DecodeLastRuneInString(text)
	return r
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
