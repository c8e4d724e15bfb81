// Package sources holds the rules of AGENT inventory sources (contract, "Rules for
// inventory sources"): bodies of requests in, decisions out. It asks nobody and
// keeps nothing. No message of its errors holds anything that a caller wrote.
package sources

// CheckURL says what is wrong with an address that may be called, "" if nothing. It
// must not wait, because [Update.Decide] calls it too, and what it says is shown to
// callers as it is: a whole sentence that repeats nothing of the address.
type CheckURL func(raw string) string
