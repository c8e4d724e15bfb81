package upstreamtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Where buyers say for which tenant they come: the host by which they do, or its copy by a server in between, else this.
const (
	tenantHeader = "X-Adcp-Tenant"
	hostHeader   = "Apx-Incoming-Host"
)

// buyer is somebody who buys of a tenant.
type buyer struct{ tenant, principal string }

// buyersTenant finds the tenant that a request is for; a.mu is held.
func (a *Agent) buyersTenant(r *http.Request) *tenantState {
	for _, host := range []string{r.Header.Get(hostHeader), r.Host} {
		name, below := strings.CutSuffix(host, "."+a.opts.Domain)
		if below && a.opts.Domain != "" {
			if t := a.bySubdomain(name); t != nil {
				return t
			}
		}
	}
	named := believed(r.Header, tenantHeader)
	if t := a.tenants[named]; t != nil {
		return t
	}
	return a.bySubdomain(named)
}

func (a *Agent) bySubdomain(name string) *tenantState {
	for _, t := range a.tenants {
		if t.subdomain != "" && t.subdomain == name {
			return t
		}
	}
	return nil
}

// admit lets a buyer in, or says why not. There are no tokens of buyers: one that comes is taken for one and refused,
// and wins over all else that the request says.
func (a *Agent) admit(r *http.Request) (buyer, answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if token := cmp.Or(believed(r.Header, "Authorization"), believed(r.Header, "X-Adcp-Auth")); token != "" {
		return buyer{}, problem(http.StatusUnauthorized, "invalid_token", "There is no buyer with the token "+token+".", nil)
	}
	t := a.buyersTenant(r)
	if t == nil {
		return buyer{}, noTenant(believed(r.Header, tenantHeader))
	}
	who, refused := a.opts.identify(r, t)
	switch {
	case refused.status != 0:
		return buyer{}, refused
	case !t.Active:
		return buyer{}, problem(http.StatusForbidden, "tenant_inactive", "The tenant is deactivated.", nil)
	case who.Principal == "":
		return buyer{}, problem(http.StatusUnauthorized, "principal_required", "Nobody is named who buys.", nil)
	case !slices.Contains(a.principals(t), who.Principal):
		return buyer{}, problem(http.StatusUnauthorized, "principal_not_found", "The tenant has no principal "+who.Principal+".", nil)
	}
	return buyer{t.ID, who.Principal}, answer{}
}

