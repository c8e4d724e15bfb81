package config

import (
	"reflect"
	"strings"
)

// prefix begins the name of every variable that sets a key.
const prefix = "ESAGATE_"

// otlpVariable is OpenTelemetry's own name for the collector: the default of
// telemetry.otlp_endpoint.
const otlpVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"

const otlpPath = "telemetry.otlp_endpoint"

// readEnviron reads NAME=value pairs; of a repeated name the last wins, as it
// does in os/exec.
func readEnviron(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			env[name] = value
		}
	}
	return env
}

// variable gives the name that sets a path: upstream.breaker.open_for is
// ESAGATE_UPSTREAM_BREAKER_OPEN_FOR.
func variable(path string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// overrides gives what the environment sets, by path, and notes which variable
// it was. A variable that is there counts, an empty one too. file is what the
// file says: where it has something else than a section around a key, that is
// left standing, so that its fault is still seen.
func (r *report) overrides(env map[string]string, file map[string]any) map[string]any {
	layer := map[string]any{}
	for _, key := range schema() {
		if key.env == "" {
			continue
		}
		name := key.env
		text, set := env[name]
		if !set && key.path == otlpPath && env[otlpVariable] != "" && !holds(file, key.path) {
			name, text, set = otlpVariable, env[otlpVariable], true
		}
		if !set || !roomFor(file, key.path) {
			continue
		}
		r.origins[key.path] = name
		if key.kind == reflect.TypeFor[[]string]() {
			layer[key.path] = commaList(text)
		} else {
			layer[key.path] = scalar{Text: text, Literal: true}
		}
	}
	return layer
}

func commaList(text string) []any {
	list := []any{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, scalar{Text: part, Literal: true})
		}
	}
	return list
}

// holds reports whether the file says anything at a path.
func holds(file map[string]any, path string) bool {
	section, rest, nested := strings.Cut(path, ".")
	value, found := file[section]
	if !nested || !found {
		return found
	}
	inner, isMap := value.(map[string]any)
	return isMap && holds(inner, rest)
}

// roomFor reports whether everything around a path is a mapping, or nothing.
func roomFor(file map[string]any, path string) bool {
	section, rest, nested := strings.Cut(path, ".")
	if !nested {
		return true
	}
	switch value := file[section].(type) {
	case map[string]any:
		return roomFor(value, rest)
	case scalar:
		return value.null()
	case nil:
		_, left := file[section]
		return !left
	}
	return false
}
