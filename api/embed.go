package api

import _ "embed"

// OpenAPI is the published contract, as served at /openapi.yaml.
//
//go:embed openapi.yaml
var OpenAPI []byte
