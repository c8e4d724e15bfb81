package operations

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/word"
	"esagate/transform/shape"
	"esagate/upstream"
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

// mostIssues bounds how many are passed on.
const mostIssues = 1000

// readVerdict reads the sales agent's answer to a trial of a body of a shape. In doubt nothing is valid: with an error
// among the issues it is not, whatever else the answer says.
func readVerdict(document []byte, body *shape.Shape) (*verdict, error) {
	answer, err := decoded[struct {
		Valid  *bool          `json:"valid"`
		Issues jsontext.Value `json:"issues"`
	}](document)
	if err != nil || answer.Valid == nil || len(answer.Issues) > 0 && answer.Issues.Kind() != '[' && answer.Issues.Kind() != 'n' {
		return nil, shape.ErrMalformed
	}
	v := &verdict{valid: *answer.Valid, issues: []issue{}}
	for n, entry := range entries(answer.Issues) {
		if n >= mostIssues {
			v.valid = v.valid && text(member(entry, "severity")) == "warning"
			continue
		}
		told, err := decoded[struct {
			Code     jsontext.Value `json:"code"`
			Field    jsontext.Value `json:"field"`
			Message  jsontext.Value `json:"message"`
			Severity jsontext.Value `json:"severity"`
		}](entry)
		if err != nil {
			return nil, err
		}
		i := issue{Code: text(told.Code), Field: []byte("null"), Severity: "error"}
		if !word.Name.Is(i.Code) {
			i.Code = "unknown"
		}
		if field := issueField(body, text(told.Field)); field != "" {
			i.Field = api.Encode(field)
		}
		i.Message = upstream.IssueText(i.Code, text(told.Message))
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
		parts[i] = word.Segment(part)
	}
	return strings.Join(parts, ".")
}
