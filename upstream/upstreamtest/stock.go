package upstreamtest

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The stock of made-up tenants: what each publisher has, and what each type of ad server has. Words in braces
// are filled in for each tenant: {name}, {domain}, {slug}, {adapter}, {id+N} (an id of its ad server),
// {day+N} and {at+N} (a day and a moment so many days from now).
//
//go:embed stock/*.json
var stockFiles embed.FS

// server is what an ad server has, and what is sold of it.
type server struct {
	Inventory  json.RawMessage   `json:"inventory"`
	Signals    json.RawMessage   `json:"signals"`
	Selectors  []json.RawMessage `json:"selectors"`
	Candidates []json.RawMessage `json:"candidates"`
	Sold       struct {
		Selector json.RawMessage   `json:"selector"`
		Binding  json.RawMessage   `json:"binding"`
		Signals  []json.RawMessage `json:"signals"`
	} `json:"sold"`
}

// publisher is what a tenant has whatever its ad server.
type publisher struct {
	Profiles     []string          `json:"profiles"`
	Domains      []json.RawMessage `json:"domains"`
	Properties   []json.RawMessage `json:"properties"`
	Formats      []json.RawMessage `json:"formats"`
	FormatErrors []json.RawMessage `json:"format_errors"`
	Products     []json.RawMessage `json:"products"`
	Buys         []json.RawMessage `json:"buys"`
	Mappings     []json.RawMessage `json:"mappings"`
	Accounts     []json.RawMessage `json:"accounts"`
	Buyers       []json.RawMessage `json:"buyers"`
	Advertisers  struct {
		First  []string `json:"first"`
		Second []string `json:"second"`
	} `json:"advertisers"`
}

// stockFile gives a file of the stock by its name without .json; that of a type of ad server without a file
// is other.
var stockFile = func() func(string) []byte {
	var mu sync.Mutex
	read := map[string][]byte{}
	return func(name string) []byte {
		mu.Lock()
		defer mu.Unlock()
		if read[name] == nil {
			text, err := stockFiles.ReadFile("stock/" + name + ".json")
			if err != nil {
				return nil
			}
			var out bytes.Buffer
			if err := json.Compact(&out, text); err != nil {
				panic("upstreamtest: stock/" + name + ".json can't be read: " + err.Error())
			}
			read[name] = out.Bytes()
		}
		return read[name]
	}
}()

var blank = regexp.MustCompile(`\{(name|domain|slug|adapter|(id|day|at)([+-]\d+))\}`)

// filled gives a file of the stock with its words filled in for a tenant.
func (t *tenantState) filled(file []byte, now time.Time) []byte {
	slug := strings.ReplaceAll(strings.ToLower(t.Name), " ", "_")
	return blank.ReplaceAllFunc(file, func(word []byte) []byte {
		parts := blank.FindSubmatch(word)
		n, _ := strconv.Atoi(string(parts[3])) // 0 where the word has none
		var text string
		switch kind := string(parts[1]); {
		case kind == "name":
			text = t.Name
		case kind == "domain":
			text = domainOf(slug)
		case kind == "slug":
			text = slug
		case kind == "adapter":
			text = t.adapterType()
		case string(parts[2]) == "id":
			text = t.serverID(n)
		case string(parts[2]) == "day":
			text = now.UTC().AddDate(0, 0, n).Format(time.DateOnly)
		default:
			text = stamp(now.Add(time.Duration(n)*day-17*time.Minute), t.zone())
		}
		quoted := encode(text)
		return quoted[1 : len(quoted)-2] // without quotes and the end of the line
	})
}

func domainOf(slug string) string { return strings.ReplaceAll(slug, "_", "-") + ".example" }

// serverID gives the nth id of the tenant's ad server, which has ten digits.
func (t Tenant) serverID(n int) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.ID))
	return strconv.Itoa(2_000_000_000 + int(h.Sum32()%700_000)*1000 + n)
}

// AdvertiserID gives the id of the nth advertiser of a tenant's Google Ad Manager network.
func (t Tenant) AdvertiserID(n int) string { return t.serverID(400 + n) }

// FrontPageID, SectionKeyID and SportID give the ids of an ad unit, a targeting key and a value of it that every
// Google Ad Manager network of the stock has.
func (t Tenant) FrontPageID() string  { return t.serverID(11) }
func (t Tenant) SectionKeyID() string { return t.serverID(50) }
func (t Tenant) SportID() string      { return t.serverID(60) }

// PendingBuyID gives the id of the one media buy of the stock that waits for approval.
func (t Tenant) PendingBuyID() string { return "mb_" + t.serverID(204) }

