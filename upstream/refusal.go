package upstream

import (
	"net/http"
	"strconv"
	"strings"

	"esagate/internal/fault"
	"esagate/internal/redact"
	"esagate/upstream/wire"
)

// Refusal is in the chain of an error whose answer said no: what was asked for has not
// been done. Nothing in it repeats a credential of the request.
type Refusal struct {
	Status int
	Code   string // upstream's word for it; "" if it gave none
	// AdapterCode is why the ad server refused: network_not_found, permission_denied,
	// invalid_credentials, invalid_config, connection_failed or upstream_unavailable;
	// "" if it was not the ad server.
	AdapterCode string
	// Message is upstream's sentence, treated by the contract's status rule 11; "" if
	// there is none that may be shown.
	Message string
}

// Error implements error.
func (r *Refusal) Error() string { return answerText(r.Status, r.Code) }

// statusError is the cause behind an answer that neither is what was asked for nor
// says that it has not been done: a redirect, a 5xx, another 2xx.
type statusError struct {
	status int
	code   string
}

// Error implements error.
func (e *statusError) Error() string { return answerText(e.status, e.code) }

func answerText(status int, code string) string {
	text := "the sales agent answered " + strconv.Itoa(status)
	if code != "" {
		text += " (" + code + ")"
	}
	return text
}

// adapterCodes are all the AdapterCodes there are.
var adapterCodes = map[string]bool{
	"network_not_found": true, "permission_denied": true, "invalid_credentials": true,
	"invalid_config": true, "connection_failed": true, "upstream_unavailable": true,
}

// adapterCode gives the AdapterCode in a word of upstream's, or "".
func adapterCode(code string) string {
	if of, ok := strings.CutPrefix(code, "adapter_"); ok && adapterCodes[of] {
		return of
	}
	return ""
}

// refusalOf reads an answer that is no success as a refusal; problem is nil when its
// body has no known shape.
func refusalOf(status int, problem *wire.Problem) *Refusal {
	r := &Refusal{Status: status}
	if problem == nil {
		return r
	}
	if redact.Word(problem.Code) {
		r.Code = problem.Code
	}
	if byAdServer(status) {
		r.AdapterCode = adapterCode(r.Code)
	}
	r.Message = treated(problem.Message, "")
	return r
}

// byAdServer reports whether an answer of a status can tell of an ad server's refusal.
// Upstream answers 400; the others are those by which such an answer would still mean
// that nothing was done.
func byAdServer(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests ||
		status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}

// cause gives the refusal where the answer says no, and otherwise an error with the
// same text. A 408 is a request that something before upstream gave up on.
func (r *Refusal) cause() error {
	if r.AdapterCode != "" || r.Status >= 400 && r.Status < 500 && r.Status != http.StatusRequestTimeout {
		return r
	}
	return &statusError{r.Status, r.Code}
}

// adServerRefused is the failure of a config that the ad server does not take. It names
// no issues: that is for who knows what was asked for, by the AdapterCode. That upstream
// has found out shows that it works, whatever status it puts it in: one customer's ad
// server must not open the way to nobody's.
func adServerRefused(no *Refusal) *failure {
	message := no.Message
	if message == "" {
		message = "The ad server does not accept its configuration."
	}
	return &failure{outcome: outcomeRejected, err: fault.Wrap(fault.Validation, message, no)}
}
