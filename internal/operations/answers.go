package operations

import (
	"bytes"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/transform/shape"
)

// unusable is the error of a document that Prepare can't read: nothing was written. That the answer to a write can't be
// read is for package upstream to say.
func unusable(cause error) error {
	return fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used.", cause)
}

// translated gives a document of the sales agent's in the words of the contract.
func translated(s *shape.Shape, document []byte, given ...shape.Given) ([]byte, error) {
	var out bytes.Buffer
	_, err := s.Answer(&out, bytes.NewReader(document), given...)
	return out.Bytes(), err
}

// answers gives the shape of a success of the row by the name of its schema, which may be a choice; nil for none.
func (o *Operation) answers(name string) *shape.Shape {
	for _, s := range o.Successes {
		if s.Schema == nil {
			continue
		}
		for _, schema := range append(s.Schema.Choices, s.Schema) {
			if schema.Name == name {
				return shape.Of(schema)
			}
		}
	}
	return nil
}

// property gives the schema of a property; nil for none.
func property(schema *api.Schema, name string) *api.Schema {
	for _, p := range schema.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}
