package upstreamtest

import "net/http"

// issue is something that the agent's own rules say of a product or a signal.
type issue struct {
	Code     string  `json:"code"`
	Message  string  `json:"message"`
	Field    *string `json:"field"`
	Severity string  `json:"severity"` // error or warning
}

// issues are found one after the other.
type issues []issue

func (all *issues) wrong(code, field, message string) {
	*all = append(*all, issue{code, message, orNull(field), "error"})
}

func (all *issues) doubtful(code, field, message string) {
	*all = append(*all, issue{code, message, orNull(field), "warning"})
}

// valid reports whether none of them keeps the document away.
func (all issues) valid() bool {
	for _, i := range all {
		if i.Severity == "error" {
			return false
		}
	}
	return true
}

// verdict is the answer to a trial.
func (all issues) verdict() answer {
	return ok(struct {
		Valid  bool   `json:"valid"`
		Issues issues `json:"issues"`
	}{all.valid(), append(issues{}, all...)})
}

// refusal is the 400 of a document that is not valid.
func (all issues) refusal(code, message string) answer {
	return problem(http.StatusBadRequest, code, message, struct {
		Issues issues `json:"issues"`
	}{all})
}
