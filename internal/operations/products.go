package operations

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/transform/shape"
)

// The shapes of bodies of products. That of a PATCH takes all that a stored product may hold: it leaves the elements of
// format_options as they are.
var (
	wholeProduct = sync.OnceValue(func() *shape.Shape { return shape.Of(api.Operations()["updateEsaProduct"].Body) })
	draftProduct = sync.OnceValue(func() *shape.Shape { return shape.Of(api.Operations()["patchEsaProduct"].Body) })
)

// checkProduct gives what is wrong with the body of a whole product beside its shape (contract 12.19).
func checkProduct(x *exchange) []fault.Issue {
	return append(checkProductID(x), productIssues(x, x.body)...)
}

// checkProductID holds a body's id against that of the path, or sees that it can stand in one.
func checkProductID(x *exchange) []fault.Issue {
	const name = "wholesale_product_id"
	id := text(member(x.body, name))
	switch path, ok := x.vars["productId"]; {
	case id == "":
	case ok && id != path:
		return []fault.Issue{{Path: name, Message: name + " must be the id in the path, or left out."}}
	case id == "." || id == ".." || strings.ContainsFunc(id, unicode.IsControl):
		return []fault.Issue{{Path: name, Message: name + " can't be . or .., or contain control characters."}}
	}
	return nil
}

// productIssues gives what is wrong with a whole product where several of its members, or the source, decide.
func productIssues(x *exchange, product []byte) (issues []fault.Issue) {
	inventory := member(product, "inventory")
	if adapter := text(member(member(inventory, "execution"), "adapter")); adapter != "" && adServer(x.source) != "" && adapter != adServer(x.source) {
		issues = append(issues, fault.Issue{Path: "inventory.execution.adapter",
			Message: "inventory.execution.adapter must be " + adserver.TypeName(x.source.Connection.AdServer) + ", the ad server of the source."})
	}
	for i, selector := range entries(member(inventory, "publisher_properties")) {
		const list = "inventory.publisher_properties"
		if len(issues) >= shape.MaxIssues {
			break
		}
		selection := text(member(selector, "selection_type"))
		for _, by := range []struct{ selection, name string }{{"by_id", "property_ids"}, {"by_tag", "property_tags"}} {
			path, given := at(list, i, by.name), says(member(selector, by.name))
			switch {
			case selection == by.selection && !given:
				issues = append(issues, fault.Issue{Path: path, Message: path + " is required where selection_type is " + by.selection + "."})
			case selection == "all" && given:
				issues = append(issues, fault.Issue{Path: path, Message: path + " must be left out where selection_type is all."})
			}
		}
	}
	return issues
}

// composeDraft gives the body that saves a product as it is (contract 12.20).
func composeDraft(_ context.Context, _ *exchange, document []byte) ([]shape.Given, error) {
	var draft bytes.Buffer
	if err := draftProduct().Draft(&draft, bytes.NewReader(document)); err != nil {
		return nil, err
	}
	return []shape.Given{{Name: "updateDraft", Value: draft.Bytes()}}, nil
}

// preparePatch makes the whole product that a PATCH stands for, because the sales agent can only replace: the stored
// one with what the body names. A body that names nothing is answered with the stored product (contract 12.20).
func preparePatch(ctx context.Context, x *exchange) ([]byte, error) {
	stored, err := x.ask(ctx, get(product), nil, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	changes := named(x.body)
	if len(changes) == 0 {
		return x.composed(ctx, stored)
	}
	var draft bytes.Buffer
	if draftProduct().Draft(&draft, bytes.NewReader(stored)) != nil {
		return nil, unusable(shape.ErrMalformed)
	}
	whole := merged(fields(draft.Bytes()), changes)
	// Other clients may have stored format options that no body here could have: they stay as they are unless the
	// caller names them.
	var kept []field
	isOptions := func(f field) bool { return f.name == "format_options" }
	if i := slices.IndexFunc(whole, isOptions); i >= 0 && !slices.ContainsFunc(changes, isOptions) {
		kept = []field{whole[i]}
		whole = slices.Delete(whole, i, i+1)
	}
	body := joined(whole)
	sent, issues, err := wholeProduct().Request(body)
	if err != nil {
		return nil, unusable(shape.ErrMalformed)
	}
	if issues = append(issues, productIssues(x, body)...); len(issues) > 0 {
		return nil, fault.Invalid(issues...)
	}
	x.sent = joined(append(fields(sent), kept...))
	return nil, nil
}

// named gives what the body of a PATCH is to replace: what is not null, and no id. Of inventory these are its parts.
func named(body []byte) (changes []field) {
	for _, f := range fields(body) {
		switch {
		case f.name == "wholesale_product_id" || f.value.Kind() == 'n':
			continue
		case f.name == "inventory":
			parts := slices.DeleteFunc(fields(f.value), func(f field) bool { return f.value.Kind() == 'n' })
			if len(parts) == 0 {
				continue
			}
			f.value = joined(parts)
		}
		changes = append(changes, f)
	}
	return changes
}

// merged puts changes in place of members, or after them; in inventory, in place of its parts.
func merged(members, changes []field) []field {
	for _, change := range changes {
		i := slices.IndexFunc(members, func(f field) bool { return f.name == change.name })
		switch {
		case i < 0:
			members = append(members, change)
		case change.name == "inventory":
			members[i].value = joined(merged(fields(members[i].value), fields(change.value)))
		default:
			members[i].value = change.value
		}
	}
	return members
}

// composeProductVerdict gives what the sales agent thinks of a product, and its issues by their severity as well
// (contract 12.21).
func composeProductVerdict(_ context.Context, x *exchange, document []byte) ([]shape.Given, error) {
	v, err := readVerdict(document, x.request)
	if err != nil {
		return nil, err
	}
	bySeverity := map[string][]remark{"error": {}, "warning": {}}
	for _, i := range v.issues {
		r := remark{Code: i.Code, Message: i.Message}
		if i.Field.Kind() == '"' {
			r.Field = i.Field
		}
		bySeverity[i.Severity] = append(bySeverity[i.Severity], r)
	}
	return append(v.given(),
		shape.Given{Name: "errors", Value: api.Encode(bySeverity["error"])},
		shape.Given{Name: "warnings", Value: api.Encode(bySeverity["warning"])}), nil
}

// remark is an issue among those of its severity.
type remark struct {
	Code    string         `json:"code"`
	Field   jsontext.Value `json:"field,omitzero"`
	Message string         `json:"message"`
}
