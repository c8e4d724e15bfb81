package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/fault"
	"esagate/internal/word"
)

const (
	// SignInLife is how long people may take to sign in at the issuer.
	SignInLife = 10 * time.Minute

	maxCode          = 4 << 10 // bytes of an authorization code
	exchangesAtOnce  = 32      // of codes for tokens
	exchangeDeadline = 5 * time.Second
)

// flowIdentity is what sign-ins under way are sealed for, with the version of what is in them.
var flowIdentity = []byte("esagate sign-in 1")

// flow is a sign-in that is under way. The browser that began it keeps it, sealed, so that no other can end it.
type flow struct {
	State    string `json:"state"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"`
	Begun    int64  `json:"begun"` // in seconds since 1970
}

// SignedIn is what comes of a sign-in at the issuer.
type SignedIn struct {
	Caller  *Caller
	Session string // its text, as NewSession gives it
	Next    string // as it was given to BeginSignIn; known of most failures too
}

// SignsIn reports whether people can sign in at the issuer.
func (a *Authenticator) SignsIn() bool { return a.tokens != nil && a.tokens.cfg.Client != nil }

// BeginSignIn gives where a browser signs in at the issuer, and what it must keep for FinishSignIn until it
// comes back. The error is a *fault.Error of the kind Unavailable where the issuer can't be asked.
func (a *Authenticator) BeginSignIn(ctx context.Context, next string) (address, kept string, err error) {
	s, err := a.tokens.server(ctx)
	if err != nil {
		return "", "", err
	}
	// 260 random bits each, of letters and digits (RFC 7636, section 4.1).
	f := flow{State: rand.Text() + rand.Text(), Verifier: rand.Text() + rand.Text(), Next: next, Begun: time.Now().Unix()}
	if kept, err = a.seal(f, flowIdentity); err != nil {
		return "", "", err
	}
	u, query := *s.authorization, a.tokens.cfg.Client.request(a.tokens.cfg.Audience, f.State, f.Verifier).Encode()
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query // RFC 6749, section 3.1
	}
	u.RawQuery = query
	return u.String(), kept, nil
}

// request gives the parameters of an authorization request.
func (c *Client) request(audience, state, verifier string) url.Values {
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "state": {state},
		"scope":          {strings.Join(append([]string{"openid"}, c.Scopes...), " ")},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	if c.AudienceParameter != "" {
		query.Set(c.AudienceParameter, audience)
	}
	return query
}

// server gives where people sign in, and has the issuer asked where that is not known.
func (t *tokens) server(ctx context.Context) (*server, error) {
	known := t.issuer.known()
	if known == nil || known.server == nil {
		t.issuer.refresh.ask(ctx, fetchPatience)
		known = t.issuer.known()
	}
	if known == nil || known.server == nil {
		e := signInFault(away, failed("metadata_missing"))
		e.RetryAfter = t.issuer.retryAfter()
		return nil, e
	}
	return known.server, nil
}

// FinishSignIn takes the answer of the issuer that a browser brings along, beside what the browser has kept: it
// turns the code into an access token, judges that as [Authenticator.Authenticate] does, and begins a session that
// ends with the token. The error is a *fault.Error whose message is for the person: of the kind
// BadRequest where it is no answer to what this browser has asked, Forbidden where the person, or their token, is not let
// in, and Unavailable.
func (a *Authenticator) FinishSignIn(ctx context.Context, kept string, query url.Values) (in SignedIn, err error) {
	var f flow
	began := func() time.Time { return time.Unix(f.Begun, 0) }
	if a.open(kept, flowIdentity, &f) != nil || time.Since(began()) >= SignInLife || time.Since(began()) < -skew {
		return in, signInFault(over, failed("flow_unknown"))
	}
	in.Next = f.Next
	s, err := a.tokens.server(ctx)
	if err != nil {
		return in, err
	}
	code, err := a.tokens.answer(s, &f, query)
	if err != nil {
		return in, err
	}
	token, err := a.tokens.exchange(ctx, s, &f, code)
	if err != nil {
		return in, err
	}
	if in.Caller, err = a.judge(ctx, token); err != nil {
		return in, err
	}
	in.Session, err = a.NewSession(in.Caller, token)
	return in, err
}

// answer gives the code of an authorization response (RFC 6749, section 4.1.2), once it is known to answer this
// sign-in (section 10.12) and to be the issuer's (RFC 9207, section 2.4).
func (t *tokens) answer(s *server, f *flow, query url.Values) (string, error) {
	for _, name := range []string{"state", "iss", "error", "code"} {
		if len(query[name]) > 1 { // RFC 6749, section 3.1
			return "", signInFault(over, failed("answer_invalid"))
		}
	}
	code := query.Get("code")
	switch {
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.State)) != 1:
		return "", signInFault(over, failed("state_unknown"))
	case query.Has("iss") && query.Get("iss") != t.issuer.name, s.saysIssuer && !query.Has("iss"):
		return "", signInFault(another, failed("issuer_mismatch"))
	case query.Has("error"):
		return "", refusedWith(query.Get("error"))
	case !word.Printable.AtMost(code, maxCode):
		return "", signInFault(over, failed("answer_invalid"))
	}
	return code, nil
}

