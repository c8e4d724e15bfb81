package auth_test

import (
	"testing"

	"esagate/internal/auth"
)

const customerClaim = "https://claims.example/org.id"

// TestCustomerClaim: what counts as a customer's id.
func TestCustomerClaim(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for text, want := range map[string]int64{
			"1": 1, "4711": 4711, `"4711"`: 4711, "9007199254740991": 1<<53 - 1, `"9007199254740991"`: 1<<53 - 1, `"\u0034"`: 4,
		} {
			if c := r.good(r.idp.token(claim(customerClaim, text))); c.CustomerID != want {
				t.Errorf("%s: customer %d", text, c.CustomerID)
			}
		}
		for _, text := range []string{
			"", "null", "true", "0", "-1", "-0", "1.0", "1.5", "4e3", "4E0", "9007199254740992", "9007199254740993",
			"92233720368547758070", "1e999", `""`, `"0"`, `"007"`, `" 7"`, `"7 "`, `"+7"`, `"-7"`, `"7.0"`, `"7e0"`, `"0x7"`, `"7_0"`,
			`"9007199254740992"`, `"99999999999999999999999999"`, `"٧"`, `"seven"`, `[7]`, `{"id": 7}`, `["7"]`,
		} {
			r.bad(r.idp.token(claim(customerClaim, text)), auth.BadClaims, text)
		}
		// The name is taken literally: it is no path, and its case counts.
		r.bad(r.idp.token(claim(customerClaim, ""), claim("https://claims.example/org", `{"id": 7}`)), auth.BadClaims, "path")
		r.bad(r.idp.token(claim(customerClaim, ""), claim("HTTPS://claims.example/org.id", "7")), auth.BadClaims, "case")
	})
}

// TestAccessClaim: which words give which access.
func TestAccessClaim(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for text, write := range map[string]bool{
			`"read"`: false, `"write"`: true, `"read write"`: true, `"openid write email"`: true, `" read "`: false,
			`["read"]`: false, `["read", "write"]`: true, `["write"]`: true, `["openid", "read"]`: false,
		} {
			if c := r.good(r.idp.token(claim("scope", text))); c.Write != write {
				t.Errorf("%s: write is %v", text, c.Write)
			}
		}
		for _, text := range []string{
			"", "null", "true", "1", `""`, `" "`, `"Write"`, `"readwrite"`, `"read,write"`, `"write:all"`, "\"read\\twrite\"", `"admin"`,
			"[]", `["read write"]`, `["READ"]`, `["read", 1]`, `["read", null]`, `[["read"]]`, `{"read": true}`, `{"write": "write"}`,
		} {
			r.bad(r.idp.token(claim("scope", text)), auth.BadClaims, text)
		}
	})
}
