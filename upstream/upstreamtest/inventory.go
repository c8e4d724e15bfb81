package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func inventoryCapabilities(q *inquiry) answer {
	return q.gives(http.StatusOK, q.server().Inventory, document("getEsaInventoryAdapterCapabilities"))
}

// allowedSelector is what products may say of a domain's properties.
type allowedSelector struct {
	Domain    string   `json:"publisher_domain"`
	Selection string   `json:"selection_type"`
	IDs       []string `json:"property_ids"`
	Tags      []string `json:"property_tags"`
	Label     string   `json:"label"`
}

// listProperties gives all of them: there are no pages.
func listProperties(q *inquiry) answer {
	var properties, allowed []json.RawMessage
	for _, doc := range q.publisher.Properties {
		properties = append(properties, complete(doc, element("listEsaPublisherProperties"), q.owner.Status.Build))
	}
	for _, domain := range q.domains() {
		var ids, tags []string
		for _, doc := range q.publisher.Properties {
			var p struct {
				ID     string   `json:"property_id"`
				Domain string   `json:"publisher_domain"`
				Tags   []string `json:"tags"`
			}
			if mustRead(doc, &p); p.Domain == domain {
				ids, tags = append(ids, p.ID), append(tags, p.Tags...)
			}
		}
		slices.Sort(tags)
		for _, a := range []allowedSelector{
			{Selection: "all", Label: "Everything of " + domain},
			{Selection: "by_id", Label: "Some of " + domain, IDs: ids},
			{Selection: "by_tag", Label: "What has a tag of " + domain, Tags: slices.Compact(tags)},
		} {
			a.Domain = domain
			allowed = append(allowed, q.noted(encode(a)))
		}
	}
	return ok(struct {
		Domains    []json.RawMessage `json:"domains"`
		Properties []json.RawMessage `json:"properties"`
		Allowed    []json.RawMessage `json:"allowed_selectors"`
	}{q.publisher.Domains, properties, allowed})
}

// listSelectors gives a page of what the ad server has of a type.
func listSelectors(q *inquiry) answer {
	types := q.server().selectorTypes()
	of := q.query.Get("selector_type")
	if !slices.Contains(types, of) {
		return problem(http.StatusBadRequest, "unsupported_selector_type", fmt.Sprintf("This ad server has no selector type '%s'.", of),
			struct {
				Types []string `json:"supported_selector_types"`
			}{types})
	}
	return q.search("selectors", "selector_type", of, q.server().Selectors, "searchEsaAdServerSelectors")
}

// listCandidates gives a page of what signals can be made of. Children of one thing are read live from an ad
// server that is asked, which takes its time and may be refused.
func listCandidates(q *inquiry) answer {
	var can struct {
		Supported []string `json:"supported_candidate_types"`
		Usual     string   `json:"default_candidate_type"`
		Types     []struct {
			Name   string  `json:"candidate_type"`
			Parent *string `json:"parent_candidate_type"`
		} `json:"candidate_types"`
	}
	mustRead(q.server().Signals, &can)
	of := q.query.Get("candidate_type")
	if of == "" {
		of = can.Usual
	}
	if of != "" && !slices.Contains(can.Supported, of) {
		return problem(http.StatusBadRequest, "unsupported_signal_candidate_type", fmt.Sprintf("This ad server has no candidate type '%s'.", of),
			struct {
				Types []string `json:"supported_candidate_types"`
			}{append([]string{}, can.Supported...)})
	}
	for _, t := range can.Types {
		if kind := q.owner.adapterType(); t.Name == of && t.Parent != nil && speaksSOAP(kind) && q.query.Get("parent_id") != "" {
			var p Probe
			config := q.owner.config
			if q.unlocked(func() { p = q.agent.probe(config, q.conn) }); p.fails() {
				return p.refusal(kind)
			}
		}
	}
	return q.search("candidates", "candidate_type", of, q.server().Candidates, "listEsaSignalCandidates")
}

// search gives a page of documents of one type by text and parent. Their cursor is the offset in decimal.
func (q *inquiry) search(list, typeName, of string, docs []json.RawMessage, operationID string) answer {
	offset := 0
	if text := q.query.Get("cursor"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return problem(http.StatusBadRequest, "invalid_pagination", "The cursor is no offset.", nil)
		}
		offset = n
	}
	text, parent := strings.ToLower(q.query.Get("q")), q.query.Get("parent_id")
	var found []json.RawMessage
	for _, doc := range docs {
		if member(doc, typeName) != of || parent != "" && member(doc, "parent_id") != parent ||
			!strings.Contains(strings.ToLower(member(doc, "name")+" "+member(doc, "external_id")), text) {
			continue
		}
		found = append(found, complete(doc, element(operationID), q.owner.Status.Build))
	}
	found, next := page(found, offset, q.limit(50, 100))
	return says200(listed(list, found, true, cursorMember(next, strconv.Itoa(next))))
}

func signalCapabilities(q *inquiry) answer {
	return q.gives(http.StatusOK, q.server().Signals, document("getEsaSignalAdapterCapabilities"))
}
