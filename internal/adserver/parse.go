package adserver

import (
	"slices"
	"strings"

	"esagate/internal/jsonbody"
	"esagate/internal/redact"
	"esagate/internal/sources"
)

// Bounds of texts, in code points. The contract gives all but that of credentials.
const (
	maxName   = 255
	maxLogin  = 255
	maxID     = 64
	maxSecret = 16 << 10
)

// The types.
const (
	typeGAM         = "google_ad_manager"
	typeFreeWheel   = "freewheel"
	typeSpringServe = "springserve"
	typeBroadstreet = "broadstreet"
	typeMock        = "mock"
	typeAdsWizz     = "adswizz" // one of the contract's, which upstream doesn't know
)

// shape is how the configs of one type are written.
type shape struct {
	name    string
	members []string // its own; those that all types have are in common
	refused []refusal
	read    func(*reader) kind
}

// refusal is a member that is not taken, for a reason that a caller should know.
type refusal struct{ name, why string }

var shapes = []*shape{&gamShape, &freeWheelShape, &springServeShape, &broadstreetShape, &mockShape}

var common = []string{"type", "connectionContract"}

// beside are the members that may stand beside a config where it connects a new ad
// server.
var beside = []string{"name", "sourceId"}

// untakeable says that upstream knows no such thing.
const untakeable = " can't be taken by the sales agent at its present version."

// reader reads the members of a config of one type.
type reader struct {
	jsonbody.Object
	jsonbody.Issues
}

// Parse reads the body of a request that replaces an ad-server config. Its error is a
// *fault.Error: a BadRequest for what is no JSON object, else a Validation with every
// issue.
func Parse(body []byte) (*Config, error) {
	c, err := parse(body, false)
	if err != nil {
		return nil, err
	}
	return c.Config, nil
}

// ParseConnect reads the body of a request that connects a new ad server: a config,
// with name and sourceId beside it where the caller gives them. Errors as Parse.
func ParseConnect(body []byte) (*Connect, error) { return parse(body, true) }

func parse(body []byte, connect bool) (*Connect, error) {
	o, err := jsonbody.Parse(body, append([]string{"type"}, beside...))
	if err != nil {
		return nil, err
	}
	var out Connect
	var issues jsonbody.Issues
	known := slices.Clone(common)
	if connect {
		known = append(known, beside...)
		out.Name = issues.Take(o.Text("name", jsonbody.Length(1, maxName)))
		out.SourceID = issues.Take(o.Text("sourceId", func(_, id string) string { return sources.CheckSourceID(id) }))
	}
	s := shapeOf(issues.Need(o.Text("type", adServerType)))
	if s == nil { // what the other members should be can't be known
		return nil, issues.Err()
	}
	known = append(known, s.members...)
	for _, m := range s.refused {
		known = append(known, m.name)
	}
	if o, err = jsonbody.Parse(body, known); err != nil {
		return nil, err
	}
	r := &reader{Object: o, Issues: issues}
	r.connectionContract()
	config := s.read(r)
	for _, m := range s.refused {
		if r.Has(m.name) {
			r.Add(m.name, m.name+m.why)
		}
	}
	r.others("", r.Others, "This is not a field of an ad server of the type "+s.name+".")
	if err := r.Err(); err != nil {
		return nil, err
	}
	out.Config = &Config{open: func() kind { return config }}
	if connect {
		if out.Name == "" {
			out.Name = cut(config.label(), maxName)
		}
		out.Slug = sources.Slug(out.Name)
	}
	return &out, nil
}

// adServerType is the rule of type.
func adServerType(path, value string) string {
	if value == typeAdsWizz {
		return "An ad server of the type " + typeAdsWizz + untakeable
	}
	return jsonbody.OneOf(typeGAM, typeFreeWheel, typeSpringServe, typeBroadstreet, typeMock)(path, value)
}

func shapeOf(name string) *shape {
	for _, s := range shapes {
		if s.name == name {
			return s
		}
	}
	return nil
}

// others names members that are not known. What a caller calls a member is repeated
// only where it is a plain word: a secret may have slipped there.
func (r *reader) others(prefix string, names []string, message string) {
	whole := false
	for _, name := range names {
		switch {
		case redact.Word(name):
			r.Add(prefix+name, message)
		case !whole:
			whole = true
			path := strings.TrimSuffix(prefix, ".")
			if path == "" {
				path = "body"
			}
			r.Add(path, "There is a field that is not known.")
		}
	}
}

// cut gives the first code points of a text.
func cut(s string, most int) string {
	count := 0
	for i := range s {
		if count++; count > most {
			return s[:i]
		}
	}
	return s
}
