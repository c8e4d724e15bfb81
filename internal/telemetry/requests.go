package telemetry

import (
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// requestLimit bounds the combinations of route, method and status. It stays
// below the SDK's own limit, past which measurements lose all their labels.
const requestLimit = 1500

// otherMethod is what OpenTelemetry calls methods outside of HTTP's own.
const otherMethod = "_OTHER"

// Names of the request histogram's labels.
const (
	keyRoute  = attribute.Key("http.route")
	keyMethod = attribute.Key("http.request.method")
	keyStatus = attribute.Key("http.response.status_code")
)

// requestKey is what one series of the request histogram is about.
type requestKey struct {
	route, method string
	status        int
}

var otherRequest = attribute.NewSet(keyRoute.String(otherLabel), keyMethod.String(otherMethod))

func requestAttributes(k requestKey) attribute.Set {
	attrs := make([]attribute.KeyValue, 0, 3)
	if k.route != "" {
		attrs = append(attrs, keyRoute.String(k.route))
	}
	return attribute.NewSet(append(attrs, keyMethod.String(k.method), keyStatus.Int(k.status))...)
}

// Request records how long the answer to a request took. route is a pattern of
// the route table, or "" for a request that matched none; never a path that a
// client wrote. A status outside of 100 to 599 is recorded as 500, what the
// edge answers for a fault of its own.
func (in *Instruments) Request(route, method string, status int, d time.Duration) {
	if status < 100 || status > 599 {
		status = http.StatusInternalServerError
	}
	o := in.requests.get(requestKey{route, knownMethod(method), status})
	in.request.Record(background, d.Seconds(), o.record...)
}

// knownMethod is the method when it is one of HTTP's own.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return otherMethod
}
