package upstream

import (
	"net/http"
	"slices"
	"strings"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/internal/word"
)

// said is a word of upstream's for why it does not do what an operation on an ad server asks for, with its status.
type said struct {
	status int
	code   string
}

// told is what a caller is told of it: the kind of failure is that of its status.
type told struct {
	reason  fault.Reason
	path    string // of the issue, of a 400; "": those that upstream names
	message string
}

// words are all that are known (contract 12.11). One with another status is not known.
var words = map[said]told{
	{404, "routing_rule_not_found"}:      {fault.MappingNotFound, "", "There is no such mapping."},
	{404, "media_buy_not_found"}:         {fault.MediaBuyNotFound, "", "There is no such media buy."},
	{404, "wholesale_product_not_found"}: {fault.ProductNotFound, "", "There is no such product."},
	{404, "signal_mapping_not_found"}:    {fault.SignalNotFound, "", "There is no such signal."},

	{409, "routing_rule_duplicate"}:     {fault.MappingExists, "", "There is a mapping for this buyer already."},
	{409, "wholesale_product_exists"}:   {fault.ProductExists, "", "There is a product of this id already."},
	{409, "inventory_profile_conflict"}: {fault.ProductIDTaken, "", "Something else of the source has this id, which is no product."},
	{409, "signal_mapping_exists"}:      {fault.SignalExists, "", "There is a signal of this id already."},
	{409, "signal_mapping_in_use"}:      {fault.SignalInUse, "", "The signal can't be deleted while a media buy uses it."},

	{400, "invalid_signal_mapping"}:    {"", "", ""},
	{400, "invalid_wholesale_product"}: {"", "", ""},

	{400, "brand_house_required"}:    {"", "brandHouse", "A brandId needs a brandHouse."},
	{400, "invalid_advertiser_id"}:   {"", "gamAdvertiserId", "The ad server has no such advertiser, as far as it was last synced."},
	{400, "invalid_advertiser_name"}: {"", "name", "The name must not be blank."},

	{400, "unsupported_selector_type"}:         {"", "query.selectorType", "The ad server has no selectors of this type"},
	{400, "unsupported_signal_candidate_type"}: {"", "query.candidateType", "The ad server has no candidates of this type"},
	{400, "invalid_pagination"}:                {"", "query.cursor", "This is no cursor of this list"},

	// The gateway has compared them.
	{400, "signal_id_mismatch"}:            {"", "signalId", "This is not the id in the path."},
	{400, "wholesale_product_id_mismatch"}: {"", "wholesale_product_id", "This is not the id in the path."},

	{400, "adapter_not_configured"}: {fault.AdServerNotSupported, "esaId", "The source's ad server is not the one that this is for."},
}

// worded judges an answer by these words; nil where it has none of them.
func worded(a answer, no *Refusal) *failure {
	t, ok := words[said{a.status, no.Code}]
	switch {
	case ok && a.status == http.StatusNotFound:
		return declined(&fault.Error{Kind: fault.NotFound, Reason: t.reason, Message: t.message}, no)
	case ok && a.status == http.StatusConflict:
		e := &fault.Error{Kind: fault.Conflict, Reason: t.reason, Message: t.message}
		if n := a.problem.ActiveReferences; t.reason == fault.SignalInUse && n != nil && *n >= 0 {
			e.ActiveReferences = n
		}
		return declined(e, no)
	case ok && t.path == "" && len(a.problem.Issues) == 0:
		return rejected(a, no)
	case ok && t.path == "":
		return declined(fault.Invalid(issuesOf(a)...), no)
	case ok:
		e := fault.Invalid(fault.Issue{Path: t.path, Message: naming(t.message, a.problem.Supported)})
		e.Reason = t.reason
		return declined(e, no)
	case no.AdapterCode != "", strings.HasPrefix(no.Code, byAdapter) &&
		(a.status == http.StatusBadRequest || a.status == http.StatusForbidden): // the key was taken
		return adServerDeclined(no)
	}
	return nil
}

// declined is the failure of an answer that shows upstream to be well.
func declined(e *fault.Error, no *Refusal) *failure {
	e.Cause = no
	if e.Field == "body" {
		e.Field = "" // it is no one field's fault
	}
	o := outcomeRejected
	switch e.Kind {
	case fault.NotFound:
		o = outcomeNotFound
	case fault.Conflict:
		o = outcomeConflict
	}
	return &failure{outcome: o, err: e}
}

// adServerDeclined is the failure of what the ad server does not do with its saved config.
func adServerDeclined(no *Refusal) *failure {
	code := adserver.ErrorCode(no.AdapterCode)
	text := adserver.ErrorText(code, adserver.SavedConfig)
	if code == adserver.ErrorInternal {
		text = shown(no.Message, "The ad server did not do it.")
	}
	e := fault.Invalid(fault.Issue{Path: "body", Message: text})
	e.ErrorCode = code
	return declined(e, no)
}

// naming adds to a sentence without its end what would have been right, where those are plain words.
func naming(sentence string, supported []string) string {
	const most, longest = 20, 40
	var plain []string
	for _, s := range supported {
		if word.Member.AtMost(s, longest) && len(plain) < most {
			plain = append(plain, s)
		}
	}
	if sentence = strings.TrimSuffix(sentence, "."); len(plain) > 0 {
		sentence += ", but of these: " + strings.Join(plain, ", ")
	}
	return sentence + "."
}

// issuesOf gives the faults that upstream's own check of a body found, by the caller's names.
func issuesOf(a answer) (issues []fault.Issue) {
	for _, found := range a.problem.Issues {
		issue := fault.Issue{Path: "body", Message: IssueText(found.Code, found.Message)}
		if path := a.call.callersPath(string(found.Field)); path != "" {
			issue.Path = path
		}
		if !slices.Contains(issues, issue) {
			issues = append(issues, issue)
		}
	}
	return issues
}

// IssueText says what upstream's own check finds wrong with a body: in a sentence of ours by its code, because its own
// repeat what callers sent and look like secrets ("value_type='categorical'"); of codes that are not known in its own
// words, treated (contract 4.11).
func IssueText(code, message string) string {
	if text := issueTexts[code]; text != "" {
		return text
	}
	return shown(message, "The sales agent finds fault with this.")
}

// issueTexts are what its codes mean.
var issueTexts = map[string]string{
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

	"missing_publisher_properties":          "A product needs publisher properties.",
	"missing_creative_formats":              "A product needs creative formats.",
	"adapter_mismatch":                      "The product is for another ad server than the source's.",
	"unsupported_selector_type":             "The ad server of the source has no selectors of this type.",
	"selector_not_found":                    "The ad server has no such selector, as of the last sync.",
	"creative_format_not_found":             "No creative agent offers this format.",
	"creative_format_catalog_unavailable":   "The creative agents could not be asked, so the formats were not checked.",
	"publisher_domain_not_authorized":       "The source is not authorized for this publisher domain.",
	"publisher_property_not_authorized":     "The source is not authorized for all of these properties.",
	"publisher_property_tag_not_authorized": "The source is not authorized for properties with all of these tags.",
}
