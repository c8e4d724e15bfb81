package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// account is a buyer's account for a brand.
type account struct {
	ID             string          `json:"account_id"`
	Name           string          `json:"name"`
	Status         string          `json:"status"`
	Operator       *string         `json:"operator"`
	Brand          json.RawMessage `json:"brand"`
	Billing        *string         `json:"billing"`
	Sandbox        bool            `json:"sandbox"`
	Principal      *string         `json:"buyer_agent_principal_id"`
	AdvertiserID   *string         `json:"gam_advertiser_id"`
	AdvertiserName *string         `json:"gam_advertiser_name"`
	Mapped         bool            `json:"advertiser_mapped"`
}

// accountDetail is what a write answers.
type accountDetail struct {
	account
	PaymentTerms *string `json:"payment_terms"`
	RateCard     *string `json:"rate_card"`
	CreatedAt    string  `json:"created_at"`
	UpdatedAt    string  `json:"updated_at"`
}

// accountFields and brandFields are the body of POST accounts (published schema, CreateAccountRequest).
var (
	accountFields = []field{
		{name: "operator", required: true, min: 1, max: 255},
		{name: "brand", kind: object, required: true},
		{name: "billing", required: true, oneOf: []string{"operator", "agent"}},
		{name: "buyer_agent_principal_id", nullable: true, max: 100},
		{name: "gam_advertiser_id", nullable: true, max: 64},
		{name: "gam_advertiser_name", nullable: true, max: 255},
		{name: "name", nullable: true, max: 255},
		{name: "payment_terms", nullable: true, oneOf: []string{"net_15", "net_30", "net_45", "net_60", "net_90", "prepay"}},
		{name: "rate_card", nullable: true, max: 255},
		{name: "sandbox", kind: flag},
	}
	brandFields = []field{{name: "domain", required: true, min: 1, max: 255}, {name: "brand_id", nullable: true, max: 255}}
)

// key is what tells an account from others: its operator, its brand, and whether it is for tests.
func (a account) key() string {
	var brand struct {
		Domain string  `json:"domain"`
		ID     *string `json:"brand_id"`
	}
	mustRead(a.Brand, &brand)
	return fmt.Sprintf("%q %q %q %t", orEmpty(a.Operator), brand.Domain, orEmpty(brand.ID), a.Sandbox)
}

// listAccounts takes sandbox=true and sandbox=false; anything else is no filter.
func listAccounts(q *inquiry) answer {
	of := q.query.Get("sandbox")
	docs := q.accounts.all(func(doc json.RawMessage) bool {
		var a account
		mustRead(doc, &a)
		return of != "true" && of != "false" || a.Sandbox == (of == "true")
	})
	for i, doc := range docs {
		var a account
		mustRead(doc, &a)
		docs[i] = complete(encode(a), element("getEsaSandboxAccountStatus"), q.owner.Status.Build)
	}
	return says200(listed("accounts", docs, true))
}

// saveAccount makes an account, or changes the one of its key. As upstream does, it looks whether there is one
// before it writes and not again: calls at once make one each. Which advertiser pays for it is not the
// caller's to say.
func saveAccount(q *inquiry) answer {
	var body struct {
		accountDetail
		Name *string `json:"name"`
	}
	mustRead(q.body, &body)
	brand, found := q.agent.opts.check([]string{"brand"}, body.Brand, brandFields)
	switch {
	case found != nil:
		return invalid(found)
	case body.AdvertiserID != nil:
		return problem(http.StatusBadRequest, "gam_advertiser_id_not_allowed", "The advertiser of an account is made by its first buy.", nil)
	}
	a := body.accountDetail
	a.Brand, a.Status = encode(brand), "active"
	for _, doc := range q.accounts.all(nil) {
		var old accountDetail
		if mustRead(doc, &old); old.key() == a.key() {
			a.ID, a.account.Name, a.CreatedAt = old.ID, old.account.Name, old.CreatedAt
			a.AdvertiserID, a.AdvertiserName, a.Mapped = old.AdvertiserID, old.AdvertiserName, old.Mapped
		}
	}
	status := http.StatusOK
	if a.ID == "" {
		status = http.StatusCreated
		q.unlocked(func() {
			if !q.conn.withoutClient().wait(q.agent.opts.ProbeTakes, nil) {
				drop()
			}
		})
		a.ID, a.CreatedAt = q.agent.newID("acct_"), stamp(q.now, q.owner.zone())
		a.account.Name = orEmpty(a.Operator) + " × " + member(a.Brand, "domain")
	}
	if body.Name != nil {
		a.account.Name = *body.Name
	}
	a.UpdatedAt = stamp(q.now, q.owner.zone())
	if !q.accounts.put(a.ID, encode(a)) {
		return full()
	}
	q.owner.uncache()
	return answer{status: status, contentType: contentJSON, body: q.noted(encode(a))}
}
