package config

import (
	"regexp"
	"strconv"
	"strings"

	"esagate/registry"
	"esagate/upstream/wire"
)

const orgIDPath = "provisioning.external_org_id"

var placeholder = regexp.MustCompile(`\{(customer_id|esa_id|source_id)\}`)

// longestIDs fills a template with the longest numbers there are. A source id can be longer,
// and hold what no other part may: that is judged where one is filled in.
var longestIDs = strings.NewReplacer(
	"{customer_id}", strconv.Itoa(registry.MaxESAID), // customers have the same bound
	"{esa_id}", strconv.Itoa(registry.MaxESAID),
	"{source_id}", "0",
)

// provisioning warns of what keeps ad servers from being connected.
func (l *loader) provisioning(p *Provisioning) {
	has := func(name string) bool { return strings.Contains(p.ExternalOrgID, name) }
	switch { // the sales agent keeps one tenant for each id
	case !l.good(orgIDPath), has("{esa_id}"): // an esa id is never given twice
	case !has("{source_id}"):
		l.warn(orgIDPath, "holds neither {esa_id} nor {source_id}: a second connection would conflict with the first")
	case !has("{customer_id}"):
		l.warn(orgIDPath, "holds {source_id} without {customer_id}: "+
			"sources of two customers can have the same source_id, and would conflict")
	}
	switch contactPath := "provisioning.contact_email"; {
	case !l.good(contactPath):
	case p.ContactEmail == "":
		l.warn(contactPath, "is empty: new ad servers can't be connected, since the sales agent wants an address to write to")
	case refusedContact.MatchString(p.ContactEmail):
		l.warn(contactPath, "is at a domain that the sales agent refuses: new ad servers can't be connected")
	}
}

// refusedContact matches the addresses that the sales agent's library for them refuses for
// their domain: by its letters, or as one that is set aside for tests and private networks.
var refusedContact = regexp.MustCompile(`(?i)@.*_|[^a-z]$|\.(arpa|invalid|local|localhost|onion|test)$`)

// orgTemplate is the rule for external_org_id.
func orgTemplate(s string, _ int) string {
	switch {
	case strings.ContainsAny(placeholder.ReplaceAllString(s, ""), "{}"):
		return "may hold {customer_id}, {esa_id} and {source_id}, and no other braces"
	case strings.Contains(s, "}{"): // 1 and 23 would come to the same as 12 and 3
		return "must have a character between two of {customer_id}, {esa_id} and {source_id}"
	}
	problem := wire.OrgIDProblem(longestIDs.Replace(s))
	if problem != "" && placeholder.MatchString(s) {
		problem += ", with the longest ids in it"
	}
	return problem
}

// agentURL is the rule for public_agent_url: the sales agent refuses any other beginning.
func agentURL(s string, most int) string {
	problem := urlWithPath(s, most)
	if problem == "" && !strings.HasPrefix(s, "https://") {
		return "must begin with https://: the sales agent takes no other"
	}
	return problem
}
