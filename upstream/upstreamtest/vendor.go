package upstreamtest

import (
	"fmt"
	"net/http"
	"strings"

	"esagate/internal/adserver"
)

// refusals are the words of an ad server that says no: its sentence, who can mend it, the HTTP
// status of an ad server that speaks HTTP, and the error of one that speaks SOAP.
var refusals = map[Outcome]struct {
	sentence, remediation string
	status                int
	soap                  string
}{
	NetworkNotFound:     {"The ad server knows no such account", "", 404, "AuthenticationError.NETWORK_NOT_FOUND"},
	PermissionDenied:    {"The ad server knows the account and does not let it in", "vendor_enables_role", 403, "PermissionError.PERMISSION_DENIED"},
	InvalidCredentials:  {"The ad server refused the credentials", "customer_rotates_token", 401, "AuthenticationError.AUTHENTICATION_FAILED"},
	InvalidConfig:       {"The config lacks what the ad server needs", "", 400, "RequiredError.REQUIRED"},
	ConnectionFailed:    {"No connection to the ad server", "", 0, "CommunicationError.CONNECTION_RESET"},
	UpstreamUnavailable: {"The ad server is away", "", 503, "ServerError.SERVER_BUSY"},
}

func (p Probe) remediation() *string { return orNull(refusals[p.Outcome].remediation) }

// message is the agent's sentence about a refusal. Where the ad server speaks HTTP it is full of
// harmless words: a status, and credentials that are only named.
func (p Probe) message(adapterType string) string {
	r := refusals[p.Outcome]
	switch {
	case speaksSOAP(adapterType) || r.status == 0:
		return r.sentence
	case p.Outcome == InvalidCredentials:
		return fmt.Sprintf("%s: HTTP %d", r.sentence, r.status)
	}
	return fmt.Sprintf("%s (status=%d)", r.sentence, r.status)
}

func speaksSOAP(adapterType string) bool {
	t := adserver.Find(adapterType)
	return t != nil && t.NeedsAccount()
}

// vendorFault is what the agent passes on of an ad server's refusal (contract 2.5). A client may
// see no more of it than contract 4.11 lists.
type vendorFault struct {
	Vendor        string    `json:"vendor"`
	Phase         string    `json:"phase"`
	Endpoint      string    `json:"endpoint"`
	VendorStatus  *int      `json:"vendor_status,omitempty"`
	VendorMessage string    `json:"vendor_message"`
	GAM           *gamFault `json:"gam,omitempty"`
	RequestToken  string    `json:"request_token,omitempty"` // not upstream's: no client may take over what it does not know
}

type gamFault struct {
	Service string  `json:"service"`
	Reason  string  `json:"reason"`
	Trigger *string `json:"trigger"`
}

// fault is the vendor's fault behind a refusal.
func (p Probe) fault(adapterType string) *vendorFault {
	r := refusals[p.Outcome]
	f := &vendorFault{
		Vendor: adapterType, Phase: "authenticate", Endpoint: "/oauth/token",
		VendorMessage: p.message(adapterType), RequestToken: Canary + "-vendor-request-token",
	}
	switch {
	case speaksSOAP(adapterType):
		_, reason, _ := strings.Cut(r.soap, ".")
		f.Phase, f.Endpoint = "api_call", "NetworkService.getCurrentNetwork"
		f.VendorMessage = "[" + r.soap + " @ ]"
		f.GAM = &gamFault{Service: "NetworkService", Reason: reason}
	case r.status != 0:
		f.VendorStatus = &r.status
	}
	return f
}

// refusalDetails stand in the details of a 400 adapter_<code>.
type refusalDetails struct {
	AdapterType string       `json:"adapter_type"`
	Error       string       `json:"error"`
	Remediation *string      `json:"remediation,omitempty"`
	VendorFault *vendorFault `json:"vendor_fault"`
	DebugToken  string       `json:"debug_token"`
}

// refusal is the answer to a config that the ad server does not take.
func (p Probe) refusal(adapterType string) answer {
	return problem(http.StatusBadRequest, "adapter_"+string(p.Outcome),
		fmt.Sprintf("The probe of adapter '%s' failed: %s", adapterType, p.message(adapterType)),
		refusalDetails{adapterType, p.message(adapterType), p.remediation(), p.fault(adapterType), Canary + "-probe-token"})
}

type testDocument struct {
	Success          bool              `json:"success"`
	Error            *string           `json:"error"`
	ErrorCode        *string           `json:"error_code"`
	Remediation      *string           `json:"remediation"`
	Details          *testDetails      `json:"details"`
	CapabilityChecks []capabilityCheck `json:"capability_checks"`
	TestedAt         string            `json:"tested_at"`
}

type testDetails struct {
	AdapterType string       `json:"adapter_type"`
	Remediation *string      `json:"remediation,omitempty"`
	VendorFault *vendorFault `json:"vendor_fault"`
	SessionKey  string       `json:"session_key"`
}

type capabilityCheck struct {
	Capability  string       `json:"capability"`
	Status      string       `json:"status"` // passed, failed or not_checked
	Message     *string      `json:"message"`
	ErrorCode   *string      `json:"error_code"`
	Remediation *string      `json:"remediation"`
	Details     *testDetails `json:"details"`
}

// tested is the answer to a test of the saved config, the time aside.
func (p Probe) tested(adapterType string) testDocument {
	unproven := capabilityCheck{
		Capability: "create_orders", Status: "not_checked", Message: orNull("Nothing is written by way of a test."),
	}
	if !p.fails() {
		return testDocument{Success: true, CapabilityChecks: []capabilityCheck{{Capability: "read_inventory", Status: "passed"}, unproven}}
	}
	code := orNull(string(p.Outcome))
	details := &testDetails{adapterType, p.remediation(), p.fault(adapterType), Canary + "-session-key"}
	return testDocument{
		Error: orNull(p.message(adapterType)), ErrorCode: code, Remediation: p.remediation(), Details: details,
		CapabilityChecks: []capabilityCheck{
			{
				Capability: "read_inventory", Status: "failed", Message: orNull(p.message(adapterType)),
				ErrorCode: code, Remediation: p.remediation(), Details: details,
			},
			unproven,
		},
	}
}
