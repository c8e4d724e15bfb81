package operations

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/transform/shape"
)

// verdict is what the sales agent thinks of a body that it was only shown.
type verdict struct {
	valid  bool
	issues []issue
}

// issue is something that is wrong or doubtful.
type issue struct {
	Code     string         `json:"code"`
	Field    jsontext.Value `json:"field"` // a text or null
	Message  string         `json:"message"`
	Severity string         `json:"severity"`
}

// readVerdict reads the sales agent's answer to a trial of a body of a shape. In doubt nothing is valid: with an error
// among the issues it is not, whatever else the answer says.
func readVerdict(document []byte, body *shape.Shape) (*verdict, error) {
	answer, err := decoded[struct {
		Valid  *bool `json:"valid"`
		Issues []struct {
			Code     jsontext.Value `json:"code"`
			Field    jsontext.Value `json:"field"`
			Message  jsontext.Value `json:"message"`
			Severity jsontext.Value `json:"severity"`
		} `json:"issues"`
	}](document)
	if err != nil || answer.Valid == nil {
		return nil, shape.ErrMalformed
	}
	v := &verdict{valid: *answer.Valid, issues: []issue{}}
	for _, told := range answer.Issues {
		i := issue{Code: text(told.Code), Field: []byte("null"), Severity: "error"}
		if !word.Name.Is(i.Code) {
			i.Code = "unknown"
		}
		if field := issueField(body, text(told.Field)); field != "" {
			i.Field = api.Encode(field)
		}
		i.Message = issueMessage(i.Code, text(told.Message))
		if text(told.Severity) == "warning" {
			i.Severity = "warning"
		}
		v.valid = v.valid && i.Severity == "warning"
		v.issues = append(v.issues, i)
	}
	return v, nil
}

// given gives the members of the answer.
func (v *verdict) given() []shape.Given {
	return []shape.Given{{Name: "valid", Value: api.Encode(v.valid)}, {Name: "issues", Value: api.Encode(v.issues)}}
}

// issueField gives the path of an issue in the caller's names, or as it is where it leads out of the body; a part that
// is neither a plain word nor an index is "?".
func issueField(body *shape.Shape, path string) string {
	if path == "" {
		return ""
	}
	if callers := body.CallersPath(path); callers != "" {
		return callers
	}
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil && !word.Member.Is(part) {
			parts[i] = "?"
		}
	}
	return strings.Join(parts, ".")
}

// issueMessage gives the sentence of an issue: ours, by its code, because the sales agent's look like secrets
// ("value_type='categorical'"); of codes that are not known its own, treated (contract 4.11).
func issueMessage(code, message string) string {
	if ours, ok := issueSentences[code]; ok {
		return ours
	}
	if told, ok := redact.Text(message); ok && told != "" {
		return told
	}
	return "The sales agent finds fault with this."
}

// issueSentences are what the sales agent's codes mean.
var issueSentences = map[string]string{
	"missing_categories":                 "A categorical signal needs categories.",
	"missing_range":                      "A numeric signal needs a range.",
	"invalid_range":                      "The lower bound of the range is above the upper one.",
	"missing_adapter_config":             "The config does not say by which kind of mapping the ad server targets the signal.",
	"invalid_composed_config":            "A composed config needs criteria.",
	"unsupported_signal_mapping_kind":    "The ad server of the source has no mapping of this kind.",
	"unsupported_signal_mapping_mode":    "A mapping of this kind does not know this mode.",
	"invalid_signal_mapping_mode":        "The mode must be include or exclude.",
	"missing_signal_mapping_field":       "A mapping of this kind needs this field.",
	"signal_mapping_candidate_not_found": "The ad server has no such thing, as of the last sync.",

	"missing_publisher_properties":        "A product needs publisher properties.",
	"missing_creative_formats":            "A product needs creative formats.",
	"adapter_mismatch":                    "The product is for another ad server than the source's.",
	"unsupported_selector_type":           "The ad server of the source has no selectors of this type.",
	"selector_not_found":                  "The ad server has no such selector, as of the last sync.",
	"creative_format_not_found":           "No creative agent offers this format.",
	"creative_format_catalog_unavailable": "The creative agents could not be asked, so the formats were not checked.",
	"publisher_domain_not_authorized":     "The source is not authorized for this publisher domain.",
}
