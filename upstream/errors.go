package upstream

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// outcome is how a call or an attempt ended, as metrics count it.
type outcome string

// All outcomes.
const (
	outcomeOK           outcome = "ok"
	outcomeNotFound     outcome = "not_found"
	outcomeConflict     outcome = "conflict"
	outcomeRejected     outcome = "rejected" // a 400 or 422
	outcomeRateLimited  outcome = "rate_limited"
	outcomeUnreachable  outcome = "unreachable"
	outcomeTimeout      outcome = "timeout"
	outcomeError        outcome = "error"
	outcomeInvalid      outcome = "invalid"
	outcomeUnauthorized outcome = "unauthorized"
	outcomeCircuitOpen  outcome = "circuit_open"
	outcomeCanceled     outcome = "canceled"
	outcomeBusy         outcome = "busy" // it got no slot
)

// blame is whose failure an attempt was, for the breakers.
type blame uint8

const (
	blameNobody   blame = iota // a proper answer, if perhaps a refusal: it counts as a success
	blameTenant                // a failure that may be this tenant's alone
	blameUpstream              // no connection, or our key was refused: it says nothing of the tenant
	blameUnknown               // it says nothing of either, and is not counted
)

// failure is an attempt that gave no document.
type failure struct {
	outcome outcome
	blame   blame
	retry   bool          // trying again may help, and does no harm
	after   time.Duration // what Retry-After asked for, uncapped
	// overtaken: ended because a later call was answered; see errOvertaken.
	overtaken bool
	err       *fault.Error
}

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// unavailable says what callers are told of the outcomes for which upstream is to blame.
var unavailable = map[outcome]struct {
	reason  fault.Reason
	message string
}{
	outcomeUnreachable:  {fault.UpstreamUnreachable, "The sales agent can't be reached."},
	outcomeTimeout:      {fault.UpstreamTimeout, "The sales agent did not answer in time."},
	outcomeCanceled:     {fault.UpstreamTimeout, "The request was given up before the sales agent answered."},
	outcomeError:        {fault.UpstreamError, "The sales agent failed to answer."},
	outcomeRateLimited:  {fault.UpstreamError, "The sales agent failed to answer."},
	outcomeInvalid:      {fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used."},
	outcomeUnauthorized: {fault.UpstreamUnauthorized, "The sales agent does not accept the gateway's key."},
	outcomeCircuitOpen:  {fault.CircuitOpen, "The sales agent has failed repeatedly and is not being asked at the moment."},
}

// failed makes a failure of an outcome in unavailable.
func failed(o outcome, b blame, cause error) *failure {
	told := unavailable[o]
	return &failure{outcome: o, blame: b, err: fault.Upstream(told.reason, told.message, cause)}
}

// lost is the failure of an attempt that got no whole answer. ctx is the attempt's own:
// its end outranks whatever the transport made of it.
func lost(ctx context.Context, err error) *failure {
	cause := asTransportError(err)
	if ctx.Err() != nil {
		cause = asTransportError(ctx.Err())
	}
	o, b, retry := outcomeUnreachable, blameTenant, cause.connection
	if cause.connecting {
		b = blameUpstream
	}
	overtaken := errors.Is(context.Cause(ctx), errOvertaken)
	switch {
	case overtaken:
		o, b, retry = outcomeTimeout, blameUnknown, true
	case errors.Is(cause, context.Canceled):
		o, b = outcomeCanceled, blameUnknown
	case cause.timeout:
		o = outcomeTimeout
	}
	f := failed(o, b, cause)
	f.retry, f.overtaken = retry, overtaken
	return f
}

// answered judges an answer that is no success, by contract 7.3. Its body may be
// anything at all.
func answered(a answer) *failure {
	status, problem, no := a.status, a.problem, refusalOf(a.status, a.problem)
	cause := no.cause()
	switch {
	case no.AdapterCode != "":
		return adServerRefused(no)
	case no.Code == wire.AgentURLMismatch && status >= 400 && a.call.op == opProvision &&
		!bytes.Contains(a.call.body, []byte(no.Code)): // else upstream may only repeat the request
		return agentURLRefused(no)
	case status == http.StatusForbidden && no.Code == managedWrite:
		return conflict("The sales agent does not allow this change of a managed tenant.", cause)
	case status == http.StatusUnauthorized, status == http.StatusForbidden && a.call.readsStatus():
		return failed(outcomeUnauthorized, blameUpstream, cause)
	case status == http.StatusForbidden: // perhaps a firewall dislikes the body
		return failed(outcomeError, blameUnknown, cause)
	case status == http.StatusNotFound && no.Code == tenantNotFound && a.call.tenantID != "":
		return noTenant(cause)
	case status == http.StatusConflict && problem != nil:
		return conflict("The sales agent refused: the request does not fit the tenant's present state.", cause)
	case (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity) && problem != nil:
		return rejected(a, no)
	case status == http.StatusTooManyRequests:
		return retryable(outcomeRateLimited, blameUnknown, a, cause)
	case status == http.StatusInternalServerError, status == http.StatusBadGateway,
		status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return retryable(outcomeError, blameTenant, a, cause)
	case status >= 500:
		return failed(outcomeError, blameTenant, cause)
	case status >= 200 && status < 300: // a success without the document asked for
		return failed(outcomeInvalid, blameTenant, cause)
	case status == http.StatusNotFound, status == http.StatusConflict,
		status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return failed(outcomeInvalid, blameNobody, cause) // from something else that stands there
	}
	return failed(outcomeError, blameNobody, cause) // a redirect among them
}

// The codes of upstream's that an answer is judged by, beside those of an ad server's
// refusal.
const (
	tenantNotFound = "tenant_not_found"
	orgIDConflict  = "external_org_id_conflict"
	managedWrite   = "managed_tenant_write_blocked" // the 403 that is not about our key
)

// knownCode reports whether the gateway judges an answer by this code of upstream's.
func knownCode(code string) bool {
	return code == tenantNotFound || code == orgIDConflict || code == managedWrite || code == wire.AgentURLMismatch ||
		adapterCode(code) != ""
}

func noTenant(cause error) *failure {
	e := fault.Wrap(fault.NotFound, "The sales agent does not know this tenant.", cause)
	e.Reason = fault.TenantNotFound
	return &failure{outcome: outcomeNotFound, err: e}
}

// retryable is a failed answer after which another try may help.
func retryable(o outcome, b blame, a answer, cause error) *failure {
	f := failed(o, b, cause)
	f.retry = true
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		f.after = retryAfter(a.header.Get("Retry-After"))
		f.err.RetryAfter = min(f.after, retryAfterLimit)
	}
	return f
}

func conflict(message string, cause error) *failure {
	return &failure{outcome: outcomeConflict, err: fault.Wrap(fault.Conflict, message, cause)}
}

// retryAfterLimit is the longest wait that is passed on to clients.
const retryAfterLimit = 60 * time.Second

// retryAfter reads a Retry-After header, seconds or a date; 0 for nonsense and for what
// is past. It gives a day at most: longer than any deadline, and nothing overflows.
func retryAfter(value string) time.Duration {
	const bound = 24 * time.Hour
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest number
		return time.Duration(min(seconds, uint64(bound/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), bound)
}
