package upstreamtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mediaBuy is what lists look at.
type mediaBuy struct {
	ID        string `json:"media_buy_id"`
	Principal string `json:"principal_id"`
	Status    string `json:"status"`
	Starts    string `json:"flight_start_date"`
	CreatedAt string `json:"created_at"`
}

func readBuy(doc json.RawMessage) (b mediaBuy) {
	mustRead(doc, &b)
	return b
}

// listBuys gives a page of media buys, the newest first. A day that can't be read is no filter, and a cursor
// that can't be read is page one.
func listBuys(q *inquiry) answer {
	status, principal := q.query.Get("status"), q.query.Get("principal_id")
	from, to := q.day("from_date"), q.day("to_date")
	docs := q.buys.all(func(doc json.RawMessage) bool {
		b := readBuy(doc)
		return (status == "" || b.Status == status) && (principal == "" || b.Principal == principal) &&
			(from == "" || b.Starts >= from) && (to == "" || b.Starts <= to)
	})
	slices.SortFunc(docs, func(x, y json.RawMessage) int {
		a, b := readBuy(x), readBuy(y)
		return cmp.Or(strings.Compare(b.CreatedAt, a.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	var after mediaBuy
	_ = json.Unmarshal(decoded(q.query.Get("cursor")), &after) // a zero one for what can't be read
	offset := 1 + slices.IndexFunc(docs, func(doc json.RawMessage) bool { return readBuy(doc).ID == after.ID })
	docs, next := page(docs, offset, q.limit(50, 500))
	cursor := ""
	if next > 0 {
		last := readBuy(docs[len(docs)-1])
		cursor = base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"created_at": %q, "media_buy_id": %q}`, last.CreatedAt, last.ID))
	}
	for i, doc := range docs {
		docs[i] = complete(doc, element("listEsaMediaBuys"), q.owner.Status.Build)
	}
	return says200(listed("media_buys", docs, true, cursorMember(next, cursor)))
}

// day gives a day of the query; "" for what is none.
func (q *inquiry) day(name string) string {
	text := q.query.Get(name)
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return ""
	}
	return text
}

func getBuy(q *inquiry) answer {
	if doc := q.buys.get(q.part); doc != nil {
		return q.gives(http.StatusOK, doc, document("getEsaMediaBuy"))
	}
	return problem(http.StatusNotFound, "media_buy_not_found", fmt.Sprintf("There is no media buy '%s'.", q.part), nil)
}

// buyEvent is a change of a media buy's status.
type buyEvent struct {
	At     string  `json:"occurred_at"`
	Status string  `json:"status"`
	Note   *string `json:"note"`
}

// SetMediaBuy gives a media buy a status, as happens on the agent's side of it; false where there is none of
// that tenant. "" for note: null.
func (a *Agent) SetMediaBuy(tenantID, id, status, note string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := &inquiry{owner: a.tenants[tenantID], now: a.opts.Now(), agent: a}
	if q.owner == nil {
		return false
	}
	q.open()
	doc := q.buys.get(id)
	if doc == nil {
		return false
	}
	var history struct {
		Events []buyEvent `json:"status_history"`
	}
	mustRead(doc, &history)
	q.buys.put(id, with(doc, named{"status", status},
		named{"status_history", append(history.Events, buyEvent{stamp(q.now, q.owner.zone()), status, orNull(note)})}))
	q.owner.uncache()
	a.tellChange()
	return true
}

// stockBuy writes a media buy of the stock out.
func (q *inquiry) stockBuy(doc json.RawMessage) json.RawMessage {
	var brief struct {
		History [][3]*string `json:"history"`
	}
	mustRead(doc, &brief)
	events := []buyEvent{}
	for _, e := range brief.History {
		events = append(events, buyEvent{At: *e[1], Status: *e[0], Note: e[2]})
	}
	return with(doc, named{"currency", q.owner.currency}, named{"status_history", events})
}

// listBuyers gives the buyers of the last days, the latest first.
func listBuyers(q *inquiry) answer {
	days, err := strconv.Atoi(q.query.Get("days"))
	if err != nil {
		days = 30
	}
	days = min(max(days, 1), 365)
	since := stamp(q.now.AddDate(0, 0, -days), q.owner.zone())
	docs := q.buyers.all(func(doc json.RawMessage) bool { return member(doc, "last_seen_at") >= since })
	slices.SortFunc(docs, func(x, y json.RawMessage) int {
		return strings.Compare(member(y, "last_seen_at"), member(x, "last_seen_at"))
	})
	docs = docs[:min(len(docs), q.limit(100, 1000))]
	for i, doc := range docs {
		docs[i] = complete(doc, element("listEsaRecentBuyers"), q.owner.Status.Build)
	}
	return says200(listed("buyers", docs, false))
}
