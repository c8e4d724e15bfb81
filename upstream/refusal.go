package upstream

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// Refusal is in the chain of an error whose answer refused the request: nothing was done.
// Nothing in it repeats a credential of the request.
type Refusal struct {
	Status int
	Code   string // upstream's word for it; "" if it gave none
	// AdapterCode is why the ad server refused: network_not_found, permission_denied,
	// invalid_credentials, invalid_config, connection_failed or upstream_unavailable;
	// "" if it was not the ad server.
	AdapterCode string
	// Message is upstream's sentence, treated by contract 4.11; "" if there is none that
	// may be shown.
	Message string
	errorID string // by which upstream's log names it; "" if there is none that may be shown
}

// Error implements error.
func (r *Refusal) Error() string {
	text := "the sales agent answered " + strconv.Itoa(r.Status)
	if r.Code != "" {
		text += " (" + r.Code + ")"
	}
	if r.errorID != "" {
		text += ", error_id " + r.errorID
	}
	return text
}

// cause returns the refusal where the answer is one. A redirect, a 5xx or another 2xx
// leaves open whether something was done, and a 408 is a request that something before
// upstream gave up on: of those only the text is kept.
func (r *Refusal) cause() error {
	if r.AdapterCode != "" || r.Status >= 400 && r.Status < 500 && r.Status != http.StatusRequestTimeout {
		return r
	}
	return errors.New(r.Error())
}

// refusalOf reads an answer that is no success as a refusal; problem is nil when its
// body has no known shape.
func refusalOf(status int, problem *wire.Problem) *Refusal {
	r := &Refusal{Status: status}
	if problem == nil {
		return r
	}
	if word.Name.Is(problem.Code) {
		r.Code = problem.Code
	}
	if byAdServer(status) {
		r.AdapterCode = adapterCode(r.Code)
	}
	if word.Name.Is(problem.ErrorID) {
		r.errorID = problem.ErrorID
	}
	r.Message = shown(problem.Message, "")
	return r
}

// byAdServer reports whether an answer of a status can tell of an ad server's refusal.
// Upstream answers 400; with the others, too, nothing would have been done.
func byAdServer(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests ||
		status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}

// adapterCode gives the AdapterCode in a code of upstream's, or "".
func adapterCode(code string) string {
	if said, ok := strings.CutPrefix(code, byAdapter); ok && adserver.ErrorCode(said) != adserver.ErrorInternal {
		return said
	}
	return ""
}

// byAdapter begins the codes of an ad server's refusals.
const byAdapter = "adapter_"

// shown gives a text of upstream's, treated, or another one if it may not be shown.
func shown(text, otherwise string) string {
	if t, ok := redact.Text(text); ok && t != "" {
		return t
	}
	return otherwise
}

// rejected is a 400 or 422: the paths at fault, as the gateway's callers know them, and
// upstream's sentences where they may be shown. What is no single field of a caller's is
// "body".
func rejected(a answer, no *Refusal) *failure {
	const (
		field = "The sales agent does not accept this value."
		whole = "The sales agent does not accept the request."
		other = "The sales agent does not accept the request as the gateway makes it."
	)
	var issues []fault.Issue
	if len(a.problem.Fields) == 0 {
		issues = []fault.Issue{{Path: "body", Message: shown(a.problem.Message, whole)}}
	}
	for _, f := range a.problem.Fields {
		issue := fault.Issue{Path: "body", Message: other}
		if path := a.call.callersPath(f.Path); path != "" {
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
// before a field (body, adapter, the type of the ad server) is not in a caller's, unless
// the call has names of its own.
func (cl *call) callersPath(location string) string {
	if cl.paths != nil {
		return cl.paths(location)
	}
	field := location[strings.LastIndexByte(location, '.')+1:]
	if name := adserver.CallersName(field); name != "" {
		return name
	}
	return callersFields[field]
}