// exchange turns a code into an access token (RFC 6749, section 4.1.3).
func (t *tokens) exchange(ctx context.Context, s *server, f *flow, code string) (string, error) {
	if !t.exchanges.TryAcquire(1) {
		return "", signInFault(away, failed("busy"))
	}
	defer t.exchanges.Release(1)
	ctx, cancel := context.WithTimeout(ctx, exchangeDeadline)
	defer cancel()
	c := t.cfg.Client
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {f.Verifier},
	}
	if c.AudienceParameter == "resource" {
		form.Set("resource", t.cfg.Audience) // RFC 8707, section 2.2
	}
	secret := c.secret()
	header := secret != "" && !s.inBody
	if !header {
		form.Set("client_id", c.ID)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.token, strings.NewReader(form.Encode()))
	if err != nil {
		return "", signInFault(away, failed("unreachable"))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if header { // RFC 6749, section 2.3.1
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(secret))
	}
	status, body, failure := ask(direct(t.issuer.client), req)
	if failure != nil {
		return "", signInFault(away, failure)
	}
	return readTokenAnswer(status, body)
}

// readTokenAnswer reads what a token endpoint has answered (RFC 6749, sections 5.1 and 5.2).
func readTokenAnswer(status int, body []byte) (string, error) {
	var members struct {
		Token jsontext.Value `json:"access_token"`
		Type  jsontext.Value `json:"token_type"`
		Error jsontext.Value `json:"error"`
	}
	readable := json.Unmarshal(body, &members) == nil
	code, refused := text(members.Error)
	token, _ := text(members.Token)
	kind, typed := text(members.Type)
	switch {
	case status >= 500, status == http.StatusTooManyRequests:
		return "", signInFault(away, failedWith(status))
	case refused:
		return "", refusedWith(code)
	case status != http.StatusOK:
		return "", signInFault(unfit, failedWith(status))
	case !readable, token == "", typed && !strings.EqualFold(kind, "Bearer"):
		return "", signInFault(unfit, failed("token_answer_invalid"))
	}
	return token, nil
}

// judge gives the owner of an access token, who is a person in front of a page: they are told what is
// missing, though nothing that the token says.
func (a *Authenticator) judge(ctx context.Context, token string) (*Caller, error) {
	caller, err := a.Authenticate(ctx, token)
	if err == nil && !caller.Token { // an API key is no answer of an issuer
		caller, err = nil, Unknown
	}
	if err == nil {
		if end, _ := endOf(token); !time.Now().Before(end) { // taken for the leeway between clocks alone
			caller, err = nil, Expired
		}
	}
	if err == nil || !errors.Is(err, ErrUnknown) {
		return caller, err
	}
	const first = "Your organisation's sign-in knows you, but the access token that it gives does not let you in here: "
	switch ReasonOf(err) {
	case WrongAudience:
		return nil, fault.Wrap(fault.Forbidden, first+"it is meant for another audience.", err)
	case BadClaims:
		return nil, fault.Wrap(fault.Forbidden, first+a.tokens.cfg.missing(token), err)
	case Expired, NotYetValid:
		return nil, fault.Wrap(fault.Forbidden, first+"by this gateway's clock it has ended, or has not begun.", err)
	case WrongIssuer, BadSignature:
		return nil, fault.Wrap(fault.Forbidden, first+"it is not signed by the issuer that this gateway trusts.", err)
	}
	return nil, fault.Wrap(fault.Forbidden, first+"it is not a signed token (JWT) that this gateway can check.", err)
}

// missing says which of the claims that are needed a token, whose signature was good, lacks.
func (o *OIDC) missing(token string) string {
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err == nil {
		if _, ok := c.customer(o.CustomerClaim); !ok {
			return "its claim " + o.CustomerClaim + ", which names your customer account, is missing or not an id."
		}
		if _, ok := c.access(o.AccessClaim); !ok {
			return "its claim " + o.AccessClaim + " says neither read nor write."
		}
	}
	return "a claim that it needs is missing."
}

// outcome is how a sign-in can fail, as the person is told.
type outcome struct {
	kind    fault.Kind
	message string
}

var (
	over = outcome{fault.BadRequest,
		"This sign-in has run out, was used before, or was begun in another browser. Sign in again."}
	another = outcome{fault.BadRequest, "Another issuer has answered than the one that was asked. Sign in again."}
	denied  = outcome{fault.Forbidden, "Your organisation's sign-in did not let you in."}
	away    = outcome{fault.Unavailable, "Your organisation's sign-in can't be asked at the moment. Try again in a minute, or sign in with a key."}
	unfit   = outcome{fault.Unavailable, "Your organisation's sign-in did not accept this gateway. Its operators find the reason in the log."}
)

// outcomes are those of the error codes of OAuth (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8707, section 2; OpenID
// Connect Core 1.0, section 3.1.2.6). Other codes may be anything and are not repeated.
var outcomes = map[string]outcome{
	"access_denied": denied, "consent_required": denied, "interaction_required": denied, "login_required": denied,
	"account_selection_required": denied,
	"server_error":               away, "temporarily_unavailable": away,
	"invalid_grant":   over,
	"invalid_request": unfit, "unauthorized_client": unfit, "unsupported_response_type": unfit, "invalid_scope": unfit,
	"invalid_target": unfit, "invalid_client": unfit, "unsupported_grant_type": unfit,
}

// refusedWith is an issuer's no, under its code if that is a known one.
func refusedWith(code string) *fault.Error {
	o, known := outcomes[code]
	if !known {
		o, code = unfit, "other"
	}
	return signInFault(o, failed(code))
}

func signInFault(o outcome, cause *failure) *fault.Error {
	return fault.Wrap(o.kind, o.message, cause)
}

// Error implements error.
func (f *failure) Error() string { return "auth: the issuer: " + f.reason }
