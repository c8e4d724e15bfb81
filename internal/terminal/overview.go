package terminal

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

const (
	pageSize = 200
	maxItems = 100_000
)

// Row is a source as the gateway last told of it.
type Row struct {
	api.OverviewItem
	raw    jsontext.Value // the item as it came; nil of one that an event told of
	readAt time.Time      // when it came
}

// id tells a source from all others.
func (r *Row) id() sourceID { return sourceID{r.CustomerID, r.SourceID} }

type sourceID struct {
	customer int64
	source   string
}

// Wall is how sources stand, the worst first. Headline and Counts are of all of the key's.
type Wall struct {
	Headline string
	Counts   api.StateCounts
	Rows     []Row

	document api.Members[jsontext.Value] // of the first page
}

// page is what is read of an overview; other members are of no use here.
type page struct {
	Headline string           `json:"headline"`
	Counts   *api.StateCounts `json:"counts"`
	Items    []jsontext.Value `json:"items"`
	Total    int64            `json:"total"`
}

var errNoOverview = &Problem{text: "what answers there is no esagate: its overview can't be read"}

// Overview reads how sources stand, all pages of it. Without states it is of all of them; a text
// is part of what a row shows.
func (c *Client) Overview(ctx context.Context, states []string, text string, history bool) (*Wall, error) {
	// Pages in the order of states would lose a source that changes its state meanwhile.
	query := url.Values{"sort": {"sourceId"}, "take": {strconv.Itoa(pageSize)}}
	if len(states) > 0 {
		query["state"] = states
	}
	if text != "" {
		query.Set("q", text)
	}
	if history {
		query.Set("include", "history")
	}
	wall := &Wall{}
	seen := map[sourceID]bool{}
	for skip := 0; ; skip += pageSize {
		if skip >= maxItems {
			return nil, &Problem{text: "there are more sources than can be shown: ask for some with --state"}
		}
		query.Set("skip", strconv.Itoa(skip))
		got, document, err := c.page(ctx, query)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for _, raw := range got.Items {
			row := Row{raw: raw, readAt: now}
			if json.Unmarshal(raw, &row.OverviewItem) != nil {
				return nil, errNoOverview
			}
			if !seen[row.id()] {
				seen[row.id()] = true
				wall.Rows = append(wall.Rows, row)
			}
		}
		wall.Headline, wall.Counts = got.Headline, *got.Counts
		if skip == 0 {
			wall.document = document
		}
		if len(got.Items) == 0 || int64(skip+pageSize) >= got.Total {
			break
		}
	}
	wall.sort()
	return wall, nil
}

// headline reads what is said of all sources, and none of them.
func (c *Client) headline(ctx context.Context) (string, error) {
	got, _, err := c.page(ctx, url.Values{"take": {"1"}})
	if err != nil {
		return "", err
	}
	return got.Headline, nil
}

// page reads one page, which an operator may have wrapped (server.envelope).
func (c *Client) page(ctx context.Context, query url.Values) (got page, document api.Members[jsontext.Value], err error) {
	body, err := c.read(ctx, overviewPath, query)
	if err != nil {
		return got, nil, err
	}
	if json.Unmarshal(body, &document) != nil {
		return got, nil, errNoOverview
	}
	if at := document.Index("data"); at >= 0 {
		body = document[at].Value
		if document = nil; json.Unmarshal(body, &document) != nil {
			return got, nil, errNoOverview
		}
	}
	if json.Unmarshal(body, &got) != nil || got.Counts == nil {
		return got, nil, errNoOverview
	}
	return got, document, nil
}

// JSON gives the API's document, with the items of all pages.
func (w *Wall) JSON() []byte {
	items := jsontext.Value{'['}
	for i := range w.Rows {
		if i > 0 {
			items = append(items, ',')
		}
		items = append(items, w.Rows[i].raw...)
	}
	document := slices.Clone(w.document)
	if at := document.Index("items"); at >= 0 {
		document[at].Value = append(items, ']')
	}
	return JSON(api.Encode(document), false)
}

// JSON gives the item of the API's document.
func (r *Row) JSON() []byte { return JSON(r.raw, false) }

// sort puts the worst first, as the gateway does: by state, then by how bad the issue is, then
// those that have been so for longest.
func (w *Wall) sort() {
	slices.SortFunc(w.Rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(rank(a.State), rank(b.State)),
			cmp.Compare(b.severity(), a.severity()),
			a.Since.Time.Compare(b.Since.Time),
			cmp.Compare(a.CustomerID, b.CustomerID),
			strings.Compare(a.SourceID, b.SourceID),
		)
	})
}

// severity is that of the worst issue, none the least.
func (r *Row) severity() int {
	switch {
	case r.Issue == nil:
		return 0
	case r.Issue.Severity == "critical":
		return 2
	}
	return 1
}

// Only leaves out the rows that are not in one of some states; none are all.
func (w *Wall) Only(states []string) *Wall {
	if len(states) == 0 {
		return w
	}
	out := *w
	out.Rows = nil
	for i := range w.Rows {
		if slices.Contains(states, w.Rows[i].State) {
			out.Rows = append(out.Rows, w.Rows[i])
		}
	}
	return &out
}

// Bad reports whether any row is of a source that is blocked or down.
func (w *Wall) Bad() bool {
	return slices.ContainsFunc(w.Rows, func(r Row) bool { return isBad(r.State) })
}
