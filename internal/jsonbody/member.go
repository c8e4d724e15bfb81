package jsonbody

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is a text of a body: whether it was given at all, what it holds, and what is
// wrong with it, "" if nothing. A member with a problem has no value. Path is dotted;
// its last part is the member's name.
type Member struct {
	Path    string
	Given   bool
	Value   string
	Problem string
}

// Rule says what is wrong with a text, "" if nothing.
type Rule func(path, value string) string

func (o Object) raw(path string) (jsontext.Value, bool) {
	raw, ok := o.members[path[strings.LastIndexByte(path, '.')+1:]]
	return raw, ok
}

// Text reads a text by its rules; the first that is broken counts.
func (o Object) Text(path string, rules ...Rule) Member {
	raw, given := o.raw(path)
	m := Member{Path: path, Given: given}
	if !given {
		return m
	}
	unquoted, err := jsontext.AppendUnquote(nil, raw)
	value := string(unquoted)
	switch {
	case raw.Kind() == 'n':
		m.Problem = path + " can't be null."
	case err != nil: // the body is sound, so this is no string
		m.Problem = path + " must be a string."
	case strings.IndexByte(value, 0) >= 0: // no store keeps it
		m.Problem = path + " can't contain the character U+0000."
	}
	for i := 0; i < len(rules) && m.Problem == ""; i++ {
		m.Problem = rules[i](path, value)
	}
	if m.Problem == "" {
		m.Value = value
	}
	return m
}

// Length wants least to most code points.
func Length(least, most int) Rule {
	return func(path, value string) string {
		switch {
		case least > 0 && value == "":
			return path + " can't be empty."
		case len(value) > most && utf8.RuneCountInString(value) > most:
			return path + " is longer than " + strconv.Itoa(most) + " characters."
		}
		return ""
	}
}

// OneOf wants one of some words, as they are spelt.
func OneOf(words ...string) Rule {
	last := len(words) - 1
	list := words[last]
	if last > 0 {
		list = strings.Join(words[:last], ", ") + " or " + list
	}
	return func(path, value string) string {
		if !slices.Contains(words, value) {
			return path + " must be " + list + "."
		}
		return ""
	}
}

// MaxInteger is the largest integer that every JSON reader keeps exactly.
const MaxInteger = 1<<53 - 1

// Positive reads an integer from 1 to [MaxInteger], nil if there is none, or none
// that can be taken.
func (o Object) Positive(l *Issues, path string) *int64 {
	raw, ok := o.raw(path)
	if !ok {
		return nil
	}
	switch raw.Kind() {
	case 'n':
		l.Add(path, path+" can't be null.")
		return nil
	case '0':
	default:
		l.Add(path, path+" must be an integer.")
		return nil
	}
	// 5.0 is an integer like 5. An exponent is not looked at: no writer needs one for
	// what is in range.
	whole, fraction, _ := strings.Cut(string(raw), ".")
	if strings.Trim(whole, "-0123456789") != "" || strings.Trim(fraction, "0") != "" {
		l.Add(path, path+" must be an integer.")
		return nil
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 1 || n > MaxInteger {
		l.Add(path, path+" must be from 1 to "+strconv.Itoa(MaxInteger)+".")
		return nil
	}
	return &n
}
