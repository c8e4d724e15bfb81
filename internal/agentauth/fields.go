package agentauth

import (
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"esagate/registry"
)

// field is what an Authorization is made of.
type field struct{ name, value, credential string }

func (f field) authorization() Authorization {
	return Authorization{Header: http.Header{f.name: {f.value}}, CredentialID: f.credential}
}

const (
	maxFields  = 1024      // that are kept
	maxKept    = 17 << 10  // bytes of one that is kept: an access token has up to 16 KiB
	keptFor    = time.Hour // at most
	maxRefused = 2048      // credentials, and sources, of which a refusal is remembered
	// refusedPause is how long after a refusal those that follow have no access token replaced: an agent that
	// refuses good ones costs its authorization server one request a minute.
	refusedPause = time.Minute
)

// fields are kept for later requests, by the credentials that they are of, which never change under their id.
type fields struct {
	kept    memory[flightKey, field]
	refused memory[flightKey, struct{}] // credentials; and sources, for refusedPause
}

func newFields() fields {
	return fields{newMemory[flightKey, field](maxFields), newMemory[flightKey, struct{}](maxRefused)}
}

// add gives one field, if it can be one, and keeps it.
func (f fields) add(key flightKey, name, value string) (Authorization, error) {
	if !httpguts.ValidHeaderFieldValue(value) {
		return Authorization{}, fail(ReasonCredential)
	}
	added := field{name, value, key.credential}
	f.keep(key, added, keptFor)
	return added.authorization(), nil
}

// keep has the next requests find a field, for as long as it is good.
func (f fields) keep(key flightKey, kept field, life time.Duration) {
	if len(kept.value) <= maxKept {
		f.kept.put(key, kept, min(life, keptFor))
	}
}

// refuse forgets the field of credentials that an agent has refused, and has their access token replaced.
func (f fields) refuse(key flightKey) {
	source := flightKey{customer: key.customer, source: key.source}
	if f.isRefused(source) {
		return
	}
	f.refused.put(source, struct{}{}, refusedPause)
	f.refused.put(key, struct{}{}, keptFor)
	f.kept.Remove(key)
}

func (f fields) isRefused(key flightKey) bool {
	_, left := f.refused.get(key)
	return left > 0
}

// fresh reports whether an access token need not be refreshed.
func (f fields) fresh(key flightKey, held registry.OAuthCredential) bool {
	return lasts(held, freshFor) && !f.isRefused(key)
}
