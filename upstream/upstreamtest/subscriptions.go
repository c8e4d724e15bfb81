package upstreamtest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// EventTypes are the events that can be subscribed to (published schema).
var EventTypes = []string{
	"workflow.created", "workflow.decided",
	"media_buy.created", "media_buy.status_changed",
	"creative.created", "creative.status_changed",
	"principal.created",
	"product.created", "product.updated", "product.priced", "product.removed",
	"signal.created", "signal.updated", "signal.priced", "signal.removed",
	"wholesale_feed.bulk_change",
	"sync_run.completed", "sync_run.failed", "sync_health.changed",
	"tenant.config_changed",
}

// hasEvent reports whether the tenant's build tells of an event of that type; for no tenant a
// current build.
func (t *tenantState) hasEvent(name string) bool {
	return slices.ContainsFunc(EventTypes, func(e string) bool {
		if t != nil && t.Status.Build == Older {
			e = olderEvent(e)
		}
		return e == name
	})
}

// olderEvent is what an older build calls an event.
func olderEvent(name string) string { return strings.Replace(name, "sync_run.", "sync.", 1) }

// subscription is one subscription to a tenant's news. Ended ones stay, unseen by
// the API.
type subscription struct {
	id, url     string
	events      []string // none: all
	description *string
	headers     map[string]string
	active      bool
	secret      string // in memory only: "" after a restart
	madeAt      time.Time
	lastAt      time.Time // zero: never
	lastStatus  int       // 0: no answer
	failures    int       // in a row
}

var webhookSchema = []field{
	{name: "url", required: true, min: 1},
	{name: "event_types", kind: list},
	{name: "description", nullable: true},
	{name: "extra_headers", kind: object, nullable: true},
	{name: "secret", nullable: true, min: 32},
}

type webhookRequest struct {
	URL          string            `json:"url"`
	EventTypes   []string          `json:"event_types"`
	Description  *string           `json:"description"`
	ExtraHeaders map[string]string `json:"extra_headers"`
	Secret       string            `json:"secret"`
}

type webhookDocument struct {
	WebhookID           string            `json:"webhook_id"`
	URL                 string            `json:"url"`
	EventTypes          []string          `json:"event_types"`
	Description         *string           `json:"description"`
	ExtraHeaders        map[string]string `json:"extra_headers"`
	IsActive            bool              `json:"is_active"`
	CreatedAt           string            `json:"created_at"`
	LastDeliveryAt      *string           `json:"last_delivery_at"`
	LastDeliveryStatus  *int              `json:"last_delivery_status"`
	ConsecutiveFailures int               `json:"consecutive_failures"`
	Secret              string            `json:"secret,omitempty"` // in the answer to its creation alone
}

type webhookList struct {
	Webhooks []webhookDocument `json:"webhooks"`
	Count    int               `json:"count"`
}

// createWebhook subscribes to a tenant's news. The secret stands in this answer
// and never again.
func (a *Agent) createWebhook(c call) answer {
	known, found := a.opts.check(nil, c.body, webhookSchema)
	if raw := known["extra_headers"]; raw != nil && json.Unmarshal(raw, &map[string]string{}) != nil {
		found = append(found, validationError{Type: "dict_type", Loc: []string{"extra_headers"}, Msg: "Input should be a valid dictionary", Input: asJSON(raw)})
	}
	if found != nil {
		return invalid(found)
	}
	var req webhookRequest
	fill(&req, known)
	req.URL = strings.TrimSpace(req.URL)
	if code := a.opts.webhookURL(req.URL); code != "" {
		return problem(http.StatusBadRequest, code, "The address "+req.URL+" can't be delivered to", nil)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[c.tenant]
	for _, e := range req.EventTypes {
		if !t.hasEvent(e) {
			return problem(http.StatusBadRequest, "webhook_event_types_unknown", "There is no event of the type "+e, nil)
		}
	}
	if t == nil {
		return noTenant(c.tenant)
	}
	s := &subscription{
		id: a.newID("wh_"), url: req.URL, events: req.EventTypes, description: req.Description, headers: req.ExtraHeaders,
		active: true, secret: req.Secret, madeAt: a.opts.Now(),
	}
	if s.secret == "" {
		s.secret = a.newID(Canary+"-made-by-the-agent-") + a.newID("")
	}
	t.hooks = append(t.hooks, s)
	d := s.document(t.zone())
	d.Secret = s.secret
	return says(http.StatusCreated, d)
}

// webhookURL gives the code of what is wrong with an address, or "". As upstream
// does, it looks at the host's words alone.
func (o Options) webhookURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return "webhook_url_invalid"
	case o.AnyWebhook && (u.Scheme == "https" || u.Scheme == "http"):
		return ""
	case u.Scheme != "https":
		return "webhook_url_not_https"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()) {
		return "webhook_url_blocked"
	}
	return ""
}

func (t *tenantState) listWebhooks() answer {
	l := webhookList{Webhooks: []webhookDocument{}}
	for _, s := range t.hooks {
		if s.active {
			l.Webhooks = append(l.Webhooks, s.document(t.zone()))
		}
	}
	l.Count = len(l.Webhooks)
	return ok(l)
}

func (t *tenantState) deleteWebhook(id string) answer {
	s := t.hook(id)
	if s == nil {
		return noWebhook(id)
	}
	s.active, s.secret = false, ""
	return answer{status: http.StatusNoContent, contentType: contentJSON}
}

// hook finds a subscription that is active.
func (t *tenantState) hook(id string) *subscription {
	for _, s := range t.hooks {
		if s.id == id && s.active {
			return s
		}
	}
	return nil
}

func noWebhook(id string) answer {
	return problem(http.StatusNotFound, "webhook_not_found", "There is no webhook '"+id+"'.", nil)
}

func (s *subscription) document(z zone) webhookDocument {
	d := webhookDocument{
		WebhookID: s.id, URL: s.url, EventTypes: append([]string{}, s.events...), Description: s.description,
		ExtraHeaders: s.headers, IsActive: s.active, CreatedAt: stamp(s.madeAt, z), ConsecutiveFailures: s.failures,
	}
	if !s.lastAt.IsZero() {
		d.LastDeliveryAt = orNull(stamp(s.lastAt, z))
	}
	if s.lastStatus != 0 {
		d.LastDeliveryStatus = &s.lastStatus
	}
	return d
}

// wants reports whether a subscription is to hear of an event.
func (s *subscription) wants(eventType string) bool {
	return s.active && (len(s.events) == 0 || slices.Contains(s.events, eventType))
}

// Subscription is one subscription as the agent has it.
type Subscription struct {
	ID         string
	URL        string
	EventTypes []string // none: all
	Active     bool     // false: it was deleted
	Secret     string   // "": forgotten; nothing is delivered
	Failures   int      // in a row
}

// Subscriptions gives a tenant's subscriptions, oldest first, ended ones too.
func (a *Agent) Subscriptions(tenantID string) []Subscription {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[tenantID]
	if t == nil {
		return nil
	}
	var out []Subscription
	for _, s := range t.hooks {
		out = append(out, Subscription{s.id, s.url, slices.Clone(s.events), s.active, s.secret, s.failures})
	}
	return out
}
