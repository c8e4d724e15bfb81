package auth_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"esagate/internal/auth"
)

func TestNewRefuses(t *testing.T) {
	good := auth.OIDC{Issuer: "https://login.example", Audience: "a", CustomerClaim: "c", AccessClaim: "s"}
	for name, change := range map[string]func(*auth.OIDC){
		"no issuer":         func(o *auth.OIDC) { o.Issuer = "" },
		"no audience":       func(o *auth.OIDC) { o.Audience = "" },
		"no customer claim": func(o *auth.OIDC) { o.CustomerClaim = "" },
		"no access claim":   func(o *auth.OIDC) { o.AccessClaim = "" },
		"http":              func(o *auth.OIDC) { o.Issuer = "http://login.example" },
		"http, nearly here": func(o *auth.OIDC) { o.Issuer = "http://127.0.0.1.login.example" },
		"another scheme":    func(o *auth.OIDC) { o.Issuer = "ftp://login.example" },
		"no scheme":         func(o *auth.OIDC) { o.Issuer = "login.example" },
		"no host":           func(o *auth.OIDC) { o.Issuer = "https://" },
		"a password":        func(o *auth.OIDC) { o.Issuer = "https://u:" + canary + "@login.example" },
		"a query":           func(o *auth.OIDC) { o.Issuer = "https://login.example?k=" + canary },
		"an empty query":    func(o *auth.OIDC) { o.Issuer = "https://login.example?" },
		"a fragment":        func(o *auth.OIDC) { o.Issuer = "https://login.example#" },
		"no URL":            func(o *auth.OIDC) { o.Issuer = "https://[" + canary },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			if _, err := auth.New(t.Context(), auth.Config{OIDC: &o}, auth.Deps{}); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		})
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
		t.Error("what is not there is not away")
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

// TestFetchesAreTold: for metrics.
func TestFetchesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newIDP()
		told := make(chan bool, 9)
		a, err := auth.New(t.Context(), auth.Config{OIDC: &auth.OIDC{Issuer: p.issuer, Audience: audience, CustomerClaim: "c", AccessClaim: "s"}},
			auth.Deps{HTTP: &http.Client{Transport: p}, IssuerFetched: func(ok bool) { told <- ok }})
		if err != nil {
			t.Fatal(err)
		}
		if !<-told {
			t.Error("a good fetch")
		}
		p.set(func() { p.away = true })
		if <-told {
			t.Error("a failed fetch")
		}
		a.Close(ctx())
	})
}
