package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/registry"
)

// TestWhoAsks: what is said comes from the key and the connection, and who may only read is a viewer whatever the
// key says.
func TestWhoAsks(t *testing.T) {
	g := &Gateway{cfg: Config{ExternalSource: "esagate"}}
	connection := &registry.Connection{ExternalOrgID: "4711-9"}
	given := registry.Identity{Role: "member", Email: "desk@meadow.example", PrincipalID: "buyer_7"}
	for name, c := range map[string]struct {
		key  auth.Caller
		want identity
	}{
		"write":             {auth.Caller{Name: "desk.eu", Write: true}, identity{"desk.eu@esagate.invalid", "4711-9", "admin", "esagate", "desk.eu", "", ""}},
		"read":              {auth.Caller{Name: "wall"}, identity{"wall@esagate.invalid", "4711-9", "viewer", "esagate", "wall", "", ""}},
		"of its own":        {auth.Caller{Name: "desk", Write: true, Identity: given}, identity{"desk@meadow.example", "4711-9", "member", "esagate", "desk", "buyer_7", ""}},
		"reads as member":   {auth.Caller{Name: "desk", Identity: given}, identity{"desk@meadow.example", "4711-9", "viewer", "esagate", "desk", "buyer_7", ""}},
		"a name in words":   {auth.Caller{Name: "the desk", Write: true}, identity{"key-5ab924d421a7194e@esagate.invalid", "4711-9", "admin", "esagate", "key-5ab924d421a7194e", "", ""}},
		"a name with lines": {auth.Caller{Name: "a\r\nX-Identity-Role: admin"}, identity{"key-d303d2535278f288@esagate.invalid", "4711-9", "viewer", "esagate", "key-d303d2535278f288", "", ""}},
	} {
		got, err := g.identityOf(&c.key, connection)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, want %+v (%v)", name, got, c.want, err)
		}
	}
	for _, org := range []string{"", "two words", "4711\nadmin"} {
		if _, err := g.identityOf(&auth.Caller{Name: "desk"}, &registry.Connection{ExternalOrgID: org}); !fault.Is(err, fault.Conflict) {
			t.Errorf("of the organization %q: %v", org, err)
		}
	}
}

// TestIdentityIsSigned by the documented text, and each part of it counts.
func TestIdentityIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock stands at midnight, 2000-01-01
		who := identity{"desk@meadow.example", "4711-9", "admin", "esagate", "desk", "buyer_7", "identity-key"}
		h := http.Header{}
		who.set(h, "GET", "/tenant/t%20/products")
		mac := hmac.New(sha256.New, []byte("identity-key"))
		mac.Write([]byte("946684800.desk@meadow.example\n4711-9\nadmin\nesagate\ndesk\nbuyer_7\nGET\n/tenant/t%20/products"))
		want := http.Header{
			"X-Identity-Email": {"desk@meadow.example"}, "X-Identity-Org-Id": {"4711-9"}, "X-Identity-Role": {"admin"}, "X-Identity-Source": {"esagate"},
			"X-Identity-User-Id": {"desk"}, "X-Principal-Id": {"buyer_7"}, "X-Identity-Timestamp": {"946684800"},
			"X-Identity-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
		}
		if !maps.EqualFunc(h, want, slices.Equal) {
			t.Errorf("%v, want %v", h, want)
		}
		who.key, who.PrincipalID = "", ""
		h = http.Header{}
		who.set(h, "GET", "/")
		if len(h) != 5 {
			t.Errorf("without key and principal: %v", h)
		}
	})
}
