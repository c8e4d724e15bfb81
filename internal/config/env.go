package config

import (
	"reflect"
	"strings"
)

// otlpVariable is OpenTelemetry's own name for the collector: the default of otlpPath.
const (
	otlpVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otlpPath     = "telemetry.otlp_endpoint"
)

// readEnviron reads NAME=value pairs; of a repeated name the last wins, as in os/exec.
func readEnviron(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			env[name] = value
		}
	}
	return env
}

// environmentName gives the name that sets a path: upstream.breaker.open_for is
// ESAGATE_UPSTREAM_BREAKER_OPEN_FOR.
func environmentName(path string) string {
	return "ESAGATE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// settable reports whether a variable can set values of a type: single ones, and lists of texts.
func settable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return !isSection(t) && t.Kind() != reflect.Map && (t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.String)
}

// variable gives what the environment sets at a path, or else what the file says there. A
// variable that is there counts, an empty one too.
func (l *loader) variable(t reflect.Type, path string, value any, given bool) (any, bool) {
	if !settable(t) {
		return value, given
	}
	name := environmentName(path)
	text, set := l.env[name]
	if !set && path == otlpPath && l.env[otlpVariable] != "" && !given {
		name, text, set = otlpVariable, l.env[otlpVariable], true
	}
	if !set {
		return value, given
	}
	l.origins[path] = name
	if t.Kind() != reflect.Slice {
		return scalar{text: text, literal: true}, true
	}
	list := []any{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, scalar{text: part, literal: true})
		}
	}
	return list, true
}

// anyVariable reports whether the environment sets a key of a section.
func (l *loader) anyVariable(t reflect.Type, path string) bool {
	for _, f := range fields(t) {
		if _, set := l.env[environmentName(child(path, f.key))]; set {
			return true
		}
	}
	return false
}
