package upstreamtest

import (
	"fmt"
	"slices"
	"strconv"
)

// productIssues holds a product against the rules that drafts keep to as well: it is whole, and its ad server
// is the tenant's.
func (q *inquiry) productIssues(p product) (found issues) {
	in := &p.Inventory
	if len(in.Properties) == 0 {
		found.wrong("missing_publisher_properties", "inventory.publisher_properties", "A wholesale product needs publisher properties.")
	}
	for i, properties := range in.Properties {
		properties.issues(&found, "inventory.publisher_properties."+strconv.Itoa(i), q.domains())
	}
	switch {
	case len(in.Formats)+len(p.FormatOptions) == 0:
		found.wrong("missing_creative_formats", "inventory.creative_formats", "A wholesale product needs creative formats or format options.")
	case len(in.Formats) == 0:
		found.doubtful("no_creative_formats", "inventory.creative_formats", "Buyers of older versions look at creative formats alone.")
	}
	if adapter := q.owner.AdServer.Type; in.Execution.Adapter != adapter {
		found.wrong("adapter_mismatch", "inventory.execution.adapter", fmt.Sprintf("The ad server of this tenant is '%s'.", adapter))
		return found
	}
	if len(in.Execution.Selectors) == 0 {
		found.wrong("missing_selectors", "inventory.execution.selectors", "A wholesale product needs something of the ad server to be sold on.")
	}
	types := q.server().selectorTypes()
	for i, s := range in.Execution.Selectors {
		if !slices.Contains(types, s.Type) {
			found.wrong("unsupported_selector_type", fmt.Sprintf("inventory.execution.selectors.%d.selector_type", i),
				fmt.Sprintf("This ad server has no selector type '%s'.", s.Type))
		}
	}
	return found
}

// issues holds a selection of properties against its own rules and the tenant's domains.
func (p publisherProperties) issues(found *issues, path string, domains []string) {
	selection := "all"
	if p.Selection != nil {
		selection = *p.Selection
	}
	switch {
	case selection == "by_id" && len(p.IDs) == 0:
		found.wrong("missing_property_ids", path+".property_ids", "A selection by id needs property ids.")
	case selection == "by_tag" && len(p.Tags) == 0:
		found.wrong("missing_property_tags", path+".property_tags", "A selection by tag needs property tags.")
	case selection == "all" && len(p.IDs)+len(p.Tags) > 0:
		found.wrong("unexpected_selection", path+".selection_type", "A selection of all properties names none.")
	}
	if !slices.Contains(domains, p.Domain) {
		found.doubtful("unknown_publisher_domain", path+".publisher_domain", "No property of this tenant has that domain.")
	}
}

// domains gives the domains of the tenant's properties.
func (c *catalog) domains() (names []string) {
	for _, raw := range c.publisher.Properties {
		if name := member(raw, "publisher_domain"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// selectorTypes gives the types of selectors that the ad server has.
func (s server) selectorTypes() (names []string) {
	var can struct {
		Types []struct {
			Type string `json:"selector_type"`
		} `json:"selector_types"`
	}
	mustRead(s.Inventory, &can)
	for _, t := range can.Types {
		names = append(names, t.Type)
	}
	return names
}
