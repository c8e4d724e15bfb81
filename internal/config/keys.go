package config

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

const (
	maxCustomerID = 1<<53 - 1 // what a JSON number holds exactly
	shortKey      = 16        // below this a key is guessed, not stolen
	maxKey        = 1024
)

type authSection struct {
	Keys []keyEntry `config:"keys"`
	OIDC OIDC       `config:"oidc"`
}

// keyEntry is a key as the file has it: in clear or as its hash.
type keyEntry struct {
	Name       string  `config:"name"`
	CustomerID *int64  `config:"customer_id"`
	Access     *string `config:"access"`
	Key        *Secret `config:"key"`
	SHA256     *Secret `config:"sha256"`
}

var (
	keyName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	visible    = regexp.MustCompile(`^[!-~]+$`)
	hexSHA256  = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
	emptyClear = sha256.Sum256(nil)
)

// callers warns where the file lets nobody in.
func (v *validator) callers(a *Auth) {
	if len(a.Keys) == 0 && a.OIDC == nil && v.good("auth.keys", "auth.oidc") {
		v.warn("auth.keys", "there is none, nor an auth.oidc: only keys made with esagate key new are let in")
	}
}

// keys checks the entries and hashes the clear keys: nothing of a clear key is
// left in what it gives.
func (v *validator) keys(entries []keyEntry) []Key {
	out := make([]Key, 0, len(entries))
	names := map[string]string{}
	hashes := map[[sha256.Size]byte]string{}
	for i, e := range entries {
		path := item("auth.keys", i)
		k := Key{Name: e.Name, Access: AccessRead}
		if v.required(child(path, "name"), e.Name != "") &&
			v.text(child(path, "name"), e.Name, matching(keyName, "must be 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit")) {
			v.unique(names, e.Name, path, "name", "the same name as")
		}
		k.CustomerID = v.customer(child(path, "customer_id"), e.CustomerID)
		if e.Access != nil {
			v.text(child(path, "access"), *e.Access, oneOf(string(AccessRead), string(AccessWrite)))
			k.Access = Access(*e.Access)
		}
		if hash, ok := v.keyHash(path, e); ok {
			k.SHA256 = hash
			if first, taken := hashes[hash]; taken {
				v.add(path, "is the same key as %s", first)
			} else {
				hashes[hash] = path
			}
		}
		out = append(out, k)
	}
	return out
}

func (v *validator) keyHash(path string, e keyEntry) (hash [sha256.Size]byte, ok bool) {
	clearPath, hashPath := child(path, "key"), child(path, "sha256")
	switch {
	case !v.good(clearPath, hashPath):
		return hash, false
	case (e.Key == nil) == (e.SHA256 == nil):
		v.add(path, "must have one of key and sha256, not both")
		return hash, false
	case e.SHA256 != nil:
		if !v.text(hashPath, e.SHA256.Reveal(), matching(hexSHA256, "must be 64 hexadecimal digits")) {
			return hash, false
		}
		_, _ = hex.Decode(hash[:], []byte(e.SHA256.Reveal()))
		if hash == emptyClear {
			v.add(hashPath, "is the hash of an empty key")
			return hash, false
		}
		return hash, true
	}
	plain := e.Key.Reveal()
	switch {
	case plain == "":
		v.add(clearPath, "must not be empty")
		return hash, false
	case len(plain) > maxKey:
		v.add(clearPath, "must be at most %d characters", maxKey)
		return hash, false
	case !visible.MatchString(plain):
		v.add(clearPath, "must be visible ASCII characters without spaces: no client could send it otherwise")
		return hash, false
	case len(plain) < shortKey:
		v.warn(path, "the key"+v.called(path, e.Name)+" is shorter than 16 characters; make a long random one")
	}
	return sha256.Sum256([]byte(plain)), true
}

func (v *validator) customer(path string, id *int64) int64 {
	if !v.required(path, id != nil) {
		return 0
	}
	within(v, path, *id, 1, maxCustomerID)
	return *id
}

// called names a key entry, unless someone took the key itself for its name.
func (v *validator) called(path, name string) string {
	if !v.good(child(path, "name")) || shown(name) == "?" {
		return ""
	}
	return " " + name
}

// unique reports a value that an earlier entry of the same list has.
func (v *validator) unique(seen map[string]string, value, path, key, as string) {
	if first, taken := seen[value]; taken {
		v.add(child(path, key), "is %s %s", as, first)
		return
	}
	seen[value] = path
}
