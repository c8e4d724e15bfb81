package sources

import (
	"fmt"
	"io"

	"esagate/internal/jsonbody"
	"esagate/registry"
)

// Update is what a caller wants to change of a source. Printed, it is one word.
type Update struct {
	broken error // the body is no JSON object
	members
	status jsonbody.Member
}

// ParseUpdate reads the body of an update. What is wrong with it comes out of
// [Update.Decide], because a source that does not exist is said first.
func ParseUpdate(body []byte, check CheckURL) *Update {
	parsed, err := jsonbody.Parse(body)
	if err != nil {
		return &Update{broken: err}
	}
	return &Update{
		members: parseMembers(parsed, check),
		status:  parsed.Text("status", jsonbody.OneOf("PENDING", "ACTIVE", "DISABLED")),
	}
}

// Format implements fmt.Formatter: no verb shows a secret.
func (Update) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[update]") }

// Decide says what becomes of a source as it stands. Its error is a *fault.Error: a
// BadRequest, else a Validation with every issue, else a Conflict. It changes nothing
// itself and may be called again.
func (u *Update) Decide(cur *registry.Source) (registry.SourceChange, error) {
	if u.broken != nil {
		return registry.SourceChange{}, u.broken
	}
	if cur.Connection != nil {
		return u.decideManaged(cur)
	}
	return u.decideAgent(cur)
}

// decideAgent decides on an AGENT source.
func (u *Update) decideAgent(cur *registry.Source) (registry.SourceChange, error) {
	was := *cur.Agent
	next := was
	t := was.Authentication // "" if what was asked for is no authentication type
	if u.authentication.Given {
		t = registry.AuthenticationType(u.authentication.Value)
	}
	newType := t != was.Authentication

	var l jsonbody.Issues
	var change registry.SourceChange
	change.Name = renamed(&l, u.name, cur)
	l.Take(u.executionType)
	l.Take(u.status)
	set(&l, &next.Description, u.description)
	set(&l, &next.EndpointURL, u.endpoint)
	set(&l, &next.Protocol, u.protocol)
	l.Take(u.authentication)
	change.Credential = u.auth.credential(&l, t, newType)
	named := audience(&l, u.audience, t)
	if err := l.Err(); err != nil {
		return registry.SourceChange{}, err
	}

	next.Authentication = t
	if t != registry.AuthOAuth {
		next.OAuthAudience = ""
	}
	if u.audience.Given {
		next.OAuthAudience = named
		change.NewConsent = true
	}
	lost := newType || movedAway(&was, &next)
	if t == registry.AuthOAuth && consentMoved(&was, &next) {
		change.NewConsent = true
	}
	change.EraseCredential = lost && change.Credential == nil
	stored := change.Credential != nil || was.CredentialID != "" && !change.EraseCredential
	status, err := u.nextStatus(was.Status, lost, t == registry.AuthNone || stored)
	if err != nil {
		return registry.SourceChange{}, err
	}
	next.Status = status
	if next != was {
		change.Agent = &next
	}
	return change, nil
}

// set takes a member into a field, if it was given.
func set(l *jsonbody.Issues, field *string, m jsonbody.Member) {
	if value := l.Take(m); m.Given {
		*field = value
	}
}

// renamed takes the name, nil if it stays as it is.
func renamed(l *jsonbody.Issues, m jsonbody.Member, cur *registry.Source) *string {
	if name := l.Take(m); m.Given && name != cur.Name {
		return &name
	}
	return nil
}
