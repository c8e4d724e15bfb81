package docs

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// What the page reads of an OpenAPI document.
type (
	spec struct {
		Info struct {
			Title       string `json:"title"`
			Version     string `json:"version"`
			Description string `json:"description"`
		} `json:"info"`
		Tags       []tag                               `json:"tags"`
		Paths      api.Members[api.Members[operation]] `json:"paths"`
		Components struct {
			Schemes    api.Members[scheme]    `json:"securitySchemes"`
			Parameters api.Members[parameter] `json:"parameters"`
			Headers    api.Members[parameter] `json:"headers"`
			Responses  api.Members[response]  `json:"responses"`
			Schemas    api.Members[schema]    `json:"schemas"`
			Examples   api.Members[example]   `json:"examples"`
		} `json:"components"`
	}
	tag struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	scheme struct {
		Type        string `json:"type"`
		Scheme      string `json:"scheme"`
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	operation struct {
		ID          string                 `json:"operationId"`
		Tags        []string               `json:"tags"`
		Summary     string                 `json:"summary"`
		Description string                 `json:"description"`
		Security    *[]map[string][]string `json:"security"` // nil: as everywhere; empty: no key
		Parameters  []parameter            `json:"parameters"`
		Body        *body                  `json:"requestBody"`
		Responses   api.Members[response]  `json:"responses"`
	}
	body struct {
		Required bool               `json:"required"`
		Content  api.Members[media] `json:"content"`
	}
	// parameter is a header of an answer too.
	parameter struct {
		Ref         string         `json:"$ref"`
		Name        string         `json:"name"`
		In          string         `json:"in"`
		Description string         `json:"description"`
		Required    bool           `json:"required"`
		Schema      schema         `json:"schema"`
		Example     jsontext.Value `json:"example"`
	}
	response struct {
		Ref         string                 `json:"$ref"`
		Description string                 `json:"description"`
		Headers     api.Members[parameter] `json:"headers"`
		Content     api.Members[media]     `json:"content"`
	}
	media struct {
		Schema   schema               `json:"schema"`
		Example  jsontext.Value       `json:"example"`
		Examples api.Members[example] `json:"examples"`
		Data     api.Members[schema]  `json:"x-data"` // of the events of a stream
	}
	example struct {
		Ref     string         `json:"$ref"`
		Summary string         `json:"summary"`
		Value   jsontext.Value `json:"value"`
	}
	schema struct {
		Ref         string              `json:"$ref"`
		Type        string              `json:"type"`
		Format      string              `json:"format"`
		Description string              `json:"description"`
		Nullable    bool                `json:"nullable"`
		WriteOnly   bool                `json:"writeOnly"`
		Enum        []jsontext.Value    `json:"enum"`
		Default     jsontext.Value      `json:"default"`
		Example     jsontext.Value      `json:"example"`
		Minimum     jsontext.Value      `json:"minimum"`
		Maximum     jsontext.Value      `json:"maximum"`
		MinLength   jsontext.Value      `json:"minLength"`
		MaxLength   jsontext.Value      `json:"maxLength"`
		MinItems    jsontext.Value      `json:"minItems"`
		MaxItems    jsontext.Value      `json:"maxItems"`
		Pattern     string              `json:"pattern"`
		Items       *schema             `json:"items"`
		Required    []string            `json:"required"`
		Properties  api.Members[schema] `json:"properties"`
		Others      others              `json:"additionalProperties"`
		AllOf       []schema            `json:"allOf"`
		OneOf       []schema            `json:"oneOf"`
		AnyOf       []schema            `json:"anyOf"`
		Not         *schema             `json:"not"`
	}
	// others is what an object may hold beside its properties: true, false, or a schema.
	others struct {
		schema *schema
		open   bool
	}
)

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (o *others) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if kind := dec.PeekKind(); kind != '{' {
		o.open = kind == 't'
		return dec.SkipValue()
	}
	o.schema = new(schema)
	return json.UnmarshalDecode(dec, o.schema)
}

// find gives a component by a reference to it.
func find[T any](all api.Members[T], ref string) *T {
	if i := all.Index(lastOf(ref)); i >= 0 {
		return &all[i].Value
	}
	return nil
}
