package upstreamtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// identity is as whom somebody came, as the headers tell that the server before the agent sets. The agent
// believes them all (contract 2.16).
type identity struct{ Email, Org, Role, Source, User, Principal string }

// signedFor is how far the timestamp of a signature may be from now.
const signedFor = 5 * time.Minute

// identityOf reads the identity of a request.
func identityOf(h http.Header) identity {
	return identity{
		Email: believed(h, "X-Identity-Email"), Org: believed(h, "X-Identity-Org-Id"), Role: believed(h, "X-Identity-Role"),
		Source: believed(h, "X-Identity-Source"), User: believed(h, "X-Identity-User-Id"), Principal: believed(h, "X-Principal-Id"),
	}
}

// believed gives a header as servers see it that take underscores for hyphens, at its worst: one that was spelled
// otherwise wins.
func believed(h http.Header, name string) string {
	for spelled, values := range h {
		if spelled != name && textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(spelled, "_", "-")) == name && len(values) > 0 {
			return values[0]
		}
	}
	return h.Get(name)
}

// viewer reports whether somebody may only look. Roles that are not known count as that.
func (i identity) viewer() bool { return i.Role != "admin" && i.Role != "member" }

// identify lets a request in, or says why not. A tenant's organisation is looked at where there is a tenant.
func (o Options) identify(r *http.Request, t *tenantState) (identity, answer) {
	who := identityOf(r.Header)
	switch {
	case r.Header.Get(KeyHeader) != "":
		return who, problem(http.StatusInternalServerError, "management_key", "The management key has no place here: "+r.Header.Get(KeyHeader), nil)
	case who.Email == "" || who.Org == "" || who.Role == "" || who.Source == "":
		return who, problem(http.StatusForbidden, "identity_required", "The identity headers are missing.", nil)
	case o.IdentityKey != "" && !o.signed(r, who):
		return who, problem(http.StatusForbidden, "identity_signature_invalid", "The identity is not signed, or not so.", nil)
	case t != nil && t.ExternalOrgID != who.Org:
		return who, problem(http.StatusForbidden, "identity_org_mismatch", "The organisation "+who.Org+" is not that of this tenant.", nil)
	}
	return who, answer{}
}

// signed reports whether the server before the agent has signed an identity for this request: as
// X-Identity-Signature "sha256=" and the HMAC-SHA256, in hexadecimal digits, of the X-Identity-Timestamp in Unix
// seconds, a point, and e-mail, organisation, role, source, user, principal, method and path, one a line.
func (o Options) signed(r *http.Request, who identity) bool {
	stamped := r.Header.Get("X-Identity-Timestamp")
	seconds, err := strconv.ParseInt(stamped, 10, 64)
	if err != nil || o.Now().Sub(time.Unix(seconds, 0)).Abs() > signedFor {
		return false
	}
	mac := hmac.New(sha256.New, []byte(o.IdentityKey))
	_, _ = mac.Write([]byte(stamped + "." + strings.Join([]string{
		who.Email, who.Org, who.Role, who.Source, who.User, who.Principal, r.Method, r.URL.EscapedPath()}, "\n")))
	return hmac.Equal([]byte(r.Header.Get("X-Identity-Signature")), []byte("sha256="+hex.EncodeToString(mac.Sum(nil))))
}
