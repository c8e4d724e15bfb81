package config

import (
	"reflect"
	"regexp"
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

// variable gives what the environment sets at a path, or else what the file says there. A variable
// counts when it is set, also to an empty text. It sets single values and lists of texts.
func (l *loader) variable(t reflect.Type, path string, value any, given bool) (any, bool) {
	isList := t.Kind() == reflect.Slice
	if isSection(t) || t.Kind() == reflect.Pointer || isList && t.Elem().Kind() != reflect.String {
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
	if !isList {
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

// reference is a reference, or what must not be taken for one: behind another $, or without a name.
var reference = regexp.MustCompile(`\$\$?\{(?:[A-Za-z_][A-Za-z0-9_]*\})?`)

// hideReferences hides references from the YAML parser. In a flow mapping the brace of
// `{key: ${NAME}}` would end the value: a plain scalar can't hold one. Each reference's braces
// become two characters that the text holds nowhere else; show undoes it.
func hideReferences(text string) (hidden string, show func(string) string) {
	first := unused(text, '\uE000') // private use: legal in YAML, no syntax
	left, right := string(first), string(unused(text, first+1))
	hide := strings.NewReplacer("{", left, "}", right)
	hidden = reference.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasSuffix(found, "}") {
			return hide.Replace(found)
		}
		return found
	})
	return hidden, strings.NewReplacer(left, "{", right, "}").Replace
}

// unused gives the first character, from one on, that is not in a text.
func unused(text string, r rune) rune {
	for strings.ContainsRune(text, r) {
		r++
	}
	return r
}

// expand replaces each ${NAME} by the variable's value, and $${ by a literal ${.
// What a variable holds is data: it is not looked through again. referred tells
// whether there was any reference; problems are what could not be replaced.
func expand(text string, env map[string]string) (out string, referred bool, problems []string) {
	if !strings.Contains(text, "${") {
		return text, false, nil
	}
	out = reference.ReplaceAllStringFunc(text, func(found string) string {
		name, named := strings.CutSuffix(strings.TrimPrefix(found, "${"), "}")
		switch {
		case strings.HasPrefix(found, "$$"):
			return found[1:]
		case !named:
			problems = append(problems, "holds a ${ that begins no reference; write ${NAME}, or $${ for a literal ${")
			return ""
		}
		referred = true
		value, set := env[name]
		if !set {
			problems = append(problems, "the environment variable "+shownVariable(name)+" is not set")
		}
		return value
	})
	return out, referred, problems
}

// shownVariable is shown for names of variables. Upper case alone is a name,
// however long; anything else has to be a plain word.
func shownVariable(name string) string {
	if name == strings.ToUpper(name) && len(name) <= 64 {
		return name
	}
	return shown(name)
}
