package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

const headerAPIKey = "X-Scope3-Api-Key"

// Key is an API key: whose it is and what it may do. Only its SHA-256 is held.
type Key struct {
	Name       string
	CustomerID int64
	Write      bool
	SHA256     [sha256.Size]byte
}

// keyring finds keys by the first bytes of their hash and then compares the
// whole hash in constant time: what an attacker can time is the hash of a guess.
type keyring map[[8]byte][]*Key

func newKeyring(keys []Key) keyring {
	ring := make(keyring, len(keys))
	for i := range keys {
		prefix := [8]byte(keys[i].SHA256[:8])
		ring[prefix] = append(ring[prefix], &keys[i])
	}
	return ring
}

func (ring keyring) find(clear string) *Key {
	sum := sha256.Sum256([]byte(clear))
	var found *Key
	for _, k := range ring[[8]byte(sum[:8])] {
		if subtle.ConstantTimeCompare(k.SHA256[:], sum[:]) == 1 {
			found = k
		}
	}
	return found
}

// authenticate tells whose request it is. A bearer token goes before the
// X-Scope3-Api-Key header.
func (g *Gateway) authenticate(r *http.Request, need access) (*Key, error) {
	clear, given := credential(r.Header)
	if !given {
		g.ins.AuthRefusal(telemetry.RefusalMissing)
		return nil, fault.New(fault.Unauthorized, "An API key is needed: send it as a bearer token.")
	}
	key := g.keys.find(clear)
	if key == nil {
		g.ins.AuthRefusal(telemetry.RefusalUnknown)
		return nil, fault.New(fault.Unauthorized, "The API key is not valid.")
	}
	if need == write && !key.Write {
		g.ins.AuthRefusal(telemetry.RefusalReadOnly)
		return nil, fault.New(fault.Forbidden, "This API key may only read.")
	}
	return key, nil
}

// credential takes the key out of the headers: the bearer token, or else
// X-Scope3-Api-Key, since a proxy may use Authorization for itself. More than one
// value of a header is no credential: two readers could take different ones.
func credential(h http.Header) (string, bool) {
	if values := h["Authorization"]; len(values) > 0 {
		scheme, token, _ := strings.Cut(values[0], " ")
		switch token = strings.Trim(token, " "); {
		case len(values) > 1:
			return "", false
		case strings.EqualFold(scheme, "Bearer"):
			return token, token != ""
		}
	}
	if values := h[headerAPIKey]; len(values) == 1 && values[0] != "" {
		return values[0], true
	}
	return "", false
}
