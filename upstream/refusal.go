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
// been done. Its texts are treated by the contract's status rule 11 and may be shown;
// TenantID may not.
type Refusal struct {
	Status int
	Code   string // upstream's word for it; "" if it gave none
	// AdapterCode is why the ad server refused: network_not_found, permission_denied,
	// invalid_credentials, invalid_config, connection_failed or upstream_unavailable;
	// "" if it was not the ad server.
	AdapterCode string
	Message     string // upstream's sentence; "" if there is none that may be shown
	Remediation string // upstream's word
	AdapterType string // upstream's word
	FaultString string // what the ad server itself said
	TenantID    string // of an external_org_id_conflict: the tenant that has it
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

// adapterSentences are what is said of an ad server's refusal when upstream's own
// sentence may not be shown, by AdapterCode: all the codes there are.
var adapterSentences = map[string]string{
	"network_not_found":    "The ad server does not know this network.",
	"permission_denied":    "The ad server does not permit the account to do this.",
	"invalid_credentials":  "The ad server does not accept the credentials.",
	"invalid_config":       "The ad server's config is not valid.",
	"connection_failed":    "The ad server can't be reached.",
	"upstream_unavailable": "The ad server is not available at the moment.",
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
	if code, ok := strings.CutPrefix(r.Code, "adapter_"); ok && adapterSentences[code] != "" && byAdServer(status) {
		r.AdapterCode = code
	}
	r.Message = treated(problem.Message, "")
	d := problem.Details
	r.Remediation, r.AdapterType = word(d.Remediation), word(d.AdapterType)
	r.FaultString = treated(d.FaultString.Value, "")
	if r.Code == "external_org_id_conflict" && len(d.TenantID.Value) <= maxID {
		r.TenantID = d.TenantID.Value
	}
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

// word gives a word of upstream's vocabulary, or "".
func word(o wire.Opt[string]) string {
	if !redact.Word(o.Value) {
		return ""
	}
	return o.Value
}

// adServerRefused is the failure of a config that the ad server does not take. That
// upstream has found out shows that it works, whatever status it puts it in: one
// customer's ad server must not open the way to nobody's.
func adServerRefused(no *Refusal) *failure {
	message := no.Message
	if message == "" {
		message = adapterSentences[no.AdapterCode]
	}
	return &failure{outcome: outcomeRejected, err: fault.Wrap(fault.Validation, message, no)}
}
