package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// advertiser is a company in a Google Ad Manager network.
type advertiser struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Currency *string `json:"currency_code"`
	Status   string  `json:"status"` // active or inactive
}

// A network has so many companies, of which each so many one is in it no longer.
const (
	companies = 83
	atRest    = 9
)

// company gives the nth company of the tenant's network.
func (q *inquiry) company(n int) advertiser {
	words := q.publisher.Advertisers
	a := advertiser{
		ID: q.owner.AdvertiserID(n), Name: words.First[n%len(words.First)] + " " + words.Second[n%len(words.Second)],
		Currency: orNull(q.owner.currency), Status: "active",
	}
	if n%atRest == atRest-1 {
		a.Status, a.Currency = "inactive", nil
	}
	return a
}

// syncedAt is when the advertisers were last read well; nil: never.
func (q *inquiry) syncedAt() *string {
	for _, s := range q.owner.Status.Streams {
		if s.Name == "advertisers" {
			return q.owner.streamBlock(s, calendar{since: q.owner.since, now: q.now, zone: q.owner.zone()}).LastSuccessAt
		}
	}
	return nil
}

// roster gives the advertisers by their names: those of the network once they were read, and those that were
// made here.
func (q *inquiry) roster() (all []advertiser) {
	if !speaksSOAP(q.owner.adapterType()) {
		return nil
	}
	if q.syncedAt() != nil {
		for n := range companies {
			all = append(all, q.company(n))
		}
	}
	for _, doc := range q.ensured.all(nil) {
		var a advertiser
		mustRead(doc, &a)
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b advertiser) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return all
}

// listAdvertisers reads what was synced, and asks nobody. One character is no filter, digits alone are an id.
func listAdvertisers(q *inquiry) answer {
	offset, readable := readOffset(q.query.Get("cursor"))
	if !readable {
		return crash(http.StatusInternalServerError, "internal_error")
	}
	var docs []json.RawMessage
	text := strings.ToLower(q.query.Get("q"))
	for _, a := range q.roster() {
		if len(text) < 2 || a.ID == text || strings.Contains(strings.ToLower(a.Name), text) && strings.Trim(text, "0123456789") != "" {
			docs = append(docs, complete(encode(a), element("listEsaGamAdvertisers"), q.owner.Status.Build))
		}
	}
	docs, next := page(docs, offset, q.limit(50, 500))
	return says200(listed("advertisers", docs, false, offsetCursor(next), `"synced_at":`+strings.TrimSpace(string(encode(q.syncedAt())))))
}

// ensureDocument is what becomes of an advertiser that there is to be.
type ensureDocument struct {
	Advertiser advertiser `json:"advertiser"`
	Created    bool       `json:"created"`
	DryRun     bool       `json:"dry_run"`
}

// ensureAdvertiser makes an advertiser where none has the name. As upstream does, it looks for the name before
// it asks the ad server and not again after that: two calls at once make two. A trial asks nobody.
func ensureAdvertiser(q *inquiry) answer {
	var wanted struct {
		Name   string `json:"name"`
		DryRun bool   `json:"dry_run"`
	}
	mustRead(q.body, &wanted)
	wanted.Name = strings.TrimSpace(wanted.Name)
	switch {
	case wanted.Name == "":
		return problem(http.StatusBadRequest, "invalid_advertiser_name", "The name of an advertiser is not blank.", nil)
	case !speaksSOAP(q.owner.adapterType()):
		return problem(http.StatusBadRequest, "adapter_not_configured", "This tenant has no Google Ad Manager.", nil)
	}
	for _, a := range q.roster() {
		if strings.EqualFold(a.Name, wanted.Name) && a.Status == "active" {
			return q.ensures(http.StatusOK, ensureDocument{Advertiser: a})
		}
	}
	a := advertiser{Name: wanted.Name, Status: "active"}
	if wanted.DryRun {
		a.ID = fmt.Sprintf("dryrun_%d", len(wanted.Name)*100_003+q.ensured.size)
		return q.ensures(http.StatusOK, ensureDocument{Advertiser: a, DryRun: true})
	}
	var p Probe
	kind, config := q.owner.adapterType(), q.owner.config
	q.unlocked(func() { p = q.agent.probe(config, q.conn) })
	if p.fails() {
		return p.notEnsured(kind)
	}
	a.ID, a.Currency = q.owner.serverID(600+len(q.ensured.records)), orNull(q.owner.currency)
	if !q.ensured.put(a.ID, encode(a)) {
		return full()
	}
	return q.ensures(http.StatusCreated, ensureDocument{Advertiser: a, Created: true})
}

func (q *inquiry) ensures(status int, d ensureDocument) answer {
	return q.gives(status, encode(d), document("ensureEsaGamAdvertiser"))
}

// notEnsured is the answer where the ad server makes no advertiser: a 403 where it knows us and does not let us.
func (p Probe) notEnsured(kind string) answer {
	status := http.StatusBadRequest
	if p.Outcome == PermissionDenied {
		status = http.StatusForbidden
	}
	fault := p.fault(kind)
	fault.Phase, fault.Endpoint = "create_advertiser", "CompanyService.createCompanies"
	return problem(status, "adapter_"+string(p.Outcome), "The advertiser could not be ensured.",
		refusalDetails{kind, p.message(kind), p.remediation(), fault, Canary + "-ensure-token"})
}

// unlocked does what takes its time, or asks others, without the lock.
func (q *inquiry) unlocked(do func()) {
	q.agent.mu.Unlock()
	defer q.agent.mu.Lock()
	do()
}
