package sqlstore

import (
	"fmt"

	"esagate/registry"
)

// known is an error that is also one of the registry's own, in its own words alone:
// errors.Join would put both texts into it, in two lines.
type known struct{ is, cause error }

func (e known) Error() string   { return e.cause.Error() }
func (e known) Unwrap() []error { return []error{e.is, e.cause} }

// outcomeUnknown marks a commit's error that leaves open whether it stands.
func outcomeUnknown(err error) error {
	return known{registry.ErrOutcomeUnknown, fmt.Errorf("the commit may stand or not: %w", err)}
}

// both gives two errors, each of which may be nil, as one, in one line.
func both(err, also error) error {
	switch {
	case err == nil:
		return also
	case also == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, also)
}

// failed names what could not be done. What a store says to a caller passes as it is.
func failed(what string, err error) error {
	if registry.Refusal(err) {
		return err
	}
	return fmt.Errorf("registry: %s: %w", what, err)
}
