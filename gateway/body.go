package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"

	"esagate/internal/fault"
)

// readBody reads a request's whole body, of at most limit bytes. The request keeps the Body that the
// server gave it: behind another one the server does not see that the client waits for a 100 (Continue),
// and waits for the content of a request that was refused without reading it.
func readBody(r *request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err != nil {
		return nil, bodyFault(r, err)
	}
	return body, nil
}

// bodyFault says why a body can't be read.
func bodyFault(r *request, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case r.Context().Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded): // a slow client is still there
		return r.Context().Err()
	}
	return fault.Wrap(fault.BadRequest, "The request's body did not come in whole.", err)
}

// joinIssues gives the faults of a request's parts in one error: all issues in the
// order of the parts, or the error of a part that can't be read at all.
func joinIssues(parts ...error) error {
	var issues []fault.Issue
	for _, err := range parts {
		if err == nil {
			continue
		}
		f := fault.As(err)
		if f.Kind != fault.Validation {
			return err
		}
		issues = append(issues, f.Issues...)
	}
	if len(issues) == 0 {
		return nil
	}
	return fault.Invalid(issues...)
}
