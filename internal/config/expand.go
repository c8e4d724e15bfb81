package config

import (
	"regexp"
	"strings"
)

var (
	reference    = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// guard hides references from the YAML parser. In a flow mapping the brace of
// `{key: ${NAME}}` would end the value: a plain scalar can't hold one. Each
// reference's braces become two characters that the text holds nowhere else.
type guard struct{ left, right string }

func newGuard(text string) guard {
	var free []string
	for r := '\uE000'; r <= '\uF8FF' && len(free) < 2; r++ { // private use: legal in YAML, no syntax
		if !strings.ContainsRune(text, r) {
			free = append(free, string(r))
		}
	}
	if len(free) < 2 {
		return guard{}
	}
	return guard{free[0], free[1]}
}

func (g guard) hide(text string) string {
	if g.left == "" {
		return text
	}
	return reference.ReplaceAllString(text, "$$"+g.left+"${1}"+g.right)
}

func (g guard) show(text string) string {
	if g.left == "" {
		return text
	}
	return strings.NewReplacer(g.left, "{", g.right, "}").Replace(text)
}

// expand replaces each ${NAME} by the variable's value, and $${ by a literal ${.
// What a variable holds is data: it is not looked through again. referred tells
// whether there was any reference; problems are what could not be replaced.
func expand(text string, env map[string]string) (out string, referred bool, problems []string) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), referred, problems
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(escaped + "${")
			text = after
			continue
		}
		b.WriteString(before)
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !variableName.MatchString(name) {
			return "", referred, append(problems, "holds a ${ that begins no reference; write ${NAME}, or $${ for a literal ${")
		}
		referred = true
		value, set := env[name]
		if !set {
			problems = append(problems, "the environment variable "+shownVariable(name)+" is not set")
		}
		b.WriteString(value)
		text = rest
	}
}

// shownVariable is shown for names of variables. Upper case alone is a name,
// however long; anything else has to be a plain word.
func shownVariable(name string) string {
	if name == strings.ToUpper(name) && len(name) <= 64 {
		return name
	}
	return shown(name)
}
