package tools

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// whyName is the one tool that is more than an operation.
const whyName = "why_blocked"

const whyAbout = "Why a source can't sell, or does not do so well, and who can change that: what is wrong with its connection, open setup tasks, " +
	"issues, products. Blockers come first. For an agent that others run, what its own record and calls of it say. (Operations getInventorySource, getInventorySourceEsa, getInventorySourceEsaStatus, getOverview.)"

// whySchema is of [why].
var whySchema = jsontext.Value(`{"type":"object","additionalProperties":false,"required":["sourceId","live","summary","reasons"],"properties":{` +
	`"sourceId":{"type":"string"},"live":{"type":"boolean","description":"It sells."},"summary":{"type":"string","description":"One sentence for a person."},` +
	`"fetchedAt":{"type":"string","format":"date-time","description":"When the sales agent said so. Left out where it was not asked."},` +
	`"reasons":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["kind","code","severity","message"],"properties":{` +
	`"kind":{"type":"string","enum":["connection","setup_task","issue","products","source"]},"code":{"type":"string"},` +
	`"severity":{"type":"string","enum":["blocker","critical","warning"]},"message":{"type":"string"},` +
	`"scope":{"type":"string","enum":["platform","publisher"],"description":"Whose a setup task is."},` +
	`"next":{"type":"string","description":"What can be done about it with these tools, or by a person."},` +
	`"configurePath":{"type":"string","description":"Where it is changed in the storefront's or the sales agent's pages."}}}}}}`)

// why is the answer of the tool.
type why struct {
	SourceID  string   `json:"sourceId"`
	Live      bool     `json:"live"`
	Summary   string   `json:"summary"`
	FetchedAt string   `json:"fetchedAt,omitzero"`
	Reasons   []reason `json:"reasons"`
}

type reason struct {
	Kind          string  `json:"kind"`
	Code          string  `json:"code"`
	Severity      string  `json:"severity"`
	Message       string  `json:"message"`
	Scope         string  `json:"scope,omitzero"`
	Next          string  `json:"next,omitzero"`
	ConfigurePath *string `json:"configurePath,omitzero"`
}

// What is read of the operations' answers.
type (
	sourceFacts struct {
		SourceID           string  `json:"sourceId"`
		ExecutionType      string  `json:"executionType"`
		Status             string  `json:"status"`
		AuthenticationType *string `json:"authenticationType"`
		AuthConfigured     bool    `json:"authConfigured"`
	}
	connectionFacts struct {
		ProvisioningStatus string  `json:"provisioningStatus"`
		LastError          *string `json:"lastError"`
		LastErrorCode      *string `json:"lastErrorCode"`
	}
	overviewFacts struct {
		AgentIssues []api.AgentIssue `json:"agentIssues"`
	}
	statusFacts struct {
		Operational api.Operational `json:"operational"`
		FetchedAt   string          `json:"fetchedAt"`
		Products    *api.Products   `json:"products"`
		SetupTasks  api.SetupTasks  `json:"setupTasks"`
	}
)

// explain asks what there is to know about a source. first is the request for the source itself; the others are below
// its path. An answer that is no success is given as it is.
func explain(ctx context.Context, ask Ask, first *Request) (*why, *Answer, error) {
	var s sourceFacts
	if refused, err := read(ctx, ask, first, "", &s); refused != nil || err != nil {
		return nil, refused, err
	}
	if s.ExecutionType == "AGENT" {
		var o overviewFacts
		refused, err := read(ctx, ask, &Request{Target: readContract().operation("getOverview").path, Header: first.Header}, "?take=1", &o)
		return ofAgent(&s, &o), refused, err
	}
	var c connectionFacts
	if refused, err := read(ctx, ask, first, "/esa", &c); refused != nil || err != nil {
		return nil, refused, err
	}
	var st statusFacts
	if refused, err := read(ctx, ask, first, "/status", &st); refused != nil || err != nil {
		return nil, refused, err
	}
	return ofManaged(s.SourceID, &c, &st), nil, nil
}

// read asks for what is below the path of a source.
func read(ctx context.Context, ask Ask, source *Request, below string, facts any) (refused *Answer, err error) {
	answer, err := ask(ctx, &Request{Method: http.MethodGet, Target: source.Target + below, Header: source.Header})
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return answer, nil
	}
	return nil, json.Unmarshal(answer.Document, facts)
}

