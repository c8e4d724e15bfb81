package ops

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"esagate/status"
	"esagate/transform"
)

// WallRows is how many sources a page of the wall has.
const WallRows = 100

// wallPath is where the wall is.
const wallPath = "/ops"

// WallView is what the page of all sources shows.
type WallView struct {
	Page
	Overview   *status.Overview     // with facets, and the states of the last 24 hours
	Query      status.OverviewQuery // which gave Overview
	NoHistory  bool                 // those states can't be read at the moment
	RedisAway  bool                 // the Redis that replicas share, which only an operator is told
	Storefront Storefront
	Machine    *Machine // nil: nothing is said of it
}

var wallTemplate = parse("wall.html", "machine.html")

// Wall gives the page of all sources.
func Wall(v WallView) []byte {
	v.Events = v.events()
	if n := v.Overview.Counts.Down + v.Overview.Counts.Blocked; n > 0 {
		v.Title = Count(n) + " can't sell" // what a tab has room for
	}
	return render(wallTemplate, &v)
}

// NeedsHand reports whether the wall shows only what somebody has to look at: unless somebody asks for
// something else.
func NeedsHand(q *status.OverviewQuery) bool {
	return len(q.States) == 0 && q.Text == "" && q.AdServer == "" && q.Issue == "" && sortOf(q) == string(status.ByState)
}

// address gives the address of the wall with another query.
func (v *WallView) address(q status.OverviewQuery) string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("q", q.Text)
	set("adServer", q.AdServer)
	set("issue", q.Issue)
	if v.Viewer.Operator && q.Customer != 0 {
		set("customer", strconv.FormatInt(q.Customer, 10))
	}
	for _, state := range q.States {
		values.Add("state", state)
	}
	if sort := sortOf(&q); sort != string(status.ByState) {
		set("sort", sort)
	}
	if page := q.Skip / WallRows; page > 0 {
		set("page", strconv.Itoa(page+1))
	}
	if len(values) == 0 {
		return wallPath
	}
	return wallPath + "?" + values.Encode()
}

// Self gives the page's own address.
func (v *WallView) Self() string { return v.address(v.Query) }

// Plain gives the address without filters; the customer stays.
func (v *WallView) Plain() string { return v.address(status.OverviewQuery{Customer: v.Query.Customer}) }

// events gives the address of the events of the sources shown.
func (v *WallView) events() string {
	if v.Viewer.Operator && v.Query.Customer != 0 {
		return wallPath + "/events?customer=" + strconv.FormatInt(v.Query.Customer, 10)
	}
	return wallPath + "/events"
}

func sortOf(q *status.OverviewQuery) string {
	sort := cmp.Or(q.Order, status.ByState)
	if q.Descending {
		return "-" + string(sort)
	}
	return string(sort)
}

// AllCustomers reports whether rows can be of different customers.
func (v *WallView) AllCustomers() bool { return v.Viewer.Operator && v.Query.Customer == 0 }

// Refused names sources whose agents refuse their credentials.
type Refused struct {
	Count int64
	Names []string // with the customer's id, where rows can be of different customers
	More  int64    // that are not named
}

// maxRefused is how many are named.
const maxRefused = 5

// Refused gives the sources whose agents refuse their credentials; nil: there are none.
func (v *WallView) Refused() *Refused {
	issues := v.Overview.AgentIssues
	if len(issues) == 0 {
		return nil
	}
	r := &Refused{Count: int64(len(issues))}
	for _, issue := range issues[:min(len(issues), maxRefused)] {
		name := issue.Name
		if v.AllCustomers() {
			name += " (customer " + strconv.FormatInt(issue.CustomerID, 10) + ")"
		}
		r.Names = append(r.Names, name)
	}
	r.More = r.Count - int64(len(r.Names))
	return r
}

// None reports whether there are no sources at all.
func (v *WallView) None() bool { return v.total() == 0 }

func (v *WallView) total() (n int64) {
	for _, state := range transform.States {
		n += *v.Overview.Counts.Of(state)
	}
	return n
}

// Lead is what the page says first.
type Lead struct {
	Mood   string // "away": the sales agent can't be asked; "bad": sources can't sell; "" or "good"
	Text   string // a sentence, or two
	Reason string // a sentence more; "": there is none
}

// Lead gives what the page says first: whether somebody has to act, and whose fault it is.
func (v *WallView) Lead() Lead {
	h, counts := v.Overview.Lead, &v.Overview.Counts
	main, reason := h.Main+".", ""
	if h.Reason != "" {
		reason = upperFirst(h.Reason) + "."
	}
	switch {
	case h.Agent != "" && counts.Down+counts.Blocked == 0 && counts.Unknown > 0: // main says so by itself
		return Lead{"away", h.Agent + ".", sentences(v.remedy(), upperFirst(main), reason)}
	case h.Agent != "":
		return Lead{"away", h.Agent + ".", sentences(v.remedy(), "As last known, "+main, reason)}
	case v.None():
		return Lead{"", upperFirst(main), ""}
	case counts.Down+counts.Blocked > 0 && h.Well:
		return Lead{"bad", upperFirst(main) + " The sales agent is well.", reason}
	case counts.Down+counts.Blocked > 0:
		return Lead{"bad", upperFirst(main), reason}
	case counts.Live == v.total() && h.Well:
		return Lead{"good", upperFirst(main) + " The sales agent is well.", reason}
	}
	return Lead{"", upperFirst(main), reason}
}

