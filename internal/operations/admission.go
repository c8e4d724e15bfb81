package operations

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/fault"
)

// exchange lets a request in, or says all that is wrong with it.
func (s *Service) exchange(ctx context.Context, o *Operation, r Request) (*exchange, error) {
	if r.Source.Connection.TenantID == "" {
		return nil, fault.New(fault.Conflict, "The source is not set up at the sales agent yet.")
	}
	x := &exchange{Operation: o, service: s, source: r.Source, vars: map[string]string{}, body: r.Body, call: o.Call, answer: o.answer}
	for name, value := range r.Vars {
		x.vars[name], _ = url.PathUnescape(value)
	}
	x.status, _ = strconv.Atoi(o.Successes[len(o.Successes)-1].Status)
	x.dryRun = o.dry(r)
	return x, nil
}

// Changes reports whether a request is one that changes something, if it is let in: no read, trial or dry run.
func (o *Operation) Changes(r Request) bool {
	return o.Method != http.MethodGet && !o.Trial && !o.dry(r)
}

// dry reports whether a request asks for a dry run, in its query or its body, of a row that has one.
func (o *Operation) dry(r Request) bool {
	for _, p := range o.Parameters {
		if p.Name == "dry_run" {
			values, _ := url.ParseQuery(r.Query)
			return values.Get("dry_run") == "true" || values.Get("dryRun") == "true"
		}
	}
	if o.Body == nil || !slices.ContainsFunc(o.Body.Properties, func(p api.Property) bool { return p.Name == "dryRun" }) {
		return false
	}
	return string(member(r.Body, "dryRun")) == "true"
}

// member gives a member of a JSON object as it is written; nil where there is none, or no object.
func member(object []byte, name string) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	for token, err := dec.ReadToken(); err == nil && dec.StackDepth() == 1; token, err = dec.ReadToken() {
		if token.Kind() == '{' {
			continue
		}
		if token.Kind() == '"' && token.String() == name {
			value, _ := dec.ReadValue()
			return value
		}
		if dec.SkipValue() != nil {
			return nil
		}
	}
	return nil
}
