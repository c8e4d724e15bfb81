package jsonbody

import "esagate/internal/fault"

// Issues collects all that is wrong with a request, in the order of the contract's
// fields.
type Issues []fault.Issue

// Add notes one thing that is wrong.
func (l *Issues) Add(path, message string) {
	*l = append(*l, fault.Issue{Path: path, Message: message})
}

// Take gives what a member holds and notes what is wrong with it.
func (l *Issues) Take(m Member) string {
	if m.Problem != "" {
		l.Add(m.Path, m.Problem)
	}
	return m.Value
}

// Need is Take for a member that must be there.
func (l *Issues) Need(m Member) string {
	if !m.Given {
		l.Add(m.Path, m.Path+" is required.")
	}
	return l.Take(m)
}

// Err gives everything noted as one Validation error, nil if there is nothing.
func (l *Issues) Err() error {
	if len(*l) == 0 {
		return nil
	}
	return fault.Invalid(*l...)
}
