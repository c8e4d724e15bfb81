// Package sources holds the rules of AGENT inventory sources (contract 6): bodies of requests in,
// decisions out. It does no I/O and keeps nothing. No message of its errors holds anything that a
// caller wrote.
//
// A field of a source is read in create.go and update.go by the rules of member.go; credentials
// are in auth.go, changes of status in status.go, when an OAuth consent is due in consent.go, and
// what may be done to managed sources in managed.go.
package sources

// CheckURL says what is wrong with an address that may be called, "" if nothing. It
// must not wait, because [Update.Decide] calls it too, and what it says is shown to
// callers as it is: a whole sentence that repeats nothing of the address.
type CheckURL func(raw string) string
