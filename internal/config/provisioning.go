package config

import (
	"regexp"
	"strconv"
	"strings"

	"esagate/registry"
)

// Bounds of what the sales agent takes when it makes a tenant.
const (
	mostExternalSource = 64
	mostOrgID          = 255
	mostAgentURL       = 500
)

const orgIDPath = "provisioning.external_org_id"

var placeholder = regexp.MustCompile(`\{(customer_id|esa_id|source_id)\}`)

// longestIDs fills a template with the longest numbers there are. A source id can be so
// long that it leaves no room for anything else: that is judged where one is filled in.
var longestIDs = strings.NewReplacer(
	"{customer_id}", strconv.Itoa(maxCustomerID),
	"{esa_id}", strconv.Itoa(registry.MaxESAID),
	"{source_id}", "0",
)

func (v *validator) provisioning(p *Provisioning) {
	const sourcePath, contactPath, agentPath = "provisioning.external_source", "provisioning.contact_email", "provisioning.public_agent_url"
	v.text(sourcePath, p.ExternalSource, visibleASCII(mostExternalSource))
	if v.text(orgIDPath, p.ExternalOrgID, orgTemplate) {
		v.distinct(p.ExternalOrgID)
	}
	switch {
	case p.ContactEmail != "":
		v.text(contactPath, p.ContactEmail, email)
	case v.good(contactPath):
		v.warn(contactPath, "is empty: new ad servers can't be connected, since the sales agent wants an address to write to")
	}
	if p.PublicAgentURL != "" {
		v.text(agentPath, p.PublicAgentURL, agentURL)
	}
}

// distinct warns of a template that gives two connections the same id: the sales agent
// keeps one tenant for each.
func (v *validator) distinct(template string) {
	has := func(name string) bool { return strings.Contains(template, name) }
	switch {
	case has("{esa_id}"): // never given twice
	case !has("{source_id}"):
		v.warn(orgIDPath, "holds neither {esa_id} nor {source_id}: a second connection would conflict with the first")
	case !has("{customer_id}"):
		v.warn(orgIDPath, "holds {source_id} without {customer_id}: sources of two customers can have the same source_id, and would conflict")
	}
}

// orgTemplate is the rule for external_org_id: what is not a placeholder must be fit
// for a header, which it will be sent in.
func orgTemplate(s string) string {
	if problem := plainText(1, mostOrgID)(s); problem != "" {
		return problem
	}
	if strings.ContainsAny(placeholder.ReplaceAllString(s, ""), "{}") {
		return "may hold {customer_id}, {esa_id} and {source_id}, and no other braces"
	}
	if strings.Contains(s, "}{") { // 1 and 23 would come to the same as 12 and 3
		return "must have a character between two of {customer_id}, {esa_id} and {source_id}"
	}
	if problem := visibleASCII(mostOrgID)(s); problem != "" {
		return problem
	}
	if len(longestIDs.Replace(s)) > mostOrgID {
		return "must be at most " + strconv.Itoa(mostOrgID) + " characters with the ids in it"
	}
	return ""
}

func agentURL(s string) string {
	if problem := plainText(1, mostAgentURL)(s); problem != "" {
		return problem
	}
	return urlWithPath(s)
}
