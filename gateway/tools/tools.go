// Package tools is what assistants see of the gateway: its own MCP server, whose tools are operations of the contract
// (contract 13.13), and the texts that tell them how to use it (contract 13.14). It makes requests of the API and reads
// its answers; who may ask, and for what, the API says.
package tools

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"esagate/api"
)

// Request is a request of the API that a tool makes.
type Request struct {
	Method, Target string      // the target of its request line: an escaped path, and a query
	Header         http.Header // of the operation's parameters
	Body           []byte      // JSON; nil: none
}

// Answer is the API's answer to a [Request].
type Answer struct {
	Status     int
	Document   []byte // JSON, without an envelope; nil: none
	RetryAfter string // as the header has it
}

// Ask makes a request of the API with the key of whose assistant uses a tool. An error is one of the connection: what the
// API refuses is an [Answer].
type Ask func(ctx context.Context, r *Request) (*Answer, error)

// Caller is what decides which tools there are for a key, and what they take.
type Caller struct {
	Write    bool // it may change something
	Operator bool // it names the customer that a call is for
}

// tool is what MCP shows of a row, and how it is called.
type tool struct {
	row
	op          *operation
	writes      bool // takes a key with write access
	out         jsontext.Value
	list        bool     // the operation answers with a list, which a tool's answer can't be
	credentials []string // names of the members of a body that would be one
}

// newTool makes the tool of a row; writes says which operations take a key with write access.
func newTool(c *contract, r row, writes func(operation string) bool) *tool {
	t := &tool{row: r, op: c.operation(r.operation), writes: writes(r.operation)}
	to := converter{contract: c}
	answer := c.answer(t.op)
	if answer == nil {
		return t
	}
	if answer.Ref != "" { // the whole of a tool's schema says what it is
		answer = find(c.Components.Schemas, answer.Ref)
	}
	if t.list = string(answer.Type) == `"array"`; t.list {
		answer = &schema{Type: objectType, Required: []string{"items"}, Properties: api.Members[*schema]{{Name: "items", Value: answer}}}
	}
	t.out = to.finish(to.convert(answer))
	return t
}

var objectType = jsontext.Value(`"object"`)

// Names of what a tool takes beside the operation's own parameters.
const (
	customerArgument    = "customer"
	idempotencyArgument = "idempotencyKey"
	bodyArgument        = "body"
)

// argument gives the name under which a tool takes a parameter; "" where it does not.
func argument(p *parameter, operator bool) string {
	switch {
	case p.In != "header":
		return p.Name
	case p.Name == "Idempotency-Key":
		return idempotencyArgument
	case p.Name == "Esagate-Customer" && operator:
		return customerArgument
	}
	return ""
}

// input gives the schema of what a tool takes.
func (t *tool) input(c *contract, operator bool) jsontext.Value {
	to := converter{contract: c, input: true}
	s := &schema{Type: objectType, Others: new(others)}
	add := func(name string, of *schema, about string, required bool) {
		of = to.convert(of)
		if of.Description == "" && of.Ref == "" {
			of.Description = strings.Join(strings.Fields(about), " ")
		}
		s.Properties = append(s.Properties, api.Member[*schema]{Name: name, Value: of})
		if required {
			s.Required = append(s.Required, name)
		}
	}
	for _, p := range t.op.Parameters {
		if name := argument(p, operator); name == customerArgument {
			add(name, p.Schema, "The id of the customer that this is for.", false)
		} else if name != "" {
			add(name, p.Schema, p.Description, p.Required)
		}
	}
	if body := t.op.Body.json(); body != nil {
		add(bodyArgument, body, "", t.op.Body.Required)
	}
	t.credentials = to.credentials
	return to.finish(s)
}

// listing gives what MCP shows of the tool.
func (t *tool) listing(c *contract, operator bool) *mcp.Tool {
	reads := t.op.method == http.MethodGet
	changes := t.changes
	shown := &mcp.Tool{
		Name: t.name, Title: t.op.Summary, Description: t.about + " (Operation " + t.op.ID + ".)",
		InputSchema: t.input(c, operator),
		Annotations: &mcp.ToolAnnotations{Title: t.op.Summary, ReadOnlyHint: reads, IdempotentHint: reads || t.repeatable, DestructiveHint: &changes},
	}
	if t.out != nil {
		shown.OutputSchema = t.out
	}
	return shown
}
