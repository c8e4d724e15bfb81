package upstream

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"esagate/internal/redact"
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
}

// Error implements error.
func (r *Refusal) Error() string {
	text := "the sales agent answered " + strconv.Itoa(r.Status)
	if r.Code != "" {
		text += " (" + r.Code + ")"
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
	if redact.Word(problem.Code) {
		r.Code = problem.Code
	}
	if byAdServer(status) {
		r.AdapterCode = adapterCode(r.Code)
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
	code, ok := strings.CutPrefix(code, "adapter_")
	if !ok {
		return ""
	}
	switch code {
	case "network_not_found", "permission_denied", "invalid_credentials",
		"invalid_config", "connection_failed", "upstream_unavailable":
		return code
	}
	return ""
}

// shown gives a text of upstream's, treated, or another one if it may not be shown.
func shown(text, otherwise string) string {
	if t, ok := redact.Text(text); ok && t != "" {
		return t
	}
	return otherwise
}
