package telemetry

import (
	"strings"

	"esagate/internal/redact"
)

// Bounds of a stack trace in a log line.
const (
	stackLimit = 80  // lines
	lineLimit  = 512 // bytes of one
)

// stackLines keeps those lines of a Go stack trace that hold places in code.
// What a panic was given stands in other lines, and they are left out.
func stackLines(s string) string {
	var b strings.Builder
	lines := 0
	for line := range strings.SplitSeq(s, "\n") {
		if lines == stackLimit {
			break
		}
		if len(line) > lineLimit || !isPlaceLine(line) && !isCallLine(line) {
			continue
		}
		if lines++; lines > 1 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}

// isPlaceLine matches "\t/path/file.go:12 +0x1f".
func isPlaceLine(s string) bool {
	s, tab := strings.CutPrefix(s, "\t")
	file, place, found := strings.Cut(s, ".go:")
	if !tab || !found {
		return false
	}
	for element := range strings.SplitSeq(file, "/") {
		// A folder of the module cache is name@version.
		if name, v, module := strings.Cut(element, "@"); module && isVersion(v) {
			element = name
		}
		if redact.Secretlike(element) {
			return false
		}
	}
	number, offset, _ := strings.Cut(place, " +0x")
	return number != "" && onlyOf(number, digits) && onlyOf(offset, digits+"abcdef")
}

// isCallLine matches "pkg/path.(*Type).Func(0xc000012345, {0x1, ...})",
// "created by pkg.Func in goroutine 7" and "goroutine 7 [running]:". The
// arguments of a call are addresses and sizes, never contents.
func isCallLine(s string) bool {
	if rest, ok := strings.CutPrefix(s, "goroutine "); ok {
		number, state, _ := strings.Cut(rest, " [")
		return onlyOf(number, digits) && onlyOf(state, lower+digits+" ,()]:") && !redact.Secretlike(state)
	}
	if rest, ok := strings.CutPrefix(s, "created by "); ok {
		by, number, _ := strings.Cut(rest, " in goroutine ")
		return isFunction(by) && onlyOf(number, digits)
	}
	open := strings.LastIndexByte(s, '(')
	return open > 0 && strings.HasSuffix(s, ")") && isFunction(s[:open]) &&
		onlyOf(s[open+1:len(s)-1], digits+"abcdefx, {}.?_")
}

// isFunction matches a qualified function name as the runtime prints it.
func isFunction(s string) bool {
	if !strings.Contains(s, ".") || !onlyOf(s, lower+upper+digits+".(*)[]-_/") {
		return false
	}
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '.' || r == '/' }) {
		if redact.Secretlike(part) {
			return false
		}
	}
	return true
}
