package gateway

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/word"
	"esagate/registry"
)

// Header fields by which the sales agent knows who asks, as net/http keeps them (contract 2.16). They are the
// gateway's alone: a client's copies never pass.
const (
	headerIdentityEmail     = "X-Identity-Email"
	headerIdentityOrg       = "X-Identity-Org-Id"
	headerIdentityRole      = "X-Identity-Role"
	headerIdentitySource    = "X-Identity-Source"
	headerIdentityUser      = "X-Identity-User-Id"
	headerIdentityTime      = "X-Identity-Timestamp"
	headerIdentitySignature = "X-Identity-Signature"
	headerPrincipal         = "X-Principal-Id"
)

const (
	roleAdmin  = "admin"
	roleViewer = "viewer"

	// noMailbox is the domain of e-mail addresses that stand for keys; nobody can have it (RFC 2606).
	noMailbox = "@esagate.invalid"
)

// identity is as whom the sales agent is asked: the owner of a key, in the organization of one tenant. All of it
// is ASCII without control characters.
type identity struct {
	Email, OrgID, Role, Source, UserID string

	PrincipalID string // as whom they buy; empty: it is not said
	key         string // signs it; empty: nothing does
}

// identityOf gives as whom the owner of a key is known to the sales agent, in the organization of a connection's tenant.
// Nothing of it comes from a request.
func (g *Gateway) identityOf(key *auth.Caller, c *registry.Connection) (identity, error) {
	if !word.OrgID.Is(c.ExternalOrgID) {
		return identity{}, errNoOrganization
	}
	name := plainName(key.Name)
	who := identity{
		Email: cmp.Or(key.Identity.Email, name+noMailbox), OrgID: c.ExternalOrgID, Role: cmp.Or(key.Identity.Role, roleAdmin),
		Source: g.cfg.ExternalSource, UserID: name, PrincipalID: key.Identity.PrincipalID, key: g.cfg.IdentityKey,
	}
	if !key.Write {
		who.Role = roleViewer
	}
	return who, nil
}

var errNoOrganization = fault.New(fault.Conflict,
	"The sales agent has no organization (external_org_id) for this source's tenant, so it would let nobody in: its operator has to give it one.")

var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// plainName gives the name of a key where it fits before the @ of an e-mail address (RFC 5321), and a hash of any
// other.
func plainName(name string) string {
	if len(name) <= 64 && plain.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "key-" + hex.EncodeToString(sum[:8])
}

// set says in the header of a request to the sales agent who asks. path is the request's, as it is sent and
// without the query: it is signed with the rest.
func (i identity) set(h http.Header, method, path string) {
	for name, value := range map[string]string{
		headerIdentityEmail: i.Email, headerIdentityOrg: i.OrgID, headerIdentityRole: i.Role,
		headerIdentitySource: i.Source, headerIdentityUser: i.UserID, headerPrincipal: i.PrincipalID,
	} {
		if value != "" {
			h[name] = []string{value}
		}
	}
	if i.key == "" {
		return
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(i.key))
	mac.Write([]byte(at + "." + strings.Join([]string{i.Email, i.OrgID, i.Role, i.Source, i.UserID, i.PrincipalID, method, path}, "\n")))
	h[headerIdentityTime] = []string{at}
	h[headerIdentitySignature] = []string{"sha256=" + hex.EncodeToString(mac.Sum(nil))}
}
