package upstream

import (
	"slices"
	"strings"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// rejected is a 400 or 422: the paths at fault, as the gateway's callers know them, and
// upstream's sentences where they may be shown. What is no single field of a caller's is
// "body".
func rejected(p *wire.Problem, no *Refusal) *failure {
	const (
		field = "The sales agent does not accept this value."
		whole = "The sales agent does not accept the request."
		other = "The sales agent does not accept the request as the gateway makes it."
	)
	var issues []fault.Issue
	if len(p.Fields) == 0 {
		issues = []fault.Issue{{Path: "body", Message: shown(p.Message, whole)}}
	}
	for _, f := range p.Fields {
		issue := fault.Issue{Path: "body", Message: other}
		if path := callersPath(f.Path); path != "" {
			issue = fault.Issue{Path: path, Message: shown(f.Message, field)}
		}
		if !slices.Contains(issues, issue) {
			issues = append(issues, issue)
		}
	}
	e := fault.Invalid(issues...)
	e.Cause = no
	return &failure{outcome: outcomeRejected, err: e}
}

// adServerRefused is the failure of a config that the ad server does not take. It names
// no issues: the caller finds them by the AdapterCode. No breaker counts it, whatever its
// status: upstream works.
func adServerRefused(no *Refusal) *failure {
	message := no.Message
	if message == "" {
		message = "The ad server does not accept its configuration."
	}
	return &failure{outcome: outcomeRejected, err: fault.Wrap(fault.Validation, message, no)}
}

// callersFields are the fields that callers send beside those of an ad-server config, as
// upstream names them, with the names that callers use (contract 4.2).
var callersFields = map[string]string{
	"type": "type", "name": "name",
	// of a query for runs
	"sync_type": "syncType", "status": "status", "limit": "limit", "cursor": "cursor",
}

// callersPath turns a location in upstream's request into the path of the field in a
// caller's; "" when it is none that a caller can change, or no field at all. What stands
// before a field (body, adapter, the type of the ad server) is not in a caller's.
func callersPath(location string) string {
	field := location[strings.LastIndexByte(location, '.')+1:]
	if name := adserver.CallersName(field); name != "" {
		return name
	}
	return callersFields[field]
}
