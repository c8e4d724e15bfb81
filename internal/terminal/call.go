package terminal

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/word"
)

// callTimeout bounds a call: the sales agent may have to try an ad server, and has more than a minute for that.
const callTimeout = 5 * time.Minute

// sourceName is an argument of every operation that has an esaId or a sourceId: it stands for either.
const sourceName = "source"

// Call makes an operation, with arguments of the form name=value for the contract's parameters, and a body or nil.
// It gives the answer's JSON, nil where there is none. Where an operation has an esaId, source=NAME has it looked up.
// Its error is a [Problem].
func (c *Client) Call(ctx context.Context, op *api.Operation, arguments []string, body []byte) ([]byte, error) {
	switch {
	case op.Body == nil && body != nil:
		return nil, &Problem{text: op.ID + " takes no body"}
	case op.NeedsBody && body == nil:
		return nil, &Problem{text: op.ID + " wants a body: --body FILE, --body - for the standard input, or -d JSON"}
	}
	given, source, err := sorted(op, arguments)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if source != "" {
		row, err := c.Source(ctx, source)
		if err != nil {
			return nil, err
		}
		given.path["esaId"] = row.ESAID
		given.header.Set(customerHeader, strconv.FormatInt(row.CustomerID, 10))
	}
	q, err := given.question(op)
	if err != nil {
		return nil, err
	}
	if body != nil {
		q.body = body
		q.header.Set("Content-Type", jsonType)
	}
	answer, err := c.ask(ctx, q)
	if err != nil || len(bytes.TrimSpace(answer)) == 0 {
		return nil, err
	}
	if !jsontext.Value(answer).IsValid() {
		return nil, &Problem{text: "what answers there is no esagate: its answer can't be read"}
	}
	return answer, nil
}

// JSON gives JSON that a terminal can be trusted with: in one line, or indented.
func JSON(value []byte, indented bool) []byte {
	v := jsontext.Value(slices.Clone(value))
	if indented {
		_ = v.Indent(jsontext.WithIndent("  ")) // it was read before
	} else {
		_ = v.Compact()
	}
	return harmless(v)
}

// arguments are the values of an operation's parameters.
type arguments struct {
	path   map[string]string
	query  url.Values
	header http.Header
}

// sorted sorts arguments by where the contract has them. source is one that is to be looked up.
func sorted(op *api.Operation, list []string) (a arguments, source string, err error) {
	a = arguments{map[string]string{}, url.Values{}, http.Header{}}
	for _, argument := range list {
		name, value, ok := strings.Cut(argument, "=")
		if !ok {
			return a, "", &Problem{text: "what follows " + op.ID + " must be name=value, as in limit=10"}
		}
		bySource := name == sourceName && parameter(op, sourceName) == nil
		if bySource && parameter(op, "sourceId") != nil {
			name, bySource = "sourceId", false
		}
		if bySource && parameter(op, "esaId") != nil {
			source = value
			continue
		}
		p := parameter(op, name)
		if p == nil {
			return a, "", unknownParameter(op, name)
		}
		switch p.In {
		case "path":
			a.path[p.Name] = value
		case "query":
			a.query.Add(p.Name, value)
		case "header":
			a.header.Set(p.Name, value)
		}
	}
	return a, source, nil
}

func parameter(op *api.Operation, name string) *api.Parameter {
	i := slices.IndexFunc(op.Parameters, func(p api.Parameter) bool {
		return p.Name == name || p.In == "header" && strings.EqualFold(p.Name, name)
	})
	if i < 0 {
		return nil
	}
	return &op.Parameters[i]
}

func unknownParameter(op *api.Operation, name string) *Problem {
	p := &Problem{text: op.ID + " has no parameter " + clip(Safe(name), maxTold)}
	var names []string
	for _, known := range op.Parameters {
		names = append(names, known.Name)
	}
	if near := word.Closest(name, names); near != "" {
		p.text += ": did you mean " + near + "?"
	}
	return p
}

// question gives the request of an operation. What a value must be, the gateway says; here is checked what would
// be the address of something else.
func (a arguments) question(op *api.Operation) (question, error) {
	path := strings.TrimPrefix(op.Path, root)
	for _, p := range op.Parameters {
		value, ok := a.path[p.Name]
		switch {
		case p.In == "query" && p.Required && !a.query.Has(p.Name), p.In == "path" && !ok:
			return question{}, &Problem{text: op.ID + " wants " + p.Name + "=…" + lookedUp(p.Name)}
		case p.In == "path" && (value == "" || value == "." || value == ".."):
			return question{}, &Problem{text: p.Name + " must be an id"}
		}
		path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(value), 1)
	}
	return question{method: op.Method, path: path, query: a.query, header: a.header, want: jsonType}, nil
}

func lookedUp(name string) string {
	if name == "esaId" {
		return ", or " + sourceName + "=NAME"
	}
	return ""
}
