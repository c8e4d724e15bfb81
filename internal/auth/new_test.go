package auth_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"esagate/internal/auth"
)

func TestNewRefuses(t *testing.T) {
	good := auth.OIDC{Issuer: "https://login.example", Audience: "a", CustomerClaim: "c", AccessClaim: "s"}
	bad := []auth.OIDC{good, good, good}
	bad[0].Audience, bad[1].CustomerClaim, bad[2].AccessClaim = "", "", ""
	for _, issuer := range []string{
		"", "http://login.example", "http://127.0.0.1.login.example", "ftp://login.example", "login.example", "https://",
		"https://u:" + canary + "@login.example", "https://login.example?k=" + canary, "https://login.example?",
		"https://login.example#", "https://[" + canary,
	} {
		o := good
		o.Issuer = issuer
		bad = append(bad, o)
	}
	for _, o := range bad {
		if _, err := auth.New(t.Context(), auth.Config{OIDC: &o}, auth.Deps{}); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestNewNeedsTheStoredKeys(t *testing.T) {
	s := newStore()
	s.is(true, false, 0)
	if _, err := auth.New(t.Context(), auth.Config{}, auth.Deps{Store: s}); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}

// TestWithoutStoreAndIssuer: only keys of the config, and tokens are but unknown keys.
func TestWithoutStoreAndIssuer(t *testing.T) {
	a, err := auth.New(t.Context(), auth.Config{Keys: []auth.Key{{Name: "k", CustomerID: 5, SHA256: sha256.Sum256([]byte("key"))}}}, auth.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(ctx())
	if c, err := a.Authenticate(t.Context(), "key"); err != nil || c.CustomerID != 5 {
		t.Errorf("got %v, %v", c, err)
	}
	for _, text := range []string{"other", newIDP().token()} {
		if _, err := a.Authenticate(t.Context(), text); !errors.Is(err, auth.ErrUnknown) || auth.ReasonOf(err) != auth.Unknown {
			t.Errorf("got %v", err)
		}
	}
	if !a.StoreAvailable() || !a.IssuerAvailable() {
		t.Error("a store or issuer that is not configured counts as away")
	}
}

// TestSetKeys: the keys of the config are exchanged at once, and requests under way keep what
// they were let in with.
func TestSetKeys(t *testing.T) {
	key := func(name, clear string, customer int64) auth.Key {
		return auth.Key{Name: name, CustomerID: customer, SHA256: sha256.Sum256([]byte(clear))}
	}
	a, err := auth.New(t.Context(), auth.Config{Keys: []auth.Key{key("goes", "one", 1), key("moves", "two", 2)}}, auth.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(ctx())
	before, err := a.Authenticate(t.Context(), "two")
	if err != nil {
		t.Fatal(err)
	}
	a.SetKeys([]auth.Key{key("moved", "two", 5), key("comes", "three", 6)})
	if *before != (auth.Caller{Name: "moves", CustomerID: 2}) {
		t.Errorf("a caller became %+v", *before)
	}
	if _, err := a.Authenticate(t.Context(), "one"); !errors.Is(err, auth.ErrUnknown) {
		t.Errorf("a key that is gone: %v", err)
	}
	for clear, want := range map[string]auth.Caller{"two": {Name: "moved", CustomerID: 5}, "three": {Name: "comes", CustomerID: 6}} {
		if c, err := a.Authenticate(t.Context(), clear); err != nil || *c != want {
			t.Errorf("%s: %+v, %v", clear, c, err)
		}
	}
}

// TestWholeHashCounts: keys whose hashes begin alike are told apart.
func TestWholeHashCounts(t *testing.T) {
	sum := sha256.Sum256([]byte("key"))
	near := sum
	near[31] ^= 1
	for want, keys := range map[string][]auth.Key{
		"":      {{Name: "near", CustomerID: 1, SHA256: near}},
		"exact": {{Name: "exact", CustomerID: 2, SHA256: sum}, {Name: "near", CustomerID: 1, SHA256: near}},
	} {
		a, err := auth.New(t.Context(), auth.Config{Keys: keys}, auth.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(ctx())
		if c, err := a.Authenticate(t.Context(), "key"); (err == nil) != (want != "") || err == nil && c.Name != want {
			t.Errorf("got %v, %v, want %q", c, err, want)
		}
	}
}
