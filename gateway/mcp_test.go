package gateway_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"esagate/upstream/upstreamtest"
)

// withHeader sends requests with headers that a client adds to each.
type withHeader struct {
	http.RoundTripper
	header http.Header
}

// RoundTrip implements http.RoundTripper.
func (t withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range t.header {
		r.Header[name] = values
	}
	return t.RoundTripper.RoundTrip(r)
}

// protocols are the versions of MCP that the gateway's own server speaks.
var protocols = []string{"2026-07-28", "2025-11-25", "2025-06-18"}

// assistant is the SDK's client at the gateway's own MCP server.
type assistant struct {
	*world
	*mcp.ClientSession
}

func (w *world) assistant(key, protocol string, pairs ...string) assistant {
	w.Helper()
	header := http.Header{"Authorization": {"Bearer " + key}}
	for i := 0; i+1 < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := client.Connect(context.Background(), &mcp.StreamableClientTransport{
		Endpoint: "https://gateway.example/mcp", HTTPClient: &http.Client{Transport: withHeader{inProcess{w.gateway}, header}},
	}, &mcp.ClientSessionOptions{ProtocolVersion: protocol})
	w.must(err)
	if got := s.InitializeResult(); got.ProtocolVersion != protocol || got.Capabilities.Tools == nil || got.Instructions == "" {
		w.Errorf("%s: %+v", protocol, got)
	}
	return assistant{w, s}
}

// tools lists the tools by name.
func (a assistant) tools() map[string]*mcp.Tool {
	a.Helper()
	list, err := a.ListTools(context.Background(), nil)
	a.must(err)
	all := map[string]*mcp.Tool{}
	for _, t := range list.Tools {
		all[t.Name] = t
	}
	return all
}

// call calls a tool, and gives the text of its answer.
func (a assistant) call(tool, arguments string) (text string, failed bool) {
	a.Helper()
	r, err := a.CallTool(context.Background(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		a.Fatalf("%s %s: %v", tool, arguments, err)
	}
	for _, c := range r.Content {
		text += c.(*mcp.TextContent).Text
	}
	_, _ = a.seen.Write([]byte(text))
	if structured, _ := json.Marshal(r.StructuredContent); !r.IsError && !sameJSON(a, structured, []byte(text)) {
		a.Errorf("%s: the structured answer is another: %s, %s", tool, structured, text)
	}
	return text, r.IsError
}

// refused wants a call to fail with the API's error.
func (a assistant) refused(tool, arguments, code, part string) {
	a.Helper()
	text, failed := a.call(tool, arguments)
	if !failed || !strings.Contains(text, `"code":"`+code+`"`) || !strings.Contains(text, part) {
		a.Errorf("%s %s: %v %s, want %s and %s", tool, arguments, failed, text, code, part)
	}
}

func sameJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	left, _ := json.Marshal(x)
	right, _ := json.Marshal(y)
	return string(left) == string(right)
}

// Tools that any key may use, and what else a key with write access may.
var (
	reading = []string{"connection", "history", "overview", "source", "sources", "status", "why_blocked"}
	writing = []string{"audit", "connect", "deactivate", "reactivate", "refresh", "service_account", "set_ad_server", "test"}
)

// TestToolsByKey: a read-only key is shown reading tools, an operator's may name the customer, and tools say what they do.
func TestToolsByKey(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for _, protocol := range protocols {
			for key, want := range map[string][]string{
				readKey: reading, writeKey: append(slices.Clone(reading), writing...), wallKey: reading, deskKey: append(slices.Clone(reading), writing...),
			} {
				a := w.assistant(key, protocol)
				all := a.tools()
				for name, tool := range all {
					in, _ := json.Marshal(tool.InputSchema)
					reads := slices.Contains(reading, name) || name == "audit"
					if !slices.Contains(want, name) || tool.Annotations.ReadOnlyHint != reads ||
						*tool.Annotations.DestructiveHint != (name == "deactivate" || name == "set_ad_server") || tool.Annotations.IdempotentHint != (name != "connect") ||
						strings.Contains(string(in), `"customer"`) != (key == wallKey || key == deskKey) || len(tool.Description) < 40 || tool.Title == "" {
						w.Errorf("%s, %s: %s %+v %s", protocol, key, name, tool.Annotations, in)
					}
				}
				if len(all) != len(want) {
					w.Errorf("%s, %s: %d tools, want %d", protocol, key, len(all), len(want))
				}
				w.must(a.Close())
			}
		}
	})
}

