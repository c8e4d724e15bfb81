package agentauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"net/url"

	"esagate/internal/word"
	"esagate/registry"
)

// maxCode bounds an authorization code, in bytes.
const maxCode = 4096

// Finish answers the redirect that comes back from an authorization server: nil when
// the tokens are stored. Else the error is an [*Error], and ReasonOf says what to
// tell the person in front of it: ReasonUnknownState, ReasonDenied, ReasonRefused,
// ReasonMismatch (another server answered), ReasonAnswer, ReasonAway, ReasonBusy (too
// many of the customer's at once), ReasonChanged or ReasonStore. A state that is known
// is used up, whatever comes of it. It takes at most 15 s and goes on without its
// caller: the code would be lost with them.
func (a *Agents) Finish(ctx context.Context, query url.Values) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workLimit)
	defer cancel()
	state, once := one(query, "state")
	if !once || !isState(state) {
		return fail(ReasonUnknownState)
	}
	taken, err := a.deps.Store.TakeConsent(ctx, sha256.Sum256([]byte(state)))
	switch {
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrSecret):
		return fail(ReasonUnknownState)
	case err != nil:
		return stored(err)
	}
	err = a.finish(ctx, taken, query)
	message := "an agent is connected"
	if err != nil {
		message = "a consent did not succeed"
		if lost(err) { // said by the server that was asked: readAnswer has looked at iss
			a.forgetClients(taken.CustomerID, taken.SourceID)
		}
	}
	a.logOutcome(ctx, message, "oauth_callback", taken.CustomerID, taken.SourceID, err)
	return err
}

func (a *Agents) finish(ctx context.Context, taken *registry.TakenConsent, query url.Values) error {
	code, err := readAnswer(taken.Consent.Client, query)
	if err != nil {
		return err
	}
	if !a.exchanges.Take(taken.CustomerID) {
		return fail(ReasonBusy)
	}
	defer a.exchanges.Give(taken.CustomerID)
	tokens, err := a.exchange(ctx, taken.Consent, code)
	if err != nil {
		return err
	}
	return persist(ctx, func() error {
		_, err := a.deps.Directory.EndConsent(ctx, taken.CustomerID, taken.SourceID, taken.Consent, tokens)
		return changed(err)
	})
}

// readAnswer gives the code of an authorization response (RFC 6749 §4.1.2), once it
// is known to be the answer of the server that was asked (RFC 9207 §2.4).
func readAnswer(c registry.OAuthClient, query url.Values) (string, error) {
	issuer, onceIssuer := one(query, "iss")
	denial, onceDenial := one(query, "error")
	code, onceCode := one(query, "code")
	switch {
	case !onceIssuer || !onceDenial || !onceCode:
		return "", refused("other")
	case query.Has("iss") && issuer != c.Issuer, c.RequireIssuer && !query.Has("iss"):
		return "", fail(ReasonMismatch)
	case query.Has("error"):
		e := refused(denial)
		e.Reason = cmp.Or(codes[denial], ReasonRefused)
		return "", e
	case !word.Printable.AtMost(code, maxCode):
		return "", refused("other")
	}
	return code, nil
}

// one gives a parameter that may be there once; false when it is there more often
// (RFC 6749 §3.1).
func one(query url.Values, name string) (string, bool) {
	return query.Get(name), len(query[name]) <= 1
}
