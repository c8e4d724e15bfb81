package operations

import "esagate/api"

// NewRow makes a row of an operation that is not in the contract.
func NewRow(o Operation, spec *api.Operation) *Operation {
	o.read(spec)
	return &o
}