// remedy says what is to be done about a sales agent that can't be asked.
func (v *WallView) remedy() string {
	if v.Machine != nil && v.Machine.Agent == "key_refused" {
		return "Correct its key in the gateway's configuration."
	}
	return "The gateway keeps asking it."
}

// sentences puts those together that are not "".
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// Tile is a count that filters.
type Tile struct {
	StateLook
	Count  int64
	URL    string
	Chosen bool
}

// tileOrder is how the counts stand: what needs a hand, what is on its way or works, what is not known or off.
var tileOrder = []string{
	transform.StateDown, transform.StateBlocked, transform.StateDegraded, transform.StatePending,
	transform.StateLive, transform.StateUnknown, transform.StateDeactivated,
}

// Tiles gives the counts. Each leads to the sources that it counts, beside those that were chosen before; a
// chosen one leads back.
func (v *WallView) Tiles() []Tile {
	tiles := make([]Tile, len(tileOrder))
	for i, state := range tileOrder {
		q := v.Query
		q.Skip, q.States = 0, nil
		chosen := slices.Contains(v.Query.States, state)
		for _, s := range tileOrder {
			if (s == state) != slices.Contains(v.Query.States, s) {
				q.States = append(q.States, s)
			}
		}
		tiles[i] = Tile{LookOf(state), *v.Overview.Counts.Of(state), v.address(q), chosen}
	}
	return tiles
}

// Choice is one of the values that a filter can have.
type Choice struct {
	Value, Text string
	Chosen      bool
}

// Select is a filter with the values that it can have.
type Select struct {
	Name, Label string
	All         string // what stands for no value; "": one is always chosen
	Choices     []Choice
}

// Set reports whether another value was chosen than the first.
func (s Select) Set() bool {
	i := slices.IndexFunc(s.Choices, func(c Choice) bool { return c.Chosen })
	return i > 0 || i == 0 && s.All != ""
}

// Selects gives the filters.
func (v *WallView) Selects() (selects []Select) {
	if v.Viewer.Operator {
		selects = append(selects, Select{"customer", "Customer", "All customers", v.customers()})
	}
	f := v.Overview.Facets
	return append(selects,
		Select{"adServer", "Ad server", "All ad servers", choices(f.AdServers, v.Query.AdServer, AdServerName)},
		Select{"issue", "Problem", "All problems", choices(f.Issues, v.Query.Issue, label)},
		Select{"sort", "Order", "", v.sorts()})
}

// customers gives those that an operator can choose. Of one that was chosen no others are known.
func (v *WallView) customers() []Choice {
	chosen := ""
	if v.Query.Customer != 0 {
		chosen = strconv.FormatInt(v.Query.Customer, 10)
	}
	return choices(v.Overview.Facets.Customers, chosen, func(id string) string { return "Customer " + id })
}

func choices(facets []status.Facet, chosen string, write func(string) string) []Choice {
	var out []Choice
	for _, f := range facets {
		out = append(out, Choice{f.Value, write(f.Value) + " (" + Count(f.Count) + ")", f.Value == chosen})
	}
	if chosen != "" && !slices.ContainsFunc(out, func(c Choice) bool { return c.Chosen }) {
		out = append(out, Choice{chosen, write(chosen) + " (none)", true})
	}
	return out
}

// sorts gives the orders that the wall can have.
func (v *WallView) sorts() []Choice {
	sort := sortOf(&v.Query)
	orders := []Choice{
		{"state", "Worst first", false}, {"name", "By name", false}, {"-since", "Latest change first", false},
		{"since", "Longest in its state first", false}, {"-age", "Oldest answer first", false},
		{"customerId", "By customer", false},
	}
	if !v.AllCustomers() {
		orders = orders[:len(orders)-1]
	}
	i := slices.IndexFunc(orders, func(c Choice) bool { return c.Value == sort })
	if i < 0 {
		orders, i = append(orders, Choice{Value: sort, Text: "By " + sort}), len(orders)
	}
	orders[i].Chosen = true
	return orders
}

// Filtered reports whether the rows were asked for, by a filter or an order.
func (v *WallView) Filtered() bool { return !NeedsHand(&v.Query) }

// Heading says what the rows are; what else they are chosen by, the filters say.
func (v *WallView) Heading() string {
	var said []string
	if !v.Filtered() {
		return "Needs a hand"
	}
	for _, t := range v.Tiles() {
		if t.Chosen {
			said = append(said, t.Word)
		}
	}
	heading := strings.Join(said, ", ")
	if heading == "" {
		heading = "All sources"
	}
	return heading
}
