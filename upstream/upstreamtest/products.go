package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// product is what the rules look at.
type product struct {
	ID            *string           `json:"wholesale_product_id"`
	Name          string            `json:"name"`
	Status        string            `json:"status"`
	FormatOptions []json.RawMessage `json:"format_options"`
	Inventory     struct {
		Properties []publisherProperties `json:"publisher_properties"`
		Formats    []json.RawMessage     `json:"creative_formats"`
		Execution  struct {
			Adapter   string `json:"adapter"`
			Selectors []struct {
				Type string `json:"selector_type"`
			} `json:"selectors"`
		} `json:"execution"`
	} `json:"inventory"`
}

type publisherProperties struct {
	Domain    string   `json:"publisher_domain"`
	Selection *string  `json:"selection_type"`
	IDs       []string `json:"property_ids"`
	Tags      []string `json:"property_tags"`
}

func readProduct(doc json.RawMessage) (p product) {
	mustRead(doc, &p)
	if p.Status == "" {
		p.Status = "active"
	}
	return p
}

// listProducts leaves out products that lack what can be bought of them.
func listProducts(q *inquiry) answer {
	docs := q.products.all(func(doc json.RawMessage) bool {
		p := readProduct(doc)
		return len(p.Inventory.Properties) > 0 && len(p.Inventory.Formats)+len(p.FormatOptions) > 0
	})
	for i, doc := range docs {
		docs[i] = complete(q.computed(doc), element("listEsaProducts"), q.owner.Status.Build)
	}
	return says200(listed("wholesale_products", docs, true))
}

func getProduct(q *inquiry) answer {
	if doc := q.products.get(q.part); doc != nil {
		return q.product(http.StatusOK, doc)
	}
	return noProduct(q.part)
}

// product answers with one product.
func (q *inquiry) product(status int, doc json.RawMessage) answer {
	return q.gives(status, q.computed(doc), element("listEsaProducts"))
}

func noProduct(id string) answer {
	return problem(http.StatusNotFound, "wholesale_product_not_found", fmt.Sprintf("There is no wholesale product '%s'.", id), nil)
}

// computed adds what the agent makes of a product, and takes away what it does not give back.
func (q *inquiry) computed(doc json.RawMessage) json.RawMessage {
	id := member(doc, "wholesale_product_id")
	return with(doc, named{"product_id", id}, named{"inventory_profile_id", id}, named{"video_placement_types", nil},
		named{"pricing_options", json.RawMessage(fmt.Sprintf(
			`[{"pricing_option_id":"cpm_%s_auction","pricing_model":"cpm","currency":%q,"is_fixed":false,"price_guidance":{"floor":0.0}}]`,
			strings.ToLower(q.owner.currency), q.owner.currency))})
}

func validateProduct(q *inquiry) answer { return q.productIssues(readProduct(q.body)).verdict() }

func createProduct(q *inquiry) answer {
	p := readProduct(q.body)
	if p.ID == nil {
		id := q.freeID(p.Name)
		p.ID = &id
	}
	switch found := q.productIssues(p); {
	case !found.valid():
		return found.refusal("invalid_wholesale_product", "The wholesale product is not valid.")
	case q.products.get(*p.ID) != nil:
		return problem(http.StatusConflict, "wholesale_product_exists", fmt.Sprintf("There is a wholesale product '%s' already.", *p.ID), nil)
	case slices.Contains(q.publisher.Profiles, *p.ID):
		return problem(http.StatusConflict, "inventory_profile_conflict", fmt.Sprintf("An inventory profile has the id '%s' already.", *p.ID), nil)
	}
	return q.saveProduct(http.StatusCreated, p)
}

// freeID makes an id of a name, as upstream does where none was sent.
func (q *inquiry) freeID(name string) string {
	id := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name), "_")
	id = id[:min(len(id), 60)]
	if id == "" || q.products.get(id) != nil || slices.Contains(q.publisher.Profiles, id) {
		id = strings.TrimPrefix(id+"_", "_") + q.agent.newID("")[:8]
	}
	return id
}

// putProduct replaces one; what is left out is cleared.
func putProduct(q *inquiry) answer {
	p := readProduct(q.body)
	if p.ID == nil {
		p.ID = &q.part
	}
	if *p.ID != q.part {
		return problem(http.StatusBadRequest, "wholesale_product_id_mismatch", "The wholesale_product_id of the body is not that of the path.", nil)
	}
	old := q.products.get(q.part)
	if old == nil {
		return noProduct(q.part)
	}
	if found := q.productIssues(p); !found.valid() {
		return found.refusal("invalid_wholesale_product", "The wholesale product is not valid.")
	}
	return q.saveProduct(http.StatusOK, p)
}

// saveProduct keeps a product that is valid, and counts it in the status document.
func (q *inquiry) saveProduct(status int, p product) answer {
	old := q.products.get(*p.ID)
	doc := with(q.body, named{"wholesale_product_id", *p.ID})
	if !q.products.put(*p.ID, doc) {
		return full()
	}
	if old != nil {
		q.owner.countProduct(readProduct(old).Status, -1)
	}
	q.owner.countProduct(p.Status, 1)
	q.agent.tellChange()
	return q.product(status, doc)
}

func deleteProduct(q *inquiry) answer {
	doc := q.products.get(q.part)
	if doc == nil {
		return noProduct(q.part)
	}
	q.products.drop(q.part)
	q.owner.countProduct(readProduct(doc).Status, -1)
	q.agent.tellChange()
	return gone("The wholesale product was deleted.")
}

// countProduct counts a product that came or went among those of its status, which are sold wholesale.
func (t *tenantState) countProduct(status string, by int) {
	add := func(n *int) { *n = max(*n+by, 0) }
	switch all := &t.Status.Products; status {
	case "active":
		add(&all.Active)
		add(&all.Wholesale)
	case "draft":
		add(&all.Draft)
	case "archived":
		add(&all.Archived)
	}
	add(&t.Status.Profiles.Complete)
	add(&t.Status.Profiles.WholesaleOwned)
	t.uncache()
}
