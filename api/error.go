package api

// ErrorBody is the body of every failure. Data is always null.
type ErrorBody struct {
	Data  *struct{} `json:"data"`
	Error Error     `json:"error"`
}

// Error says what went wrong; Code is from the contract's table.
type Error struct {
	Code    string        `json:"code"`
	Message string        `json:"message"`
	Field   string        `json:"field,omitempty"`
	Details *ErrorDetails `json:"details,omitempty"`
}

// ErrorDetails is what a client may act on.
type ErrorDetails struct {
	Issues []ErrorIssue `json:"issues,omitempty"`
	Reason string       `json:"reason,omitempty"`
	// ErrorCode is why an ad server refused a config, or what it was asked for (400), as lastErrorCode.
	ErrorCode string `json:"errorCode,omitempty"`
	// ESAID and SourceID name the connection that stands although it could not be set up.
	ESAID    string `json:"esaId,omitempty"`
	SourceID string `json:"sourceId,omitempty"`
	// ActiveReferences is how many media buys use a signal that can't be deleted (409 SIGNAL_IN_USE).
	ActiveReferences *int64 `json:"activeReferences,omitempty"`
}

// ErrorIssue is one thing wrong with a request; Path is dotted.
type ErrorIssue struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}
