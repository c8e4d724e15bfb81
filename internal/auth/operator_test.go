package auth_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"esagate/internal/auth"
)

// TestOperators: who is one, and who is not. A key of the config that is at odds with itself lets nobody in.
func TestOperators(t *testing.T) {
	keys := map[string]auth.Key{
		"desk":     {Operator: true, Write: true},
		"wall":     {Operator: true},
		"nobody's": {Write: true},
		"both":     {Operator: true, CustomerID: 5, Write: true},
		"customer": {CustomerID: 5, Write: true},
	}
	var all []auth.Key
	for name, key := range keys {
		key.Name, key.SHA256 = name, sha256.Sum256([]byte(name))
		all = append(all, key)
	}
	a, err := auth.New(t.Context(), auth.Config{Keys: all}, auth.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(ctx())
	for name, want := range map[string]*auth.Caller{
		"desk": {Name: "desk", Write: true, Operator: true}, "wall": {Name: "wall", Operator: true},
		"customer": {Name: "customer", CustomerID: 5, Write: true}, "nobody's": nil, "both": nil,
	} {
		c, err := a.Authenticate(t.Context(), name)
		switch {
		case want == nil && !errors.Is(err, auth.ErrUnknown), want != nil && (err != nil || *c != *want):
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// TestStoredOperators: one that becomes another's, or is revoked, is an operator's no longer.
func TestStoredOperators(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear, customers := r.store.make(7, true), r.store.make(8, true)
		r.store.operate(7)
		if c := r.good(clear); !c.Operator || c.CustomerID != 0 || !c.Write {
			t.Errorf("%+v", c)
		}
		if c := r.good(customers); c.Operator || c.CustomerID != 108 {
			t.Errorf("%+v", c)
		}
		r.store.revoke(7)
		time.Sleep(2*time.Second + time.Millisecond)
		r.bad(clear, auth.Unknown)
	})
}

// TestNoTokenIsAnOperators, whatever its claims say.
func TestNoTokenIsAnOperators(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for _, with := range []func(*draft){
			claim("scope", `"operator write"`), claim("scope", `["write", "operator", "admin"]`), claim("operator", "true"),
			claim("Operator", "true"), claim("key_scope", `"operator"`),
		} {
			if c := r.good(r.idp.token(with)); c.Operator || c.CustomerID < 1 {
				t.Errorf("%+v", c)
			}
		}
		for _, none := range []string{"0", `"0"`, "-0", "0.0", "null", `""`, `"00"`, "", "1e-400"} {
			r.bad(r.idp.token(claim(customerClaim, none), claim("operator", "true")), auth.BadClaims, none)
		}
		r.bad(r.idp.token(claim("scope", `"operator"`)), auth.BadClaims)
	})
}