// TestToolsAnswerAsTheAPI: a tool that reads gives the document that the API gives, in whatever form that comes, and every
// answer is as the tool's schema says.
func TestToolsAnswerAsTheAPI(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope, agent: upstreamtest.Options{}}, func(w *world) {
			paths := map[string]string{"overview": "/api/v2/storefront/overview", "sources": sourcesPath, "source": sourcesPath + "/" + source, "status": statusOf,
				"connection": esaOf, "history": sourcesPath + "/" + source + "/sync-history"}
			a := w.assistant(writeKey, protocols[0])
			defer a.Close()
			tools := a.tools()
			for _, name := range slices.Sorted(maps.Keys(tools)) { // what was deactivated is reactivated next
				arguments, tool := `{"sourceId":"`+source+`"}`, tools[name]
				switch name {
				case "overview", "sources", "audit", "service_account":
					arguments = `{}`
				case "connect":
					arguments = `{"body":{"type":"google_ad_manager","networkCode":"123456"},"idempotencyKey":"once"}`
				case "set_ad_server":
					arguments = `{"sourceId":"` + unplanned + `","body":{"type":"google_ad_manager","networkCode":"654321"}}`
				}
				w.unchecked("/api/v2/storefront/overview") // has what is asked about be fetched
				synctest.Wait()
				text, failed := a.call(name, arguments)
				if failed {
					w.Errorf("%s: %s", name, text)
				}
				conforms(w, tool, text)
				path, reads := paths[name]
				if !reads {
					continue
				}
				want := w.writeAs(writeKey, "GET", path, "").body
				if envelope {
					want = decode[struct{ Data json.RawMessage }](w, answer{status: 200, body: want}, 200).Data
				}
				if name == "sources" {
					want = []byte(`{"items":` + string(want) + `}`)
				}
				if !sameJSON(w, []byte(text), want) {
					w.Errorf("%s: %s, the API %s", name, text, want)
				}
			}
		})
	}
}

// conforms holds an answer against the schema that its tool was listed with.
func conforms(t testing.TB, tool *mcp.Tool, text string) {
	t.Helper()
	encoded, err := json.Marshal(tool.OutputSchema)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(encoded, &s); err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	if err := resolved.Validate(document); err != nil {
		t.Errorf("%s: %v in %s", tool.Name, err, text)
	}
	if s.Type != "object" || len(s.Properties) == 0 {
		t.Errorf("%s: the schema says nothing: %s", tool.Name, encoded)
	}
}

// TestToolsActByTheirKey: what a tool does is done by the key that asked, is in the audit under the id of its request, and
// is refused as the API refuses it.
func TestToolsActByTheirKey(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.writeAs(otherKey, "POST", sourcesPath, `{"name":"Somebody's agent","sourceId":"somebodys-agent","executionType":"AGENT","type":"SALES",`+
			`"endpointUrl":"https://agent.example/mcp","protocol":"MCP","authenticationType":"NO_AUTH"}`)
		for _, protocol := range protocols {
			reader := w.assistant(readKey, protocol)
			calls, audits := w.agent.Calls(""), w.audits()
			for _, name := range writing {
				arguments := `{"sourceId":"` + source + `"}`
				switch name {
				case "audit", "service_account":
					arguments = `{}`
				case "connect", "set_ad_server":
					arguments = `{"body":{"type":"mock"}}`
					if name == "set_ad_server" {
						arguments = `{"sourceId":"` + source + `","body":{"type":"mock"}}`
					}
				}
				reader.refused(name, arguments, "FORBIDDEN", "may only read")
			}
			if w.agent.Calls("") != calls || w.audits() != audits {
				w.Errorf("a read-only key has done something: %s", w.audits())
			}
			w.must(reader.Close())

			writer := w.assistant(writeKey, protocol, "X-Request-Id", "asked-by-"+protocol)
			for _, name := range []string{"deactivate", "reactivate"} {
				if text, failed := writer.call(name, `{"sourceId":"`+source+`"}`); failed {
					w.Errorf("%s: %s", name, text)
				}
				got := string(w.send(request("GET", "/audit?limit=1", writeKey, "")).body)
				if !strings.Contains(got, name+"InventorySourceEsa") || !strings.Contains(got, "asked-by-"+protocol) || !strings.Contains(got, `"writer"`) {
					w.Errorf("%s: the audit has %s", name, got)
				}
			}
			writer.refused("deactivate", `{"sourceId":"nobody"}`, "NOT_FOUND", "")
			writer.refused("status", `{"sourceId":"../../../../audit"}`, "VALIDATION_ERROR", "")
			writer.refused("status", `{"sourceId":".."}`, "VALIDATION_ERROR", "")
			writer.refused("history", `{"sourceId":"`+source+`","limit":501}`, "VALIDATION_ERROR", "query.limit")
			w.must(writer.Close())
			other := w.assistant(otherKey, protocol)
			if text, failed := other.call("why_blocked", `{"sourceId":"somebodys-agent"}`); failed || !strings.Contains(text, "not active yet") {
				w.Error(text)
			}
			other.refused("why_blocked", `{"sourceId":"`+source+`"}`, "NOT_FOUND", "")
			w.must(other.Close())
		}
	})
}

