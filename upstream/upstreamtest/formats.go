package upstreamtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// longestQuery is how many characters a text to search creative formats by can have.
const longestQuery = 255

// listFormats gives the creative formats that the tenant's products can take, as their agents wrote them and
// without nulls. It is the one operation that refuses parameters that it does not know.
func listFormats(q *inquiry) answer {
	var found []validationError
	for _, name := range slices.Sorted(maps.Keys(q.query)) {
		if name != "q" && name != "asset_type" {
			found = append(found, validationError{Type: "extra_forbidden", Loc: []string{name}, Msg: "Extra inputs are not permitted", Input: encode(q.query.Get(name))})
		}
	}
	text := strings.ToLower(q.query.Get("q"))
	if utf8.RuneCountInString(text) > longestQuery {
		found = append(found, validationError{Type: "string_too_long", Loc: []string{"q"}, Msg: "String should have at most 255 characters", Input: encode(text)})
	}
	if found != nil {
		return invalid(found)
	}
	formats, failed := []json.RawMessage{}, []json.RawMessage{}
	for _, doc := range q.publisher.Formats {
		var f struct {
			Name   string   `json:"name"`
			Assets []string `json:"asset_types"`
		}
		mustRead(doc, &f)
		wanted := q.query["asset_type"]
		if strings.Contains(strings.ToLower(f.Name), text) &&
			(len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(f.Assets, w) })) {
			formats = append(formats, q.noted(doc))
		}
	}
	if q.owner.Stocked {
		failed = q.publisher.FormatErrors
	}
	return ok(struct {
		Formats []json.RawMessage `json:"creative_formats"`
		Count   int               `json:"count"`
		Errors  []json.RawMessage `json:"errors"`
	}{formats, len(formats), failed})
}
