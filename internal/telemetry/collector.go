package telemetry

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"esagate/internal/redact"
)

// collector is the transport to an OTLP collector. It remembers the status of the last answer, which the exporter's
// errors have only in one text with the collector's own words.
type collector struct {
	*http.Transport
	host   string
	status atomic.Int64 // of the last answer; 0: none came
}

// RoundTrip implements http.RoundTripper.
func (c *collector) RoundTrip(r *http.Request) (*http.Response, error) {
	c.status.Store(0)
	answer, err := c.Transport.RoundTrip(r)
	if err == nil {
		c.status.Store(int64(answer.StatusCode))
	}
	return answer, err
}

// exportError says that an export failed, without the collector's words.
type exportError struct {
	host   string
	status int   // 0: no answer
	cause  error // the exporter's; not shown
}

// failed wraps the error of an export; nil for nil.
func (c *collector) failed(err error) error {
	if err == nil {
		return nil
	}
	return &exportError{host: c.host, status: int(c.status.Load()), cause: err}
}

// Error implements error.
func (e *exportError) Error() string {
	text := "the collector at " + e.host
	switch {
	case e.status/100 == 2:
		return text + " did not take all of it (" + strconv.Itoa(e.status) + ")"
	case e.status != 0:
		return text + " answered " + strconv.Itoa(e.status)
	}
	for _, cause := range connectionCauses(e.cause) {
		if shown, ok := redact.Text(cause.Error()); ok {
			return text + " gave no answer: " + shown
		}
	}
	return text + " gave no answer"
}

// Unwrap gives the exporter's error.
func (e *exportError) Unwrap() error { return e.cause }
