package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// mapping says which advertiser the orders of a buyer go to.
type mapping struct {
	ID           string  `json:"id"`
	Principal    *string `json:"principal_id"`
	Operator     string  `json:"operator_domain"`
	BrandHouse   *string `json:"brand_house"`
	Brand        *string `json:"brand_id"`
	AdvertiserID string  `json:"gam_advertiser_id"`
	CreatedAt    string  `json:"created_at"`
	UpdatedAt    string  `json:"updated_at"`
}

// key is what two mappings can't share.
func (m mapping) key() string {
	return fmt.Sprintf("%q %q %q", m.Operator, orEmpty(m.BrandHouse), orEmpty(m.Brand))
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (q *inquiry) mapping(id string) (m mapping, there bool) {
	doc := q.mappings.get(id)
	if doc == nil {
		return m, false
	}
	mustRead(doc, &m)
	return m, true
}

func listMappings(q *inquiry) answer {
	of := q.query.Get("operator_domain")
	docs := q.mappings.all(func(doc json.RawMessage) bool { return of == "" || member(doc, "operator_domain") == of })
	for i, doc := range docs {
		docs[i] = complete(doc, element("listEsaBuyerAdvertiserMappings"), q.owner.Status.Build)
	}
	return says200(listed("mappings", docs, true))
}

func createMapping(q *inquiry) answer {
	m := mapping{CreatedAt: stamp(q.now, q.owner.zone())}
	mustRead(q.body, &m)
	if all := q.roster(); len(all) > 0 && !slices.ContainsFunc(all, func(a advertiser) bool { return a.ID == m.AdvertiserID }) {
		return problem(http.StatusBadRequest, "invalid_advertiser_id", "No advertiser of the last sync has the id "+m.AdvertiserID+".", nil)
	}
	m.ID = q.agent.newID("rule_")
	return q.saveMapping(http.StatusCreated, m)
}

// patchMapping changes what is not null. It takes any advertiser, as upstream does.
func patchMapping(q *inquiry) answer {
	m, there := q.mapping(q.part)
	if !there {
		return noMapping(q)
	}
	var known map[string]json.RawMessage
	mustRead(q.body, &known)
	fill(&m, known)
	return q.saveMapping(http.StatusOK, m)
}

// saveMapping keeps a mapping, if it is whole and the only one of its key.
func (q *inquiry) saveMapping(status int, m mapping) answer {
	if m.Brand != nil && m.BrandHouse == nil {
		return problem(http.StatusBadRequest, "brand_house_required", "A brand_id needs the brand_house that it belongs to.", nil)
	}
	for _, doc := range q.mappings.all(nil) {
		var other mapping
		if mustRead(doc, &other); other.ID != m.ID && other.key() == m.key() {
			return problem(http.StatusConflict, "routing_rule_duplicate", "There is a rule for this buyer already: "+other.ID+".", nil)
		}
	}
	m.UpdatedAt = stamp(q.now, q.owner.zone())
	doc := encode(m)
	if !q.mappings.put(m.ID, doc) {
		return full()
	}
	q.owner.uncache()
	return q.gives(status, doc, element("listEsaBuyerAdvertiserMappings"))
}

func deleteMapping(q *inquiry) answer {
	if !q.mappings.drop(q.part) {
		return noMapping(q)
	}
	q.owner.uncache()
	return answer{status: http.StatusNoContent, contentType: contentJSON}
}

// noMapping is what is said of a tenant that is not known too.
func noMapping(q *inquiry) answer {
	return problem(http.StatusNotFound, "routing_rule_not_found", fmt.Sprintf("There is no rule '%s'.", q.part), nil)
}
