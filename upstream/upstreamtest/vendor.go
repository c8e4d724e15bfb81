package upstreamtest

import (
	"fmt"
	"net/http"
)

// refusals are the words of an ad server that says no.
var refusals = map[Outcome]struct{ message, remediation, fault string }{
	NetworkNotFound: {
		"The ad server knows no such account", "",
		"[AuthenticationError.NETWORK_NOT_FOUND @ network]",
	},
	PermissionDenied: {
		"The ad server knows the account and does not let it in", "vendor_enables_role",
		"[PermissionError.PERMISSION_DENIED @ role]",
	},
	InvalidCredentials: {
		"The ad server refused the credentials", "customer_rotates_token",
		"[AuthenticationError.AUTHENTICATION_FAILED @ ]",
	},
	InvalidConfig: {
		"The config lacks what the ad server needs", "",
		"[RequiredError.REQUIRED @ account]",
	},
	ConnectionFailed: {
		"No connection to the ad server", "",
		"ConnectionResetError",
	},
	UpstreamUnavailable: {
		"The ad server is away", "",
		"[ServerError.SERVER_BUSY @ ]",
	},
}

func (p Probe) message() string { return refusals[p.Outcome].message }

func (p Probe) remediation() *string { return orNull(refusals[p.Outcome].remediation) }

// vendorFault is what the agent passes on of an ad server's refusal. Of all this a
// client may see fault_string at most.
type vendorFault struct {
	FaultString  string `json:"fault_string"`
	Vendor       string `json:"vendor"`
	Phase        string `json:"phase"`
	VendorStatus int    `json:"vendor_status"`
	RequestToken string `json:"request_token"`
}

func faultOf(adapterType, words string) vendorFault {
	return vendorFault{words, adapterType, "probe", http.StatusForbidden, Canary + "-vendor-request-token"}
}

// refusalDetails stand in the details of a 400 adapter_<code>.
type refusalDetails struct {
	AdapterType string      `json:"adapter_type"`
	Error       string      `json:"error"`
	Remediation *string     `json:"remediation,omitempty"`
	VendorFault vendorFault `json:"vendor_fault"`
	DebugToken  string      `json:"debug_token"`
}

// refusal is the answer to a config that the ad server does not take.
func (p Probe) refusal(adapterType string) answer {
	return problem(http.StatusBadRequest, "adapter_"+string(p.Outcome),
		fmt.Sprintf("The probe of adapter '%s' failed: %s", adapterType, p.message()),
		refusalDetails{adapterType, p.message(), p.remediation(), faultOf(adapterType, refusals[p.Outcome].fault), Canary + "-probe-token"})
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
	VendorFault *vendorFault `json:"vendor_fault,omitempty"`
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
	fault, code := faultOf(adapterType, refusals[p.Outcome].fault), orNull(string(p.Outcome))
	details := &testDetails{adapterType, &fault, Canary + "-session-key"}
	return testDocument{
		Error: orNull(p.message()), ErrorCode: code, Remediation: p.remediation(), Details: details,
		CapabilityChecks: []capabilityCheck{
			{
				Capability: "read_inventory", Status: "failed", Message: orNull(p.message()),
				ErrorCode: code, Remediation: p.remediation(), Details: details,
			},
			unproven,
		},
	}
}