// TestOperatorsAssistants name the customer of each call, or of all.
func TestOperatorsAssistants(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for _, protocol := range protocols {
			desk := w.assistant(deskKey, protocol)
			desk.refused("status", `{"sourceId":"`+source+`"}`, "VALIDATION_ERROR", customerHeader)
			desk.refused("status", `{"sourceId":"`+source+`","customer":4712}`, "NOT_FOUND", "")
			desk.refused("status", `{"sourceId":"`+source+`","customer":"4711 "}`, "VALIDATION_ERROR", customerHeader)
			desk.refused("status", `{"sourceId":"`+source+`","customer":[4711,4712]}`, "VALIDATION_ERROR", customerHeader)
			for _, tool := range []string{"status", "why_blocked"} {
				if text, failed := desk.call(tool, `{"sourceId":"`+source+`","customer":4711}`); failed {
					w.Error(text)
				}
			}
			if text, failed := desk.call("overview", `{}`); failed || !strings.Contains(text, source) {
				w.Error(text)
			}
			w.must(desk.Close())
			of := w.assistant(deskKey, protocol, customerHeader, "4711")
			if text, failed := of.call("refresh", `{"sourceId":"`+source+`"}`); failed {
				w.Error(text)
			}
			of.refused("refresh", `{"sourceId":"`+source+`","customer":4712}`, "NOT_FOUND", "")
			w.must(of.Close())
			own := w.assistant(writeKey, protocol)
			own.refused("status", `{"sourceId":"`+source+`","customer":4711}`, "VALIDATION_ERROR", "no such argument")
			w.must(own.Close())
		}
	})
}

// TestTextsForAssistants: they lead to what is there, name every tool, and are of this gateway.
func TestTextsForAssistants(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for path, kind := range map[string]string{"/llms.txt": "text/plain; charset=utf-8", "/skills/esagate/SKILL.md": "text/markdown; charset=utf-8"} {
			a := w.visit("GET", path)
			a.ok(w).says(w, "Content-Type", kind)
			text := string(a.body)
			for _, name := range append(slices.Clone(reading), writing...) {
				if !strings.Contains(text, name) {
					w.Errorf("%s does not name %s", path, name)
				}
			}
			links := 0
			for part := range strings.SplitSeq(text, "https://gateway.example") {
				to := part
				if i := strings.IndexFunc(part, func(r rune) bool { return strings.ContainsRune(" \n\")`;,", r) }); i >= 0 {
					to = part[:i]
				}
				to = strings.TrimSuffix(to, ".")
				if links++; links == 1 || to == "" || strings.Contains(to, "{sourceId}") {
					continue
				}
				if a := w.unvalidated(request("GET", to, readKey, "")); a.status == 404 {
					w.Errorf("%s leads to %s, where nothing is", path, to)
				}
			}
			if links < 5 || strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
				w.Errorf("%s:\n%s", path, text)
			}
		}
		skill := string(w.visit("GET", "/skills/esagate/SKILL.md").body)
		front, _, ok := strings.Cut(strings.TrimPrefix(skill, "---\n"), "\n---\n")
		if _, about, _ := strings.Cut(front, "\ndescription: "); !ok || !strings.HasPrefix(front, "name: esagate\n") || len(about) < 100 || len(about) > 1024 || strings.Contains(about, ": ") {
			w.Errorf("the skill begins with\n%s", front)
		}
	})
}
