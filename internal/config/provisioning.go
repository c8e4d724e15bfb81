package config

import (
	"regexp"
	"strconv"
	"strings"

	"esagate/registry"
)

const (
	orgIDPath = "provisioning.external_org_id"
	mostOrgID = 255 // what the sales agent takes
)

var placeholder = regexp.MustCompile(`\{(customer_id|esa_id|source_id)\}`)

// longestIDs fills a template with the longest numbers there are. A source id can be so
// long that it leaves no room for anything else: that is judged where one is filled in.
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
	if contactPath := "provisioning.contact_email"; p.ContactEmail == "" && l.good(contactPath) {
		l.warn(contactPath, "is empty: new ad servers can't be connected, since the sales agent wants an address to write to")
	}
}

// orgTemplate is the rule for external_org_id: what is not a placeholder must be fit
// for a header, which it will be sent in.
func orgTemplate(s string, _ int) string {
	problem := visibleASCII(s, mostOrgID)
	switch {
	case problem != "":
		return problem
	case strings.ContainsAny(placeholder.ReplaceAllString(s, ""), "{}"):
		return "may hold {customer_id}, {esa_id} and {source_id}, and no other braces"
	case strings.Contains(s, "}{"): // 1 and 23 would come to the same as 12 and 3
		return "must have a character between two of {customer_id}, {esa_id} and {source_id}"
	case len(longestIDs.Replace(s)) > mostOrgID:
		return "must be at most " + strconv.Itoa(mostOrgID) + " characters with the ids in it"
	}
	return ""
}
