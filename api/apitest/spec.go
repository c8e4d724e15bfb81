// Package apitest holds answers of the gateway against the published contract
// (api/openapi.yaml). It is for tests: its failure texts may name values.
package apitest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"esagate/api"
)

// Operation is one method and path of the contract; Path is a template
// ("/api/v2/storefront/esa/{esaId}").
type Operation struct {
	Method string
	Path   string
}

// Operations lists what the contract names, in no order. HEAD is not named there:
// it stands wherever GET does.
func Operations() []Operation {
	var ops []Operation
	for path, item := range plain().doc.Paths.Map() {
		for method := range item.Operations() {
			ops = append(ops, Operation{Method: method, Path: path})
		}
	}
	return ops
}

// strays names the shared answer of each status that a request outside the
// contract's operations may get: unknown paths, and unknown methods of known ones.
var strays = map[int]string{
	http.StatusBadRequest:                  "BadRequest",
	http.StatusUnauthorized:                "Unauthorized",
	http.StatusNotFound:                    "NotFound",
	http.StatusMethodNotAllowed:            "MethodNotAllowed",
	http.StatusRequestEntityTooLarge:       "TooLarge",
	http.StatusUnsupportedMediaType:        "UnsupportedMediaType",
	http.StatusTooManyRequests:             "RateLimited",
	http.StatusRequestHeaderFieldsTooLarge: "HeadersTooLarge",
	http.StatusInternalServerError:         "InternalError",
	http.StatusServiceUnavailable:          "Unavailable",
}

// contract is the published contract in one of its two forms, ready to hold
// answers against.
type contract struct {
	doc    *openapi3.T
	router routers.Router
	stray  *openapi3.Operation
}

// plain and enveloped give the two forms. They panic if the contract can't be
// read, which the tests of package api show better.
var (
	plain     = sync.OnceValue(func() *contract { return load(false) })
	enveloped = sync.OnceValue(func() *contract { return load(true) })
)

// load reads the contract as a gateway serves it.
func load(envelope bool) *contract {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec(envelope).YAML.Plain)
	if err != nil {
		panic(fmt.Sprintf("apitest: the contract can't be read: %v", err))
	}
	if err := doc.Validate(context.Background()); err != nil {
		panic(fmt.Sprintf("apitest: the contract is not valid: %v", err))
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(fmt.Sprintf("apitest: the contract's paths can't be routed: %v", err))
	}
	stray := &openapi3.Operation{OperationID: "(none)", Responses: openapi3.NewResponsesWithCapacity(len(strays))}
	for status, name := range strays {
		ref := doc.Components.Responses[name]
		if ref == nil {
			panic(fmt.Sprintf("apitest: the contract has no answer named %s", name))
		}
		stray.Responses.Set(strconv.Itoa(status), ref)
	}
	// The library knows no decoder for these types, and refuses an answer without one.
	openapi3filter.RegisterBodyDecoder("application/openmetrics-text", decodeText)
	openapi3filter.RegisterBodyDecoder("text/event-stream", decodeText)
	return &contract{doc: doc, router: router, stray: stray}
}

func decodeText(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	text, err := io.ReadAll(body)
	return string(text), err
}

// route finds the operation that a request stands for. A request that stands for
// none gets one whose answers are the contract's failures.
func (c *contract) route(req *http.Request) *routers.Route {
	asGet := *req // the router reads no more than the method and the URL
	if req.Method == http.MethodHead {
		asGet.Method = http.MethodGet
	}
	route, _, err := c.router.FindRoute(&asGet)
	if err != nil {
		return &routers.Route{Spec: c.doc, Path: "(none)", Method: req.Method, Operation: c.stray}
	}
	return route
}
