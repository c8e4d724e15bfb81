package config

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"reflect"
	"strings"

	"esagate/registry"
)

const shortKey = 16 // below this a key is guessed, not stolen

type authSection struct {
	Keys []keyEntry `config:"keys"`
	OIDC *OIDC      `config:"oidc"`
}

// keyEntry is a key as the file has it: in clear or as its hash.
type keyEntry struct {
	Name       string `config:"name" rule:"required key-name"`
	Scope      string `config:"scope" rule:"customer|operator"` // empty: customer
	CustomerID *int64 `config:"customer_id" rule:"1..9007199254740991"`
	Access     string `config:"access" rule:"read|write"`
	Role       string `config:"role" rule:"optional admin|member|viewer"`
	Email      string `config:"email" rule:"optional ascii-email 254"`
	Principal  string `config:"principal_id" rule:"optional tenant"`
	Key        Secret `config:"key" rule:"ascii 1024"`
	SHA256     Secret `config:"sha256" rule:"sha256"`
}

// IdentityProblem says what is wrong with as whom the owner of a key is to be known to the sales agent: which key of
// auth.keys would say so, and what it must be. Both are empty where nothing is.
func IdentityProblem(id registry.Identity, write bool) (key, problem string) {
	e := reflect.ValueOf(keyEntry{Role: id.Role, Email: id.Email, Principal: id.PrincipalID})
	for _, name := range []string{"Role", "Email", "Principal"} {
		field, _ := e.Type().FieldByName(name)
		text, rule := e.FieldByIndex(field.Index).String(), strings.TrimPrefix(field.Tag.Get("rule"), "optional ")
		if text == "" {
			continue
		}
		if problem = textProblem(text, rule); problem != "" {
			return field.Tag.Get("config"), problem
		}
	}
	if !write && id.Role != "" && id.Role != viewer {
		return "role", "must be " + viewer + ", or left out, without write access"
	}
	return "", ""
}

// viewer is the role of those who change nothing.
const viewer = "viewer"

// auth checks the keys and the issuer that let callers in.
func (l *loader) auth(s authSection, publicURL string) Auth {
	const customerPath, accessPath = "auth.oidc.customer_claim", "auth.oidc.access_claim"
	a := Auth{Keys: l.keys(s.Keys), OIDC: s.OIDC}
	if o := a.OIDC; o != nil && l.good(customerPath, accessPath) && o.AccessClaim == o.CustomerClaim {
		l.add(accessPath, "is the same claim as "+customerPath)
	}
	if a.OIDC != nil {
		l.signIn(a.OIDC, publicURL)
	}
	if len(a.Keys) == 0 && a.OIDC == nil && l.good("auth.keys", "auth.oidc") {
		l.warn("auth.keys", "there is none, nor an auth.oidc: only keys made with esagate key new are let in")
	}
	return a
}

// signIn holds the keys of the code flow against each other.
func (l *loader) signIn(o *OIDC, publicURL string) {
	const at = "auth.oidc."
	if !l.good(at + "client_id") {
		return
	}
	if o.ClientID == "" {
		for key, given := range map[string]bool{
			"client_secret": o.ClientSecret.Reveal() != "", "scopes": len(o.Scopes) > 0, "audience_parameter": o.AudienceParameter != "none",
		} {
			if given && l.good(at+key) {
				l.add(at+key, "is of no use without "+at+"client_id")
			}
		}
		return
	}
	if l.good("server.public_url") && issuer(publicURL, 0) != "" {
		l.add(at+"client_id", "needs an https:// URL as server.public_url, or a loopback host: the issuer sends people back there with a code")
	}
	if u, err := url.Parse(o.Audience); l.good(at+"audience", at+"audience_parameter") && o.AudienceParameter == "resource" &&
		(err != nil || !u.IsAbs() || strings.Contains(o.Audience, "#")) {
		l.add(at+"audience_parameter", "must not be resource unless "+at+"audience is an absolute URI without a fragment")
	}
}

// keys hashes the clear keys: its result holds nothing of them.
func (l *loader) keys(entries []keyEntry) []Key {
	out := make([]Key, 0, len(entries))
	names, hashes := map[any]string{}, map[any]string{}
	for i, e := range entries {
		path := item("auth.keys", i)
		k := Key{Name: e.Name, Write: e.Access == "write", Operator: e.Scope == "operator",
			Identity: registry.Identity{Role: e.Role, Email: e.Email, PrincipalID: e.Principal}}
		if l.good(child(path, "scope"), child(path, "customer_id")) {
			l.owner(path, e, &k)
		}
		if l.good(child(path, "access"), child(path, "role")) {
			if key, problem := IdentityProblem(registry.Identity{Role: e.Role}, k.Write); problem != "" {
				l.add(child(path, key), problem)
			}
		}
		l.unique(names, e.Name, child(path, "name"), path, "the same name as")
		if hash, ok := l.keyHash(path, e); ok {
			k.SHA256 = hash
			l.unique(hashes, hash, path, path, "the same key as")
		}
		out = append(out, k)
	}
	return out
}

// owner says whose the key of an entry is, whose scope and customer are good by themselves.
func (l *loader) owner(path string, e keyEntry, k *Key) {
	switch at := child(path, "customer_id"); {
	case k.Operator && e.CustomerID != nil:
		l.add(at, "must be left out where scope is operator: such a key is for all customers")
	case k.Operator:
	case e.CustomerID == nil:
		l.add(at, "is required, unless scope is operator")
	default:
		k.CustomerID = *e.CustomerID
	}
}

func (l *loader) keyHash(path string, e keyEntry) (hash [sha256.Size]byte, ok bool) {
	clearPath, hashPath := child(path, "key"), child(path, "sha256")
	plain, digest := e.Key.Reveal(), e.SHA256.Reveal()
	switch {
	case !l.good(clearPath, hashPath):
	case (plain == "") == (digest == ""):
		l.add(path, "must have one of key and sha256, not both")
	case plain == "":
		_, _ = hex.Decode(hash[:], []byte(digest))
		if hash == sha256.Sum256(nil) {
			l.add(hashPath, "is the hash of an empty key")
		}
	default:
		hash = sha256.Sum256([]byte(plain))
		if len(plain) < shortKey {
			name := ""
			if l.good(child(path, "name")) && shown(e.Name) != "?" { // else the key may stand in its place
				name = " " + e.Name
			}
			l.warn(path, "the key"+name+" is shorter than 16 characters; make a long random one")
		}
	}
	return hash, l.good(clearPath, hashPath)
}

// unique reports a good value at a path that an earlier entry of the same list has.
func (l *loader) unique(seen map[any]string, value any, path, entry, as string) {
	if !l.good(path) {
		return
	}
	if first, taken := seen[value]; taken {
		l.add(path, "is "+as+" "+first)
		return
	}
	seen[value] = entry
}
