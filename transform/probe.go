package transform

import (
	"cmp"
	"time"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// TestResult gives the answer to a test of the saved config. Its time is upstream's, by [TestedAt].
func TestResult(r *wire.TestResult) *api.TestResult {
	out := &api.TestResult{
		Success:          r.Success,
		Remediation:      plainWord(r.Remediation),
		CapabilityChecks: make([]api.CapabilityCheck, 0, len(r.CapabilityChecks)),
		TestedAt:         api.Timestamp(r.TestedAt),
	}
	fallback := "The ad server gave details that can't be shown."
	if !r.Success {
		code := adserver.ErrorCode(r.ErrorCode.Value)
		fallback = adserver.ErrorText(code, adserver.SavedConfig)
		text := safeText(r.Error.Value, fallback)
		out.ErrorCode, out.Error = &code, &text
	}
	out.Details = testDetails(&r.Details, fallback)
	for i := range r.CapabilityChecks {
		if c := &r.CapabilityChecks[i]; word.Name.Is(c.Capability) {
			out.CapabilityChecks = append(out.CapabilityChecks, capabilityCheck(c))
		}
	}
	return out
}

// TestedAt sets the time of a test for which upstream gives none that can be read.
func TestedAt(r *wire.TestResult, at time.Time) {
	if r.TestedAt.Time.IsZero() {
		r.TestedAt = wire.Time(api.TimestampOf(at.Truncate(time.Millisecond)))
	}
}

func capabilityCheck(c *wire.CapabilityCheck) api.CapabilityCheck {
	out := api.CapabilityCheck{Capability: c.Capability, Status: c.Status, Remediation: plainWord(c.Remediation)}
	if !word.Name.Is(c.Status) {
		out.Status = "not_checked"
	}
	fallback := cmp.Or(checkTexts[out.Status], "This was not checked.")
	if c.ErrorCode.Value != "" {
		code := adserver.ErrorCode(c.ErrorCode.Value)
		out.ErrorCode = &code
		if code != adserver.ErrorInternal {
			fallback = adserver.ErrorText(code, adserver.SavedConfig)
		}
	}
	out.Message = freeText(c.Message, fallback)
	out.Details = testDetails(&c.Details, fallback)
	return out
}

// testDetails gives the parts of upstream's details that may be shown, nil if there
// are none.
func testDetails(d *wire.Details, fallback string) *api.TestDetails {
	out := api.TestDetails{AdapterType: plainWord(d.AdapterType), Remediation: plainWord(d.Remediation)}
	said := api.VendorFault{
		Vendor: treated(d.VendorFault.Vendor), Phase: treated(d.VendorFault.Phase),
		VendorStatus: pointer(d.VendorFault.VendorStatus), VendorMessage: freeText(d.VendorFault.VendorMessage, fallback),
	}
	if said != (api.VendorFault{}) {
		out.VendorFault = &said
	}
	if out == (api.TestDetails{}) {
		return nil
	}
	return &out
}

// treated passes what may be shown of a free text; the rest is dropped.
func treated(o wire.Opt[string]) *string { return optional(safeText(o.Value, "")) }

// plainWord passes a vocabulary word; what is none is dropped.
func plainWord(o wire.Opt[string]) *string {
	if !word.Name.Is(o.Value) {
		return nil
	}
	return pointer(o)
}

// CapabilityRecheck gives the answer to a recheck of a capability, which upstream has
// no way to do.
func CapabilityRecheck(capability string) *api.CapabilityRecheck {
	return &api.CapabilityRecheck{
		Capability: capability, CapabilityState: "unknown", Status: "not_probeable",
		Message: "The sales agent can't check this capability by itself, so nothing was checked and nothing was started.",
	}
}