// principals gives who may buy of a tenant: those of the media buys of its stock.
func (a *Agent) principals(t *tenantState) (ids []string) {
	q := &inquiry{owner: t, now: a.opts.Now(), agent: a}
	q.open()
	for _, doc := range q.publisher.Buys {
		if id := readBuy(doc).Principal; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// skill is something that buyers can have done: a tool by MCP, a skill by A2A.
type skill struct {
	name, tells string
	reads       bool // and changes nothing
	input       string
	// does it, and tells how it goes on. Its errors are for the buyer.
	does func(a *Agent, ctx context.Context, b buyer, input skillInput, tell func(string)) (json.RawMessage, error)
}

// skillInput is what all of the skills take.
type skillInput struct {
	Brief     string  `json:"brief"`
	BuyerRef  string  `json:"buyer_ref"`
	ProductID string  `json:"product_id"`
	Budget    float64 `json:"total_budget"`
	BuyID     string  `json:"media_buy_id"`
}

// skills are what the agent can do. follow_media_buy is what takes long: it ends with the next change of the media buy
// (Agent.SetMediaBuy).
var skills = []skill{
	{
		name: "get_products", tells: "What can be bought.", reads: true, does: (*Agent).sellsProducts,
		input: `{"type":"object","properties":{"brief":{"type":"string"}}}`,
	},
	{
		name: "get_media_buys", tells: "The buyer's own media buys.", reads: true, does: (*Agent).tellsBuys,
		input: `{"type":"object","properties":{}}`,
	},
	{
		name: "create_media_buy", tells: "Buys a product. A person has to approve it.", does: (*Agent).sells,
		input: `{"type":"object","required":["product_id","total_budget"],"properties":{"product_id":{"type":"string"},` +
			`"total_budget":{"type":"number"},"buyer_ref":{"type":"string"}}}`,
	},
	{
		name: "follow_media_buy", tells: "Tells the status of a media buy, and waits for another.", reads: true, does: (*Agent).followsBuy,
		input: `{"type":"object","required":["media_buy_id"],"properties":{"media_buy_id":{"type":"string"}}}`,
	},
}

func findSkill(name string) (skill, bool) {
	i := slices.IndexFunc(skills, func(s skill) bool { return s.name == name })
	if i < 0 {
		return skill{}, false
	}
	return skills[i], true
}

var (
	errNoTenant  = errors.New("the tenant is gone")
	errNoProduct = errors.New("there is no such product")
	errNoBuy     = errors.New("there is no such media buy")
	errNoRoom    = errors.New("there is no room for more")
	errInput     = errors.New("the input can't be read")
)

// catalogOf opens the catalog of a buyer's tenant; a.mu is held.
func (a *Agent) catalogOf(b buyer) (*inquiry, error) {
	q := &inquiry{owner: a.tenants[b.tenant], now: a.opts.Now(), agent: a}
	if q.owner == nil {
		return nil, errNoTenant
	}
	q.open()
	return q, nil
}

// soldProductDocument is a product as buyers see it.
type soldProductDocument struct {
	ID       string   `json:"product_id"`
	Name     string   `json:"name"`
	Channels []string `json:"channels"`
}

func (a *Agent) sellsProducts(_ context.Context, b buyer, _ skillInput, _ func(string)) (json.RawMessage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, err := a.catalogOf(b)
	if err != nil {
		return nil, err
	}
	found := struct {
		Products []soldProductDocument `json:"products"`
	}{[]soldProductDocument{}}
	for _, r := range q.products.records {
		if p := readProduct(r.doc); p.Status == "active" {
			doc := soldProductDocument{ID: r.id}
			mustRead(r.doc, &doc)
			doc.ID = r.id
			found.Products = append(found.Products, doc)
		}
	}
	return encode(found), nil
}

func (a *Agent) tellsBuys(_ context.Context, b buyer, _ skillInput, _ func(string)) (json.RawMessage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, err := a.catalogOf(b)
	if err != nil {
		return nil, err
	}
	found := struct {
		Buys []mediaBuy `json:"media_buys"`
	}{[]mediaBuy{}}
	for _, doc := range q.buys.all(nil) {
		if buy := readBuy(doc); buy.Principal == b.principal {
			found.Buys = append(found.Buys, buy)
		}
	}
	return encode(found), nil
}

func (a *Agent) sells(_ context.Context, b buyer, in skillInput, _ func(string)) (json.RawMessage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, err := a.catalogOf(b)
	switch {
	case err != nil:
		return nil, err
	case q.products.get(in.ProductID) == nil:
		return nil, errNoProduct
	}
	now := stamp(q.now, q.owner.zone())
	buy := mediaBuy{ID: a.newID("mb_"), Principal: b.principal, Status: "pending_approval", CreatedAt: now,
		Starts: q.now.UTC().AddDate(0, 0, 7).Format(time.DateOnly)}
	doc := with(encode(buy), named{"buyer_ref", orNull(in.BuyerRef)}, named{"principal_name", b.principal},
		named{"flight_end_date", q.now.UTC().AddDate(0, 0, 37).Format(time.DateOnly)},
		named{"total_budget", fmt.Sprintf("%.2f", in.Budget)}, named{"products", []string{in.ProductID}},
		named{"creatives", []string{}}, named{"targeting", nil}, named{"currency", q.owner.currency},
		named{"status_history", []buyEvent{{now, buy.Status, nil}}})
	if !q.buys.put(buy.ID, doc) {
		return nil, errNoRoom
	}
	q.owner.uncache()
	a.tellChange()
	return encode(buy), nil
}

func (a *Agent) followsBuy(ctx context.Context, b buyer, in skillInput, tell func(string)) (json.RawMessage, error) {
	first := ""
	for {
		buy, changed, err := a.buyOf(b, in.BuyID)
		switch {
		case err != nil:
			return nil, err
		case first == "":
			first = buy.Status
			tell("It is " + first + ".")
		case buy.Status != first:
			return encode(buy), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// buyOf gives a buyer's media buy, and what is closed when it may have changed.
func (a *Agent) buyOf(b buyer, id string) (mediaBuy, <-chan struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, err := a.catalogOf(b)
	if err != nil {
		return mediaBuy{}, nil, err
	}
	doc := q.buys.get(id)
	if doc == nil || readBuy(doc).Principal != b.principal {
		return mediaBuy{}, nil, errNoBuy
	}
	return readBuy(doc), a.changed, nil
}
