package gateway

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"esagate/api"
	"esagate/gateway/agents"
	"esagate/internal/agentauth"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
)

// maxAgentError is how much of an agent's answer that is an error is read before any of it is passed on.
const maxAgentError = 64 << 10

var (
	errAgentRefuses   = fault.Upstream(fault.AgentUnauthorized, "The agent does not accept what the gateway asks it with.", nil)
	errAgentRedirects = fault.Upstream(fault.UpstreamError, "The agent answered with a redirect, which is not followed.", nil)
	errAgentRepeats   = fault.Upstream(fault.UpstreamError, "The agent's answer holds a credential, so it is not passed on.", nil)
	errAgentCoded     = fault.Upstream(fault.UpstreamInvalidResponse, "The agent's answer is compressed, which it was not asked to be.", nil)
	errAgentCut       = fault.Upstream(fault.UpstreamError, "The agent's answer ended before its end.", nil)
	errAgentCard      = fault.Upstream(fault.UpstreamInvalidResponse, "The agent's card can't be read.", nil)
)

// answered makes an agent's answer one that may be passed on, or says why it is none (contract 13.9).
func answered(r *request, p agents.Protocol, resp *http.Response, secrets agents.Secrets) error {
	r.releaseBody()
	r.bodyBytes = 0
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return errAgentRefuses
	case status >= 300 && status < 400, status == http.StatusProxyAuthRequired:
		return errAgentRedirects
	case !strings.EqualFold(cmp.Or(strings.Join(resp.Header["Content-Encoding"], ","), identityCoding[0]), identityCoding[0]):
		return errAgentCoded
	case status >= 400 && len(secrets) > 0:
		beginning, err := io.ReadAll(io.LimitReader(resp.Body, maxAgentError))
		switch {
		case err != nil:
			return errAgentCut
		case secrets.In(beginning):
			return errAgentRepeats
		}
		resp.Body = &rejoined{io.MultiReader(bytes.NewReader(beginning), resp.Body), resp.Body}
	}
	resp.Header = p.Answered(resp.Header)
	for _, values := range resp.Header {
		for _, value := range values {
			if secrets.In([]byte(value)) {
				return errAgentRepeats
			}
		}
	}
	resp.Body = secrets.Guard(resp.Body)
	return nil
}

// rejoined is a body of which some was read ahead.
type rejoined struct {
	io.Reader
	io.Closer
}

// unauthorized gives the failure of a call to which no credentials could be attached.
func unauthorized(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch agentauth.ReasonOf(err) {
	case agentauth.ReasonNoCredential:
		return fault.Wrap(fault.Conflict, "The source has no credentials for its agent: save them first.", err)
	case agentauth.ReasonConsentDue, agentauth.ReasonRefused, agentauth.ReasonDenied, agentauth.ReasonCredential:
		return fault.Upstream(fault.AgentUnauthorized, "The source's credentials are not good for its agent any more: save them anew, or consent again.", err)
	case agentauth.ReasonAway, agentauth.ReasonAddress:
		return fault.Upstream(fault.UpstreamUnreachable, "The agent's authorization server can't be reached.", err)
	case agentauth.ReasonAnswer, agentauth.ReasonMetadata, agentauth.ReasonMismatch:
		return fault.Upstream(fault.UpstreamInvalidResponse, "The agent's authorization server answered what can't be used.", err)
	case agentauth.ReasonChanged:
		return fault.Wrap(fault.Unavailable, "The source is being changed. Try again.", err)
	}
	return fault.Wrap(fault.Unavailable, "The source's credentials can't be had at the moment.", err)
}

// card answers with an agent's card, whose addresses are the gateway's where nobody has signed them (contract 13.11).
func (g agentCalls) card(place string) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		src, err := g.source(r, agents.A2A)
		if err != nil {
			return err
		}
		if _, err := g.admit(r, agents.A2A); err != nil {
			return err
		}
		to, err := g.exchange(r, agents.A2A, src, place)
		if err != nil {
			return err
		}
		at := to.URL
		if src.Connection != nil {
			at = nil // the sales agent may name one that it has for others
		}
		answer := to.Answer
		to.Answer = func(resp *http.Response) error {
			if err := answer(resp); err != nil || resp.StatusCode != http.StatusOK || r.Method == http.MethodHead {
				return err
			}
			return g.rewriteCard(resp, at, src)
		}
		return g.pass(w, r, to.by, doors[agents.A2A], to.Target)
	}
}

// rewriteCard puts the gateway's address into the card that an answer holds.
func (g agentCalls) rewriteCard(resp *http.Response, at *url.URL, src *registry.Source) error {
	ours, err := url.Parse(agentAddress(g.cfg, a2aPath, src.SourceID))
	if err != nil {
		return err
	}
	came, err := io.ReadAll(io.LimitReader(resp.Body, agents.MaxCard+1))
	if err != nil || len(came) > agents.MaxCard {
		return errAgentCard
	}
	card, err := agents.Card(came, at, ours)
	if err != nil {
		return errAgentCard
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(card))
	resp.ContentLength = int64(len(card))
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(card))}
	return nil
}

// published is a connection as callers see it: with the gateway's own addresses for MCP and A2A in place of
// the sales agent's, where the operator wants it so (contract 13.8).
func (g connections) published(src *registry.Source) *api.Connection {
	c := transform.Connection(src)
	if g.cfg.Agents.Named && g.cfg.PublicURL != "" && c.TenantID != nil {
		mcp, a2a := agentAddress(g.cfg, mcpPath, src.SourceID), agentAddress(g.cfg, a2aPath, src.SourceID)
		c.MCPURL, c.A2AURL = &mcp, &a2a
	}
	return c
}

// agentAddress gives the address at which callers ask the agent of a source.
func agentAddress(cfg Config, below, sourceID string) string {
	return cfg.PublicURL + below + url.PathEscape(sourceID)
}
