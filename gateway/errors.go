package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"esagate/api"
	"esagate/internal/fault"
)

// answerOf is the one table from kinds of failure to answers (contract 7.2).
var answerOf = map[fault.Kind]struct {
	status int
	code   string
}{
	fault.Internal:           {http.StatusInternalServerError, "INTERNAL_ERROR"},
	fault.Validation:         {http.StatusBadRequest, "VALIDATION_ERROR"},
	fault.BadRequest:         {http.StatusBadRequest, "BAD_REQUEST"},
	fault.Unauthorized:       {http.StatusUnauthorized, "UNAUTHORIZED"},
	fault.Forbidden:          {http.StatusForbidden, "FORBIDDEN"},
	fault.NotFound:           {http.StatusNotFound, "NOT_FOUND"},
	fault.MethodNotAllowed:   {http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"},
	fault.Conflict:           {http.StatusConflict, "CONFLICT"},
	fault.PreconditionFailed: {http.StatusPreconditionFailed, "PRECONDITION_FAILED"},
	fault.TooLarge:           {http.StatusRequestEntityTooLarge, "BAD_REQUEST"},
	fault.UnsupportedMedia:   {http.StatusUnsupportedMediaType, "BAD_REQUEST"},
	fault.HeadersTooLarge:    {http.StatusRequestHeaderFieldsTooLarge, "BAD_REQUEST"},
	fault.RateLimited:        {http.StatusTooManyRequests, "RATE_LIMITED"},
	fault.Unavailable:        {http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"},
}

// statusClientGone is counted and logged; the client that would read it has left.
const statusClientGone = 499

// maxRetryAfter bounds what clients are told to wait (contract 7.3).
const maxRetryAfter = 60 * time.Second

// writeError answers a failed request. It is the only place where errors become
// answers, and shows a client nothing but what fault.Error means for it.
func (g *Gateway) writeError(w http.ResponseWriter, r *request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.WriteHeader(statusClientGone)
		return
	}
	f := fault.As(err)
	if f.Kind == fault.Validation && len(f.Issues) == 0 { // the body as a whole is wrong
		whole := *f
		whole.Issues = []fault.Issue{{Path: "body", Message: f.Message}}
		f = &whole
	}
	if r.page {
		setRetryAfter(w.Header(), f)
		r.failure = f
		if r.console {
			consoles{g}.fail(w, r, f)
		} else {
			pages{g}.fail(w, r, f)
		}
		return
	}
	answer := answerOf[f.Kind]
	body := api.ErrorBody{Error: api.Error{Code: answer.code, Message: f.Message, Field: f.Field}}
	if len(f.Issues) > 0 || f.Reason != "" || f.ErrorCode != "" || f.ESAID != 0 || f.ActiveReferences != nil {
		details := &api.ErrorDetails{
			Reason: string(f.Reason), ErrorCode: f.ErrorCode, SourceID: f.SourceID, ActiveReferences: f.ActiveReferences,
		}
		if f.ESAID != 0 {
			details.ESAID = strconv.FormatInt(f.ESAID, 10)
		}
		for _, i := range f.Issues {
			details.Issues = append(details.Issues, api.ErrorIssue{Path: i.Path, Message: i.Message})
		}
		body.Error.Details = details
	}
	if f.Kind == fault.Unauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="esagate"`)
	}
	setRetryAfter(w.Header(), f)
	r.failure = f
	writeUncached(w, r, answer.status, jsonType, api.Encode(body))
}

// setRetryAfter says when to try again, where that can help.
func setRetryAfter(h http.Header, f *fault.Error) {
	if f.Kind == fault.Unavailable || f.Kind == fault.RateLimited || f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(retryAfter(f.RetryAfter)))
	}
}

// retryAfter is whole seconds, at least 1.
func retryAfter(d time.Duration) int {
	d = min(max(d, time.Second), maxRetryAfter)
	return int((d + time.Second - 1) / time.Second)
}
