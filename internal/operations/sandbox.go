package operations

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/transform/shape"
)

// Sandbox names the owner of the sandbox accounts that the gateway makes. The sales agent knows an account by both
// fields, so they never change. Both are empty, or neither: without them no account is made.
type Sandbox struct {
	Operator    string
	BrandDomain string
}

// account is a sandbox account of a tenant.
type account struct {
	whole          jsontext.Value
	active, mapped bool
}

var accountShape = sync.OnceValue(func() *shape.Shape {
	return shape.Of(property(api.Operations()["getEsaSandboxAccountStatus"].Successes[0].Schema, "accounts").Items)
})

// sandboxAccounts reads a list of them, in its order.
func sandboxAccounts(document []byte) (all []account, err error) {
	list, err := decoded[struct {
		Accounts []jsontext.Value `json:"accounts"`
	}](document)
	if err != nil || list.Accounts == nil {
		return nil, shape.ErrMalformed
	}
	for _, a := range list.Accounts {
		if string(member(a, "sandbox")) == "false" { // its buys would cost money
			continue
		}
		all = append(all, account{a, text(member(a, "status")) == "active", string(member(a, "advertiser_mapped")) == "true"})
	}
	return all, nil
}

// sandboxAccount gives the one that test buys use, and why it is not ready: "" if it is (contract 12.23).
func sandboxAccount(all []account) (one *account, missing string) {
	for _, wanted := range []func(account) bool{
		func(a account) bool { return a.active && a.mapped },
		func(a account) bool { return a.active },
		func(account) bool { return true },
	} {
		if i := slices.IndexFunc(all, wanted); i >= 0 {
			one = &all[i]
			break
		}
	}
	switch {
	case one == nil:
		return nil, "no_sandbox_account"
	case !one.active:
		return one, "sandbox_account_not_active"
	case !one.mapped:
		return one, "sandbox_advertiser_not_mapped"
	}
	return one, ""
}

// askSandboxAccounts asks for the sandbox accounts alone.
func askSandboxAccounts(_ context.Context, x *exchange) ([]byte, error) {
	x.query = url.Values{"sandbox": {"true"}}
	return nil, nil
}

// ensureSandboxAccount has the account made, or mended, unless it is ready. The answer is what is there afterwards.
func ensureSandboxAccount(ctx context.Context, x *exchange) ([]byte, error) {
	owner := x.service.cfg.Sandbox
	if owner.Operator == "" {
		return nil, notSupported("No sandbox account can be made: the gateway's configuration does not say whose it would be.")
	}
	_, _ = askSandboxAccounts(ctx, x)
	document, err := x.ask(ctx, get("accounts"), x.query, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	all, err := sandboxAccounts(document)
	if err != nil {
		return nil, unusable(shape.ErrMalformed)
	}
	if _, missing := sandboxAccount(all); missing == "" {
		return x.composed(ctx, document)
	}
	type brand struct {
		Domain string `json:"domain"`
	}
	name := ""
	if len(all) == 0 { // one that is there would be renamed
		name = "Sandbox"
	}
	_, err = x.ask(ctx, post("accounts"), nil, api.Encode(struct {
		Operator string `json:"operator"`
		Brand    brand  `json:"brand"`
		Billing  string `json:"billing"`
		Sandbox  bool   `json:"sandbox"`
		Name     string `json:"name,omitzero"`
	}{owner.Operator, brand{owner.BrandDomain}, "operator", true, name}), http.StatusOK, http.StatusCreated)
	return nil, err
}

// composeSandboxAccount says which account test buys use, and whether they can (contract 12.23).
func composeSandboxAccount(_ context.Context, x *exchange, document []byte) ([]shape.Given, error) {
	all, err := sandboxAccounts(document)
	if err != nil {
		return nil, err
	}
	one, missing := sandboxAccount(all)
	shown, reason := []byte("null"), []byte("null")
	if one != nil {
		if shown, err = translated(accountShape(), one.whole); err != nil {
			return nil, err
		}
	}
	if missing != "" {
		reason = api.Encode(missing)
	}
	return []shape.Given{
		{Name: "esaId", Value: api.Encode(strconv.FormatInt(x.source.Connection.ID, 10))},
		{Name: "tenantId", Value: api.Encode(x.source.Connection.TenantID)},
		{Name: "ready", Value: api.Encode(missing == "")},
		{Name: "missingReason", Value: reason},
		{Name: "account", Value: shown},
		{Name: "ensured", Value: api.Encode(one != nil && one.active)},
	}, nil
}
