package operations

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
	"esagate/transform/shape"
)

// checkNewMapping: a brand is one of a house (contract 12.15).
func checkNewMapping(x *exchange) []fault.Issue {
	if says(member(x.body, "brandId")) && !says(member(x.body, "brandHouse")) {
		return []fault.Issue{{Path: "brandHouse", Message: "brandHouse is required beside brandId."}}
	}
	return nil
}

// prepareMappingPatch leaves out what is null, because the sales agent takes null for nothing said: it is refused where
// it would clear something. With nothing left, the mapping is the answer (contract 12.15).
func prepareMappingPatch(ctx context.Context, x *exchange) ([]byte, error) {
	var left []field
	clears := false
	for _, f := range fields(x.sent) {
		if f.value.Kind() != 'n' {
			left = append(left, f)
		} else if f.name != "gam_advertiser_id" {
			clears = true
		}
	}
	if len(left) > 0 && !clears {
		x.sent = joined(left)
		return nil, nil
	}
	stored, err := x.storedMapping(ctx)
	if err != nil {
		return nil, err
	}
	var issues []fault.Issue
	for _, f := range fields(x.body) {
		column := map[string]string{"brandHouse": "brand_house", "brandId": "brand_id", "principalId": "principal_id"}[f.name]
		if was := member(stored, column); column != "" && f.value.Kind() == 'n' && len(was) > 0 && was.Kind() != 'n' {
			issues = append(issues, fault.Issue{Path: f.name, Message: f.name + " can't be cleared: delete the mapping, and create it without."})
		}
	}
	switch {
	case len(issues) > 0:
		return nil, fault.Invalid(issues...)
	case len(left) == 0:
		return x.composed(ctx, stored)
	}
	x.sent = joined(left)
	return nil, nil
}

// storedMapping finds the mapping of the path in the list, which is the only way to read one.
func (x *exchange) storedMapping(ctx context.Context) (jsontext.Value, error) {
	document, err := x.ask(ctx, get("buyer-advertiser-mappings"), nil, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	list, err := decoded[struct {
		Mappings []jsontext.Value `json:"mappings"`
	}](document)
	if err != nil || list.Mappings == nil {
		return nil, unusable(shape.ErrMalformed)
	}
	for _, m := range list.Mappings {
		if text(member(m, "id")) == x.vars["mappingId"] {
			return m, nil
		}
	}
	return nil, &fault.Error{Kind: fault.NotFound, Reason: fault.MappingNotFound, Message: "There is no such mapping."}
}
