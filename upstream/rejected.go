package upstream

import (
	"slices"
	"strings"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// rejected is a 400 or 422: the paths at fault, as the gateway's callers know them, and
// upstream's sentences where they may be shown.
func rejected(p *wire.Problem, no *Refusal) *failure {
	const (
		theirs = "The sales agent does not accept this value."
		ours   = "The sales agent does not accept a value that the gateway adds to the request."
	)
	cause := no.cause()
	if len(p.Fields) == 0 {
		return &failure{outcome: outcomeRejected,
			err: fault.Wrap(fault.Validation, treated(p.Message, "The sales agent does not accept the request."), cause)}
	}
	var issues []fault.Issue
	for _, f := range p.Fields {
		issue := fault.Issue{Message: ours}
		if path, callers := callersPath(f.Path); callers {
			issue = fault.Issue{Path: path, Message: treated(f.Message, theirs)}
		}
		if !slices.Contains(issues, issue) {
			issues = append(issues, issue)
		}
	}
	e := fault.Invalid(issues...)
	e.Cause = cause
	return &failure{outcome: outcomeRejected, err: e}
}

// adapterTags stand in a location before the fields of an ad-server config.
var adapterTags = []string{"google_ad_manager", "gam", "freewheel", "springserve", "adswizz", "broadstreet", "mock"}

// gatewaysOwn are the fields of requests that the gateway fills in: no caller can mend
// them, and their paths would send one looking for what is not there.
var gatewaysOwn = []string{
	"service_account_email", "service_account_key_json",
	"external_org_id", "external_source", "contact_email", "public_agent_url",
	"url", "event_types", "secret",
}

// callersPath turns a location in upstream's request into the path of the field in a
// caller's, by the naming rule (contract, status rule 2); "" is the whole of it. It
// reports false for what is not a caller's.
func callersPath(location string) (path string, callers bool) {
	parts := strings.Split(location, ".")
	if parts[0] == "body" || parts[0] == "query" {
		parts = parts[1:]
	}
	if len(parts) > 0 && parts[0] == "adapter" {
		parts = parts[1:]
	}
	if len(parts) > 0 && slices.Contains(adapterTags, parts[0]) {
		parts = parts[1:]
	}
	for i, p := range parts {
		if slices.Contains(gatewaysOwn, p) {
			return "", false
		}
		parts[i] = camelCase(p)
	}
	return strings.Join(parts, "."), true
}

// camelCase joins the parts of a snake_case name, each after the first with a capital
// first letter; a part that begins with a digit stays.
func camelCase(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts {
		if i > 0 && p != "" && 'a' <= p[0] && p[0] <= 'z' {
			parts[i] = string(p[0]-'a'+'A') + p[1:]
		}
	}
	return strings.Join(parts, "")
}
