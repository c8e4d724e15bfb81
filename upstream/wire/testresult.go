package wire

import "github.com/go-json-experiment/json/jsontext"

// maxChecks bounds the capability checks of one test; what comes after that many is
// dropped.
const maxChecks = 200

// DecodeTestResult reads the answer to `POST T/adapter-config/test-connection`. It
// needs success, a boolean. The error is always an [*InvalidError].
func DecodeTestResult(body []byte) (*TestResult, error) {
	t := new(TestResult)
	var success Opt[bool]
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "success":
			r.flag(&success, "success")
		case "error":
			r.text(&t.Error, "error")
		case "error_code":
			r.word(&t.ErrorCode, "error_code")
		case "remediation":
			r.word(&t.Remediation, "remediation")
		case "details":
			r.details(&t.Details)
		case "capability_checks":
			t.CapabilityChecks = r.capabilityChecks()
		case "tested_at":
			r.time(&t.TestedAt, "tested_at")
		default:
			r.skip()
		}
	})
	switch {
	case err != nil:
		return nil, err
	case !success.Set:
		return nil, &InvalidError{"it does not say whether the test passed"}
	}
	t.Success = success.Value
	return t, nil
}

// capabilityChecks reads the list of checks that stands next: those with a
// capability and a status.
func (r *reader) capabilityChecks() (checks []CapabilityCheck) {
	r.items("capability_checks", func() {
		if len(checks) == maxChecks || r.peek() != jsontext.KindBeginObject {
			r.skip()
			return
		}
		var c CapabilityCheck
		r.members("[]", func(name []byte) {
			switch string(name) {
			case "capability":
				r.label(&c.Capability, "capability")
			case "status":
				r.label(&c.Status, "status")
			case "message":
				r.text(&c.Message, "message")
			case "error_code":
				r.word(&c.ErrorCode, "error_code")
			case "remediation":
				r.word(&c.Remediation, "remediation")
			case "details":
				r.details(&c.Details)
			default:
				r.skip()
			}
		})
		if c.Capability != "" && c.Status != "" {
			checks = append(checks, c)
		}
	})
	return checks
}

// details reads the known members of the `details` that stand next. Upstream puts
// anything there, the submitted credentials included.
func (r *reader) details(d *Details) {
	*d = Details{}
	r.members("details", func(name []byte) {
		switch string(name) {
		case "adapter_type":
			r.word(&d.AdapterType, "adapter_type")
		case "remediation":
			r.word(&d.Remediation, "remediation")
		case "vendor_fault":
			d.FaultString = Opt[string]{}
			r.members("vendor_fault", func(name []byte) {
				if string(name) == "fault_string" {
					r.text(&d.FaultString, "fault_string")
					return
				}
				r.skip()
			})
		default:
			r.skip()
		}
	})
}
