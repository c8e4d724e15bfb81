package apitest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// Validate holds an answer against the contract and fails the test, with the
// reason, where it does not fit: a status, content type or property that the
// contract does not name, a required header or property that is missing, a value
// of another type or form, JSON with duplicate names or bytes behind it. The body
// may be compressed with gzip if the header says so. A request that is none of
// the contract's operations must be answered with a failure of the contract.
//
// Documents must be in their plain form; see [ValidateEnveloped].
// A CORS preflight is not part of the contract: it must be a 204 without a body.
func Validate(t testing.TB, req *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	report(t, req, status, check(req, status, header, body, plain()))
}

// ValidateEnveloped is Validate for a gateway run with `server.envelope: true`:
// documents must be enveloped.
func ValidateEnveloped(t testing.TB, req *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	report(t, req, status, check(req, status, header, body, enveloped()))
}

func report(t testing.TB, req *http.Request, status int, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s %s: the answer %d is not the contract's: %v", req.Method, req.URL, status, err)
	}
}

func check(req *http.Request, status int, header http.Header, body []byte, c *contract) error {
	if preflight(req) {
		if status != http.StatusNoContent || len(body) > 0 {
			return errors.New("a preflight is answered with 204 and no body")
		}
		return nil
	}
	route := c.route(req)
	response := route.Operation.Responses.Status(status)
	if response == nil {
		return fmt.Errorf("operation %s has no such status", route.Operation.OperationID)
	}
	if req.Method == http.MethodHead || status == http.StatusNotModified || status == http.StatusNoContent {
		return checkWithoutBody(route, req, status, header, body)
	}
	text, err := decompress(header, body)
	if err != nil {
		return err
	}
	if isJSON(header) && !jsontext.Value(text).IsValid() {
		return errors.New("the body is not one JSON value in UTF-8 without duplicate names")
	}
	if err := checkResponse(route, req, status, header, text, false); err != nil || status < 400 || !isJSON(header) {
		return err
	}
	return checkFailure(status, text)
}

// codes are those of each status (contract 7.2). The schemas do not say so: generators of types make nothing of
// use of a schema that narrows another.
var codes = map[int]string{
	400: "VALIDATION_ERROR BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED",
	409: "CONFLICT", 412: "PRECONDITION_FAILED", 413: "BAD_REQUEST", 415: "BAD_REQUEST", 429: "RATE_LIMITED", 431: "BAD_REQUEST",
	500: "INTERNAL_ERROR", 503: "SERVICE_UNAVAILABLE",
}

// reasons are those of each status (contract 7.2).
var reasons = map[int]string{
	400: "AD_SERVER_NOT_SUPPORTED",
	404: "TENANT_NOT_FOUND SOURCE_DEACTIVATED MAPPING_NOT_FOUND MEDIA_BUY_NOT_FOUND PRODUCT_NOT_FOUND SIGNAL_NOT_FOUND",
	409: "NOT_PROVISIONED SOURCE_DEACTIVATED NOT_SUPPORTED MAPPING_EXISTS PRODUCT_EXISTS PRODUCT_ID_TAKEN SIGNAL_EXISTS SIGNAL_IN_USE",
	503: "UPSTREAM_UNREACHABLE UPSTREAM_TIMEOUT UPSTREAM_ERROR UPSTREAM_INVALID_RESPONSE UPSTREAM_UNAUTHORIZED CIRCUIT_OPEN AGENT_UNAUTHORIZED",
}

// checkFailure holds a failure's code and details against its status.
func checkFailure(status int, text []byte) error {
	var body api.ErrorBody
	if err := json.Unmarshal(text, &body); err != nil || body.Error.Code == "" { // a readiness, say
		return err
	}
	code, details := body.Error.Code, cmp.Or(body.Error.Details, &api.ErrorDetails{})
	switch {
	case !slices.Contains(strings.Fields(codes[status]), code):
		return fmt.Errorf("the code %s is none of this status", code)
	case code == "VALIDATION_ERROR" && len(details.Issues) == 0:
		return errors.New("it has no issues")
	case details.Reason != "" && !slices.Contains(strings.Fields(reasons[status]), details.Reason):
		return fmt.Errorf("the reason %s is none of this status", details.Reason)
	}
	return nil
}

func preflight(req *http.Request) bool {
	return req.Method == http.MethodOptions && req.Header.Get("Origin") != "" &&
		req.Header.Get("Access-Control-Request-Method") != ""
}

// checkWithoutBody holds status, headers and content type against the contract,
// and wants no body.
func checkWithoutBody(route *routers.Route, req *http.Request, status int, header http.Header, body []byte) error {
	if len(body) > 0 {
		return fmt.Errorf("there are %d bytes of body", len(body))
	}
	content := route.Operation.Responses.Status(status).Value.Content
	if len(content) > 0 && content.Get(header.Get("Content-Type")) == nil {
		return fmt.Errorf("content type %q is not one of the operation's", header.Get("Content-Type"))
	}
	return checkResponse(route, req, status, header, nil, true)
}

// checkResponse asks the library. It looks at neither HEAD nor 304, not even at
// their headers, so both go to it under another name.
func checkResponse(route *routers.Route, req *http.Request, status int, header http.Header, body []byte, headersOnly bool) error {
	asGet := *req // it reads no more than the method and the URL
	if req.Method == http.MethodHead {
		asGet.Method = http.MethodGet
	}
	if status == http.StatusNotModified {
		const unused = 299
		operation := *route.Operation
		operation.Responses = openapi3.NewResponses(openapi3.WithStatus(unused, route.Operation.Responses.Status(status)))
		renamed := *route
		renamed.Operation = &operation
		route, status = &renamed, unused
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: &asGet, Route: route},
		Status:                 status,
		Header:                 header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus:   true,
			ExcludeResponseBody:     headersOnly,
			MultiError:              true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails()},
		},
	}
	input.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(context.Background(), input)
}

func isJSON(header http.Header) bool {
	mime, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.TrimSpace(mime) == "application/json"
}

// decompress undoes the content coding that the header names, and holds the
// length that the header names against the body.
func decompress(header http.Header, body []byte) ([]byte, error) {
	if length := header.Get("Content-Length"); length != "" && length != strconv.Itoa(len(body)) {
		return nil, fmt.Errorf("Content-Length is %s, the body has %d bytes", length, len(body))
	}
	switch coding := header.Get("Content-Encoding"); coding {
	case "":
		return body, nil
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("the body is not gzip: %w", err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("the body is not gzip to its end: %w", err)
		}
		return plain, nil
	default:
		return nil, fmt.Errorf("content coding %q is not one of the contract's", coding)
	}
}
