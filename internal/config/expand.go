package config

import (
	"regexp"
	"strings"
)

// reference is a reference, or what must not be taken for one: behind another $, or without a name.
var reference = regexp.MustCompile(`\$?\$\{(?:[A-Za-z_][A-Za-z0-9_]*\})?`)

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
