package docs_test

import (
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"esagate/api"
	"esagate/gateway/docs"
)

// read gives the ids and the links of a page, and its text. It fails for elements that are not closed.
func read(t *testing.T, page []byte) (ids, links []string, text string) {
	t.Helper()
	var words strings.Builder
	for z := html.NewTokenizer(strings.NewReader(string(page))); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return ids, links, words.String()
		case html.TextToken:
			words.Write(z.Text())
		case html.StartTagToken:
			for name, more := z.TagName(); more; {
				var key, value []byte
				key, value, more = z.TagAttr()
				switch string(key) {
				case "id":
					ids = append(ids, string(value))
				case "href":
					links = append(links, string(value))
				case "style", "onclick":
					t.Errorf("<%s> has %s=%q, which the policy does not let in", name, key, value)
				}
			}
		}
	}
}

func render(t *testing.T, document []byte) []byte {
	t.Helper()
	page, err := docs.Render(document, "https://gateway.example/")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestEverythingIsOnThePage holds the page against the contract, in both forms: each operation, parameter,
// answer, schema and property is there, no link leads nowhere, and no anchor is there twice.
func TestEverythingIsOnThePage(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		spec := api.Spec(envelope).JSON.Plain
		page := render(t, spec)
		ids, links, text := read(t, page)
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("the id %s is there twice", id)
			}
			seen[id] = true
		}
		for _, link := range links {
			if anchor, ok := strings.CutPrefix(link, "#"); ok && !seen[anchor] {
				t.Errorf("a link leads to %s, which is not there", link)
			}
		}
		var doc struct {
			Paths      map[string]map[string]struct{ OperationID, Summary string }
			Components struct {
				Schemas   map[string]struct{ Properties map[string]any }
				Responses map[string]any
				Headers   map[string]any
			}
		}
		if err := json.Unmarshal(spec, &doc); err != nil {
			t.Fatal(err)
		}
		operations := 0
		for path, item := range doc.Paths {
			for _, op := range item {
				operations++
				if !seen[op.OperationID] || !strings.Contains(text, path) || !strings.Contains(string(page), html.EscapeString(op.Summary)) {
					t.Errorf("the operation %s is not on the page, or not in full", op.OperationID)
				}
			}
		}
		if operations < 30 {
			t.Errorf("there are %d operations only: has the contract another form?", operations)
		}
		for name, schema := range doc.Components.Schemas {
			if !seen["schema-"+name] {
				t.Errorf("the schema %s is not on the page", name)
			}
			for property := range schema.Properties {
				if !strings.Contains(string(page), "<code>"+property+"</code>") {
					t.Errorf("%s.%s is not on the page", name, property)
				}
			}
		}
		for name := range doc.Components.Headers {
			if !seen["header-"+name] {
				t.Errorf("the header %s is not on the page", name)
			}
		}
		for _, name := range []string{"NotFound", "RateLimited", "MethodNotAllowed"} {
			if !seen["answer-"+name] {
				t.Errorf("the answer %s is not on the page", name)
			}
		}
		if envelope != seen["schema-EnvelopedStatus"] {
			t.Errorf("enveloped %v: the page is that of the other form", envelope)
		}
	}
}

// TestHostileText holds that nothing in a contract becomes an element, an attribute, or a word that a shell
// acts on.
func TestHostileText(t *testing.T) {
	const bad = `<script>alert(1)</script><img src=x onerror=alert(1)>"'` + "`" + `](javascript:alert(1)) $(reboot)`
	spec := string(api.Spec(false).JSON.Plain)
	quoted, err := json.Marshal(bad)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"title", "version", "description", "summary", "pattern", "operationId", "example", "format"} {
		spec = regexp.MustCompile(`"`+member+`":"(?:[^"\\]|\\.)*"`).ReplaceAllLiteralString(spec, `"`+member+`":`+string(quoted))
	}
	spec = strings.ReplaceAll(spec, `"name":"Harbour Video"`, `"name":`+string(quoted))
	page := string(render(t, []byte(spec)))
	for _, wrong := range []string{"<script", "<img", "href=\"javascript:", "<!-- raw"} {
		if strings.Contains(page, wrong) {
			t.Errorf("the page has %q", wrong)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the text itself is not shown")
	}
	commands := regexp.MustCompile(`(?s)<code>(curl .*?)</code>`).FindAllStringSubmatch(page, -1)
	if len(commands) < 30 {
		t.Errorf("there are %d commands", len(commands))
	}
	for _, command := range commands {
		rest := html.UnescapeString(command[1])
		rest = strings.ReplaceAll(rest, `'\''`, "")
		rest = regexp.MustCompile(`(?s)'[^']*'`).ReplaceAllString(rest, "")
		if strings.ContainsAny(strings.ReplaceAll(rest, "$ESAGATE_KEY", ""), "$`();&|<>'") {
			t.Errorf("a shell acts on a part of %s", command[1])
		}
	}
}

// TestCurl holds the commands that people copy.
func TestCurl(t *testing.T) {
	page := html.UnescapeString(string(render(t, api.Spec(false).JSON.Plain)))
	for _, want := range []string{
		"curl -sS \\\n  -H \"Authorization: Bearer $ESAGATE_KEY\" \\\n  'https://gateway.example/api/v2/storefront/inventory-sources/harbour-video/status'",
		"curl -sS 'https://gateway.example/healthz'",
		"curl -sSN \\\n",
		"curl -sS \\\n  -X DELETE \\\n",
		"  -H 'Content-Type: application/json' \\\n  -d '{\n  \"name\": \"Harbour Video\",",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if strings.Contains(page, "'https://gateway.example/webhooks") {
		t.Error("there is a command for what nobody can send: the body has no example")
	}
}

// TestUnreadable holds that what is no OpenAPI document is an error and no page.
func TestUnreadable(t *testing.T) {
	for _, document := range []string{"", "[]", `{"paths": []}`, `{"paths": {"/": {"parameters": []}}}`} {
		if page, err := docs.Render([]byte(document), ""); err == nil {
			t.Errorf("%s: %.60s", document, page)
		}
	}
}

// TestHeadingsAreInOrder holds that no level of headings is left out.
func TestHeadingsAreInOrder(t *testing.T) {
	level := 0
	found := regexp.MustCompile(`<h([1-6])`).FindAllSubmatch(render(t, api.Spec(false).JSON.Plain), -1)
	for i, m := range found {
		next := int(m[1][0] - '0')
		if next > level+1 || next == 1 && i > 0 {
			t.Errorf("heading %d is an h%d after an h%d", i, next, level)
		}
		level = next
	}
	if !slices.ContainsFunc(found, func(m [][]byte) bool { return string(m[1]) == "4" }) {
		t.Error("there are no h4")
	}
}
