package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"
)

// entry is one API key. Everything but hour stays as it was made.
type entry struct {
	caller Caller
	sum    [sha256.Size]byte
	id     int64        // of a stored key
	hour   atomic.Int64 // of its last use that is noted, in hours since 1970
}

// ring finds keys by the first bytes of their hash and then compares the whole
// hash in constant time: what an attacker can time is the hash of a guess.
type ring map[[8]byte][]*entry

func (r ring) add(e *entry) {
	prefix := [8]byte(e.sum[:8])
	r[prefix] = append(r[prefix], e)
}

func (r ring) find(sum *[sha256.Size]byte) *entry {
	var found *entry
	for _, e := range r[[8]byte(sum[:8])] {
		if subtle.ConstantTimeCompare(e.sum[:], sum[:]) == 1 {
			found = e
		}
	}
	return found
}

func staticRing(keys []Key) ring {
	r := make(ring, len(keys))
	for _, k := range keys {
		if k.Operator == (k.CustomerID == 0) {
			r.add(&entry{caller: Caller{Name: k.Name, CustomerID: k.CustomerID, Write: k.Write, Operator: k.Operator, Identity: k.Identity}, sum: k.SHA256})
		}
	}
	return r
}
