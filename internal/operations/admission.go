package operations

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/transform/shape"
)

// exchange lets a request in, or says why not, in the order of contract 12.8: all that is wrong with its path, query
// and body is one answer. It asks nobody, but for the type of an ad server that the registry has not learned.
func (s *Service) exchange(ctx context.Context, o *Operation, r Request) (*exchange, error) {
	src := r.Source
	if src.Connection.TenantID == "" {
		return nil, &fault.Error{Kind: fault.Conflict, Reason: fault.NotProvisioned,
			Message: "The source is not set up at the sales agent yet: save its ad server configuration first, with PUT …/ad-server."}
	}
	if o.Group == Catalog && src.Connection.Provisioning == registry.StatusDeactivated {
		return nil, &fault.Error{Kind: fault.NotFound, Reason: fault.SourceDeactivated,
			Message: "The source is deactivated: it has no catalog until it is reactivated, with POST …/reactivate."}
	}
	src = s.deps.Status.WithAdServer(ctx, src)
	if view := src.Connection.AdServer; o.Group == GAM && view != nil && advertisers(src) != adserver.Synced {
		return nil, NotOfAdServer("This is for sources on Google Ad Manager alone.")
	}
	x := &exchange{Operation: o, service: s, source: src, body: r.Body, dryRun: o.dry(r), call: o.Call, answer: o.answer}
	x.status, _ = strconv.Atoi(o.Successes[len(o.Successes)-1].Status)
	var issues, asked jsonbody.Issues
	x.vars = o.ids(r.Vars, &issues)
	x.query, x.given = o.parameters(r.Query, &asked)
	slices.SortStableFunc(asked, func(a, b fault.Issue) int { return strings.Compare(a.Path, b.Path) })
	issues = append(issues, asked...)
	err := x.readBody(&issues)
	switch {
	case err != nil && len(issues) == 0:
		return nil, err
	case err == nil && o.Check != nil && len(issues) < shape.MaxIssues:
		issues = append(issues, o.Check(x)...)
	}
	if err := issues.Err(); err != nil {
		return nil, err
	}
	return x, nil
}

// NotOfAdServer is the error of an operation that the source's ad server does not have.
func NotOfAdServer(message string) error {
	e := fault.Invalid(fault.Issue{Path: "esaId", Message: message})
	e.Reason = fault.AdServerNotSupported
	return e
}

// readBody reads the body by its shape. The error is a BadRequest, of what is no sound JSON object.
func (x *exchange) readBody(l *jsonbody.Issues) error {
	switch {
	case x.Method == http.MethodGet:
		return nil
	case x.request == nil:
		if len(bytes.Trim(x.body, " \t\r\n")) == 0 {
			return nil
		}
		body, err := jsonbody.Parse(x.body)
		if err == nil && !body.Empty() {
			l.Add("body", "This takes no body, or an empty object.")
		}
		return err
	}
	sent, found, err := x.request.Request(x.body)
	x.sent = sent
	*l = append(*l, found...)
	return err
}

// ids unescapes and checks the ids in a path. What stands literally in the table is none.
func (o *Operation) ids(vars map[string]string, l *jsonbody.Issues) map[string]string {
	ids := make(map[string]string, len(vars))
	for i := range o.path {
		p := &o.path[i]
		id, err := url.PathUnescape(vars[p.Name])
		most := p.Schema.MaxLength
		switch {
		case p.Name == "esaId": // the edge's
		case err != nil:
			l.Add(p.Name, p.Name+" is not properly percent-encoded.")
		case id == "." || id == ".." || !utf8.ValidString(id) || p.pattern != nil && !p.pattern.MatchString(id) ||
			literal[strings.Replace(o.Path, "{"+p.Name+"}", id, 1)]:
			l.Add(p.Name, p.Name+" can't be an id.")
		case most != nil && utf8.RuneCountInString(id) > *most:
			l.Add(p.Name, p.Name+" is longer than "+strconv.Itoa(*most)+" characters.")
		}
		ids[p.Name] = id
	}
	return ids
}

// literal are the paths of the table that end without an id.
var literal = func() map[string]bool {
	paths := map[string]bool{}
	for _, o := range table {
		if path := api.Operations()[o.ID].Path; !strings.HasSuffix(path, "}") {
			paths[path] = true
		}
	}
	return paths
}()

// Changes reports whether a request is one that changes something, if it is let in: no read, trial or dry run.
func (o *Operation) Changes(r Request) bool {
	return o.Method != http.MethodGet && !o.Trial && !o.dry(r)
}

// dry reports whether a request asks for a dry run, in its query or its body, of a row that has one.
func (o *Operation) dry(r Request) bool {
	for i := range o.query {
		if p := &o.query[i]; p.Name == "dry_run" {
			values, _ := url.ParseQuery(r.Query)
			return values.Get(p.Name) == "true" || values.Get(p.also) == "true"
		}
	}
	return o.Body != nil && property(o.Body, "dryRun") != nil && string(member(r.Body, "dryRun")) == "true"
}