// server gives what the tenant's ad server has.
func (q *inquiry) server() server {
	if t := q.owner.adapterType(); q.catalog.serverType != t {
		file := stockFile(t)
		if file == nil {
			file = stockFile("other")
		}
		q.catalog.serverType, q.catalog.atServer = t, server{}
		mustRead(q.owner.filled(file, q.now), &q.catalog.atServer)
	}
	return q.catalog.atServer
}

// open gives the tenant its catalog, when it is first asked for: without the stock, what its ad server and
// its publisher have, and nothing that was made here.
func (q *inquiry) open() {
	t := q.owner
	if t.catalog == nil {
		t.catalog = &catalog{}
		mustRead(t.filled(stockFile("publisher"), q.now), &t.catalog.publisher)
	}
	q.catalog = t.catalog
	if t.Stocked && !q.stocked {
		q.stocked = true
		q.fill()
	}
}

// fill puts the stock on the shelves.
func (q *inquiry) fill() {
	sold, t := q.server().Sold, q.owner
	at := func(days int) string { return stamp(q.now.AddDate(0, 0, -days), t.zone()) }
	for i, doc := range sold.Signals {
		id := member(doc, "signal_id")
		q.signals.put(id, with(doc, named{"etag", idOf("", id)}, named{"created_at", at(60 - i)}, named{"updated_at", at(30 - i)}))
	}
	for _, doc := range q.publisher.Products {
		q.products.put(member(doc, "wholesale_product_id"), q.soldProduct(doc))
	}
	for _, doc := range q.publisher.Buys {
		q.buys.put(member(doc, "media_buy_id"), q.stockBuy(doc))
	}
	for _, doc := range q.publisher.Buyers {
		if n := number(doc); n >= 0 && speaksSOAP(t.adapterType()) {
			doc = with(doc, named{"resolved_gam_advertiser_id", t.AdvertiserID(n)})
		}
		q.buyers.put(member(doc, "operator_domain"), doc)
	}
	for i, doc := range q.publisher.Mappings {
		m := mapping{ID: idOf("rule_", t.ID, i), AdvertiserID: t.AdvertiserID(number(doc)), CreatedAt: at(20 - i), UpdatedAt: at(9 - i)}
		if mustRead(doc, &m); speaksSOAP(t.adapterType()) {
			q.mappings.put(m.ID, encode(m))
		}
	}
	for i, doc := range q.publisher.Accounts {
		var a accountDetail
		mustRead(doc, &a)
		a.ID, a.Status, a.CreatedAt, a.UpdatedAt = idOf("acct_", t.ID, i), "active", at(20-i), at(9-i)
		if n := number(doc); n >= 0 && speaksSOAP(t.adapterType()) {
			of := q.company(n)
			a.AdvertiserID, a.AdvertiserName, a.Mapped = &of.ID, &of.Name, true
		}
		q.accounts.put(a.ID, encode(a))
	}
}

// number gives which advertiser a document of the stock names; below 0: none.
func number(doc json.RawMessage) int {
	var of struct {
		Advertiser int `json:"advertiser"`
	}
	mustRead(doc, &of)
	return of.Advertiser
}

// soldProduct writes a product of the stock out: its formats are numbers of the publisher's, and it is sold on
// the whole domain and one selector.
func (q *inquiry) soldProduct(doc json.RawMessage) json.RawMessage {
	var brief map[string]json.RawMessage
	mustRead(doc, &brief)
	var numbers []int
	mustRead(brief["formats"], &numbers)
	delete(brief, "formats")
	var formats, bindings []string
	for _, n := range numbers {
		var f map[string]json.RawMessage
		mustRead(q.publisher.Formats[n], &f)
		formats = append(formats, fmt.Sprintf(`{"format_id":%s,"slot_requirements":[{"slot_id":"main","requirements":{"alt_text":true}}]}`, f["format_id"]))
		bindings = append(bindings, fmt.Sprintf(`{"format_id":%s,"adapter_config":%s}`, f["format_id"], q.server().Sold.Binding))
	}
	return with(encode(brief), named{"inventory", json.RawMessage(fmt.Sprintf(
		`{"publisher_properties":[{"publisher_domain":%q,"selection_type":"all"}],"creative_formats":[%s],`+
			`"execution":{"adapter":%q,"selectors":[%s],"format_bindings":[%s]}}`,
		q.domains()[0], strings.Join(formats, ","), q.owner.adapterType(), q.server().Sold.Selector, strings.Join(bindings, ",")))})
}
