package operations

// Sandbox is whose the sandbox accounts are that the gateway has made. The sales agent knows an account by both, so they
// never change. Both are empty, or neither: without them none is made.
type Sandbox struct {
	Operator    string
	BrandDomain string
}
