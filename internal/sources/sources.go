// Package sources holds the rules of AGENT inventory sources (contract, "Rules for
// inventory sources"): bodies of requests in, decisions out. It asks nobody and
// keeps nothing. No message of its errors holds anything that a caller wrote.
package sources

import "esagate/internal/fault"

// CheckURL says what is wrong with an address that may be called, "" if nothing. It
// must not wait, because [Update.Decide] calls it too, and what it says is shown to
// callers as it is: a whole sentence that repeats nothing of the address.
type CheckURL func(raw string) string

// issues collects all that is wrong with a request, in the order of the contract's
// fields.
type issues []fault.Issue

func (l *issues) add(path, message string) {
	*l = append(*l, fault.Issue{Path: path, Message: message})
}

// take gives what a member holds and notes what is wrong with it.
func (l *issues) take(m member) string {
	if m.problem != "" {
		l.add(m.path, m.problem)
	}
	return m.value
}

// need is take for a member that must be there.
func (l *issues) need(m member) string {
	if !m.given {
		l.add(m.path, m.path+" is required.")
	}
	return l.take(m)
}

// err gives everything noted as one Validation error, nil if there is nothing.
func (l *issues) err() error {
	if len(*l) == 0 {
		return nil
	}
	return fault.Invalid(*l...)
}
