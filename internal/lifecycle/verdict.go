package lifecycle

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// verdict is what an answer to a change, or its absence, says about the tenant.
type verdict uint8

const (
	verdictDone     verdict = iota
	verdictRefused          // not done: the ad server refused
	verdictInvalid          // not done: upstream does not accept the request
	verdictTaken            // not done: a tenant of this external_org_id exists already
	verdictConflict         // not done: the tenant's state, or a setting of an operator's, does not allow it
	verdictNoTenant         // not done: there is no such tenant
	verdictNotDone          // not done: upstream did not process it
	verdictUnknown          // done or not
)

// verdictOf reads the error of a change. What is not certainly a no is unknown: a 5xx, a
// timeout, an answer that is cut short.
func verdictOf(err error) verdict {
	if err == nil {
		return verdictDone
	}
	said, f := refusal(err), fault.As(err)
	switch {
	case upstream.NotSent(err):
		return verdictNotDone
	case f.Kind == fault.NotFound && f.Reason == fault.TenantNotFound:
		return verdictNoTenant
	case said == nil:
		return verdictUnknown
	case said.AdapterCode != "", said.Status == http.StatusBadRequest && strings.HasPrefix(said.Code, "adapter_"):
		return verdictRefused
	case f.Kind == fault.Validation:
		return verdictInvalid
	case f.Kind == fault.Conflict && said.Code == "external_org_id_conflict":
		return verdictTaken
	case f.Kind == fault.Conflict, said.Code == wire.AgentURLMismatch:
		return verdictConflict
	}
	return verdictNotDone // too many requests, our key, or a proxy before upstream
}

// refusal gives what upstream said, nil when it said nothing that can be read.
func refusal(err error) *upstream.Refusal {
	var said *upstream.Refusal
	errors.As(err, &said)
	return said
}

// lastErrorOf gives lastErrorCode and lastError of a change that was not made
// (contract 5.11). The texts are about the config that was to be written.
func lastErrorOf(v verdict, err error) (code, text string) {
	switch v {
	case verdictRefused:
		said := refusal(err)
		code = adserver.ErrorCode(said.AdapterCode)
		return code, cmp.Or(said.Message, adserver.ErrorText(code, adserver.NewConfig))
	case verdictInvalid:
		return codeInvalidConfig, adserver.ErrorText(codeInvalidConfig, adserver.NewConfig)
	}
	return codeInternal, fault.As(err).Message
}

// asUpstreamFault gives the error of a call that carries nothing of the caller's: if
// upstream does not accept the request, that is not the caller's fault.
func asUpstreamFault(err error) error {
	if !fault.Is(err, fault.Validation) {
		return err
	}
	return fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent did not accept the gateway's request.", err)
}
