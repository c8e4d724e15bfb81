package lifecycle

import (
	"errors"
	"fmt"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// The words of lastErrorCode that are not an ad server's (contract 5.11).
const (
	codeInternal      = "INTERNAL_ERROR"
	codeInvalidConfig = "ADAPTER_INVALID_CONFIG"
)

// Texts of lastError for what went wrong on our side.
const (
	textNotReached    = "The sales agent could not be asked, so nothing was set up. Save the configuration to try again."
	textNothing       = "The sales agent did not set up the source. Save the configuration to try again."
	textCutShort      = "Setting up the source was interrupted before the sales agent had done it. Save the configuration to try again."
	textTaken         = "The sales agent has this source set up under another connection."
	textNotConfigured = "The source was set up before, and its configuration could not be changed. Save it again."
	textConfigLost    = "The sales agent did not answer, and it is not known whether the configuration was changed. Save it again."
	textNotChanged    = "The sales agent could not be asked, so the configuration was not changed. Save it again."
	textSettings      = "The configuration is saved, but some of its earlier settings could not be put back yet. This is tried again."
	textSettingsOff   = "The configuration is saved, but the sales agent did not take some of its earlier settings back. Check them there."
	// Settings that are given up: they stay stored.
	textSettingsKept = "The configuration is saved, but some of its earlier settings could not be put back. Save it again to have them put back."
	textNoTenant     = "The sales agent does not know this source any more."
)

// textNotKnown says that the source may be set up, and how long that stays open.
func textNotKnown(window time.Duration) string {
	return fmt.Sprintf("The sales agent did not answer, and it is not known whether it set up the source. It is being looked for; "+
		"if it is not found, the configuration can be saved again in %d minutes.", max(int((window+time.Minute-1)/time.Minute), 2))
}

// textNotRecorded is the message to a caller whose outcome waits for the store.
const textNotRecorded = "The sales agent has answered, but the registry can't be reached to note it down. " +
	"It is noted as soon as it can be: read the connection then."

var (
	// errMoved: the connection is not as it was when the decision was made: decide again.
	errMoved = errors.New("lifecycle: the connection has changed")
	// errAlready: the connection is already what it should become.
	errAlready = errors.New("lifecycle: nothing is to be done")
	// errOtherTenant: the connection has another tenant by now.
	errOtherTenant = errors.New("lifecycle: the connection has another tenant")
)

// Errors for callers. They are shared: one is copied before something is added to it.
var (
	errStopping = fault.New(fault.Unavailable, "The gateway is stopping: what is under way is finished when it is back.")
	errTooMany  = &fault.Error{Kind: fault.Unavailable, RetryAfter: 10 * time.Second,
		Message: "Too many connections are being changed at the moment."}
	errPanicked = fault.New(fault.Internal, "Something went wrong on our side.")
	// errTooSlow: so much time has passed since an operation began that it could still run
	// when others take it for ended.
	errTooSlow   = fault.New(fault.Unavailable, "The registry was too slow to note down what was to be done, so nothing was done.")
	errNotSetUp  = fault.New(fault.Conflict, "Connecting ad servers is not set up at this gateway: its operator has to configure provisioning.")
	errNoAccount = fault.New(fault.Conflict, "There is no service account for this customer at this gateway: its operator has to configure one.")
	errNoTenant  = fault.New(fault.Conflict, "The source is not set up yet: save its ad server configuration first, with PUT …/ad-server.")
	errType      = &fault.Error{Kind: fault.Conflict, Field: "type",
		Message: "The type of the ad server can't be changed: connect the other ad server as a new source."}
	errDeleted = fault.New(fault.Conflict, "What was made with this Idempotency-Key has been deleted since.")
)

func errUnderWay(cause error) error {
	return &fault.Error{Kind: fault.Unavailable, RetryAfter: busyRetry, Cause: cause,
		Message: "The change is still under way: read the connection to follow."}
}

// busyRetry is after what time an operation may be over.
const busyRetry = 10 * time.Second

// errBusy says that another request's operation is under way.
func errBusy(op *registry.Operation, at time.Time) error {
	message := "The connection is being changed by another request. Try again when that is over."
	if op.Kind == registry.OperationProvision {
		message = "The connection is being set up. Read it to follow, and try again when that is over."
	}
	return &fault.Error{Kind: fault.Conflict, Message: message,
		RetryAfter: max(min(op.Until.Sub(at), busyRetry), time.Second)}
}

// errTooEarly says that a tenant may still appear.
func errTooEarly(rest time.Duration) error {
	return &fault.Error{Kind: fault.Conflict, RetryAfter: max(rest, time.Second),
		Message: "It is not known yet whether the sales agent set up the source at the last attempt. Try again later."}
}

// errWithoutTenant says why there is no tenant: it is being made, or nothing was saved.
func errWithoutTenant(c *registry.Connection) error {
	if inProgress(c) {
		return errBusy(c.Operation, now())
	}
	return errNoTenant
}

// errUnusable says that a success was no success.
func errUnusable(cause error) *fault.Error {
	return fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used.", cause)
}

// errTaken says that the tenant of our external_org_id is not this connection's.
func errTaken(cause error) error { return fault.Wrap(fault.Conflict, textTaken, cause) }

// naming gives an error the ids of the connection, which exists in spite of it.
func naming(err error, t target) error {
	if err == nil {
		return nil
	}
	e := *fault.As(err)
	e.ESAID, e.SourceID = t.esaID, t.sourceID
	return &e
}

// unavailable gives the 503 for a change whose outcome is not known.
func unavailable(err error) *fault.Error {
	e := *fault.As(err)
	if e.Kind != fault.Unavailable { // such as an answer of a proxy
		e = *errUnusable(err)
	}
	return &e
}

// refused gives the 400 for a config that an ad server, or upstream, does not take.
func refused(err error, code, text string) error {
	e := *fault.As(err)
	e.Kind, e.Reason, e.ErrorCode, e.Cause = fault.Validation, "", code, err
	if len(e.Issues) == 0 {
		e.Issues, e.Field, e.Message = []fault.Issue{{Path: "body", Message: text}}, "body", text
	}
	return &e
}