// ofManaged says why a managed source does not sell, the worst first.
func ofManaged(sourceID string, c *connectionFacts, s *statusFacts) *why {
	w := &why{SourceID: sourceID, Live: s.Operational.IsLive, Summary: s.Operational.Summary, FetchedAt: s.FetchedAt, Reasons: []reason{}}
	w.connection(c)
	open := 0
	for _, t := range s.SetupTasks.Items {
		if t.IsComplete || t.Severity != "blocker" {
			continue
		}
		open++
		w.add(reason{Kind: "setup_task", Code: t.ID, Severity: "blocker", Message: t.Name + ": " + t.Description, Scope: t.Scope, ConfigurePath: t.ConfigurePath})
	}
	if p := s.Products; p != nil && p.ActiveCount == 0 && c.ProvisioningStatus == "active" {
		w.add(reason{Kind: "products", Code: "NO_ACTIVE_PRODUCT", Severity: "blocker",
			Message: "No product is active (" + strconv.FormatInt(p.DraftCount, 10) + " drafts): there is nothing to sell.", Next: "The publisher activates a product."})
	}
	for _, severity := range []string{"critical", "warning"} {
		for _, i := range s.Operational.Issues {
			if i.Severity != severity || i.Code == "SETUP_BLOCKED" && open > 0 { // the tasks say it better
				continue
			}
			w.add(reason{Kind: "issue", Code: i.Code, Severity: i.Severity, Message: i.Message, Next: nextOf(i.Code), ConfigurePath: i.ConfigurePath})
		}
	}
	for _, t := range s.SetupTasks.Items {
		if !t.IsComplete && t.Severity == "warning" {
			w.add(reason{Kind: "setup_task", Code: t.ID, Severity: "warning", Message: t.Name + ": " + t.Description, Scope: t.Scope, ConfigurePath: t.ConfigurePath})
		}
	}
	return w
}

func (w *why) add(r reason) { w.Reasons = append(w.Reasons, r) }

// connection says what is wrong with a connection.
func (w *why) connection(c *connectionFacts) {
	r := reason{Kind: "connection", Code: c.ProvisioningStatus, Severity: "blocker"}
	switch c.ProvisioningStatus {
	case "pending":
		r.Message, r.Next = "No ad server is connected yet.", "set_ad_server, or a person connects it."
	case "provisioning":
		r.Message, r.Next = "The sales agent is setting the source up.", "Look again in a minute."
	case "failed":
		r.Message, r.Next = "Setting the source up failed.", "Correct what the message says, then set_ad_server with the whole config."
	case "deactivated":
		r.Message, r.Next = "The source is deactivated.", "reactivate, if it should sell again."
	default:
		if c.LastErrorCode == nil {
			return
		}
		r.Severity, r.Message, r.Next = "warning", "The last test or change of the ad server failed.", "test, once the cause is gone."
	}
	if c.LastErrorCode != nil {
		r.Code = *c.LastErrorCode
	}
	if c.LastError != nil {
		r.Message += " " + *c.LastError
	}
	w.add(r)
}

// nextOf says which tool helps with an issue; "" where none does.
func nextOf(code string) string {
	switch {
	case code == "ADAPTER_DISCONNECTED":
		return "test says why the ad server can't be reached."
	case code == "STATUS_STALE":
		return "The sales agent does not answer; look again later."
	case strings.HasPrefix(code, "SYNC_"):
		return "history has the runs; refresh starts the syncs again."
	}
	return ""
}

// ofAgent says why a source for an agent that others run does not work.
func ofAgent(s *sourceFacts, o *overviewFacts) *why {
	w := &why{SourceID: s.SourceID, Live: s.Status == "ACTIVE", Summary: "The agent's source is active.", Reasons: []reason{}}
	needsAuth := s.AuthenticationType != nil && *s.AuthenticationType != "NO_AUTH" && !s.AuthConfigured
	switch {
	case s.Status == "DISABLED":
		w.Summary = "The agent's source is disabled."
		w.add(reason{Kind: "source", Code: s.Status, Severity: "blocker", Message: w.Summary, Next: "It can't be enabled again: a person creates it anew."})
	case s.Status != "ACTIVE":
		w.Summary = "The agent's source is not active yet."
		r := reason{Kind: "source", Code: s.Status, Severity: "blocker", Message: w.Summary, Next: "A person sets its status to ACTIVE (updateInventorySource)."}
		if needsAuth {
			r.Message, r.Next = "The agent's credentials are missing.", "A person stores them, or gives consent where it is OAuth (updateInventorySource)."
		}
		w.add(r)
	}
	for _, i := range o.AgentIssues {
		if i.SourceID == s.SourceID {
			w.Summary = "The agent's source is active, but calls of the agent fail."
			w.add(reason{Kind: "issue", Code: i.Code, Severity: i.Severity, Message: i.Message, Next: "A person stores other credentials, or gives consent anew (updateInventorySource)."})
		}
	}
	return w
}
