package shape

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
	"esagate/internal/jsonbody"
	"esagate/internal/word"
)

// MaxIssues bounds how much is said of one body.
const MaxIssues = 100

// Numbers that the sales agent keeps as decimals have at most so many digits before and after the point.
const (
	wholeDigits    = 14
	fractionDigits = 6
)

// Request checks a caller's body by the shape, and gives it in the names of the sales agent. All that is wrong with it
// is in issues, by the caller's names ("keys.0.name"), but for what comes after a hundred of them; then there is nothing
// to send. The error is a BadRequest, of a body that is no sound JSON object.
func (s *Shape) Request(body []byte) (sent []byte, issues []fault.Issue, err error) {
	if err := jsonbody.Sound(body, jsonbody.Bounds{Depth: maxDepth}); err != nil {
		return nil, nil, err
	}
	r := &reading{}
	if r.read(s, body); len(r.issues) > 0 {
		return nil, r.issues, nil
	}
	return r.out, nil, nil
}

// Draft writes to w the body that makes the sales agent's document again: those of its members that the shape declares
// and that are not null, in the names of the contract. What Request would not take is ErrMalformed; other errors are
// body's or w's.
func (s *Shape) Draft(w io.Writer, body io.Reader) error {
	document, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if jsonbody.Sound(document, jsonbody.Bounds{Depth: maxDepth}) != nil {
		return ErrMalformed
	}
	r := &reading{draft: true}
	if r.read(s, document); len(r.issues) > 0 {
		return ErrMalformed
	}
	_, err = w.Write(r.out)
	return err
}

// reading checks a document that is known to be sound: its decoder has no errors.
type reading struct {
	writer
	dec    jsontext.Decoder
	issues jsonbody.Issues
	draft  bool // the document is the sales agent's, and wanted in the names of the contract
}

func (r *reading) read(s *Shape, document []byte) {
	r.dec.Reset(bytes.NewBuffer(document))
	r.value(s)
}

// wrong says what is wrong with the value that was read last, or with a member of it.
func (r *reading) wrong(problem string, member ...string) {
	if len(r.issues) == MaxIssues {
		return
	}
	path := strings.Join(append(slices.Collect(r.dec.StackPointer().Tokens()), member...), ".")
	if problem == nameless {
		r.issues.Add(cmp.Or(path, "body"), problem)
		return
	}
	r.issues.Add(path, path+problem)
}

// nameless is said of members whose names are no plain words: a secret may have slipped there.
const nameless = "There is a field that is not known."

// value reads the next value.
func (r *reading) value(s *Shape) {
	switch kind := r.dec.PeekKind(); {
	case kind == 'n' && s.kind != anything:
		if _ = r.dec.SkipValue(); !s.nullable {
			r.wrong(" can't be null.")
		}
		r.out = append(r.out, "null"...)
	case s.kind == object && kind == '{':
		r.object(s)
	case s.kind == list && kind == '[':
		r.list(s)
	default:
		raw, _ := r.dec.ReadValue()
		if problem := r.leaf(s, raw); problem != "" {
			r.wrong(problem)
		}
	}
}

// leaf writes a value that is no object and no list of declared ones, and says what is wrong with it.
func (r *reading) leaf(s *Shape, raw jsontext.Value) string {
	switch {
	case hasNUL(raw):
		return " can't contain the character U+0000."
	case s.orNumber && raw.Kind() == '0':
		if !fits(raw) {
			return " must have at most " + strconv.Itoa(wholeDigits) + " digits before and " + strconv.Itoa(fractionDigits) + " after the point."
		}
		r.copy(raw)
		return ""
	case s.rules != nil && raw.Kind() == '"':
		if problem := s.broken(string(r.unquote(raw))); problem != "" {
			return problem
		}
	}
	if !r.scalar(s, raw) {
		return s.wrong
	}
	return ""
}

func (r *reading) object(s *Shape) {
	names := s.callers
	if r.draft {
		names = s.upstream
	}
	var seen uint64
	unnamed := false
	r.out = append(r.out, '{')
	begin := len(r.out)
	for _, _ = r.dec.ReadToken(); r.dec.PeekKind() == '"'; {
		raw, _ := r.dec.ReadValue()
		name := string(r.unquote(raw))
		i, known := names[name]
		if !known {
			switch {
			case r.draft:
			case word.Name.Is(name):
				r.wrong(" is not a field of the contract.")
			default:
				unnamed = true
			}
			_ = r.dec.SkipValue()
			continue
		}
		m, before := &s.members[i], len(r.out)
		if r.draft && r.dec.PeekKind() == 'n' {
			_ = r.dec.SkipValue()
			continue
		}
		seen |= 1 << i
		if len(r.out) > begin {
			r.out = append(r.out, ',')
		}
		key := m.upstream
		if r.draft {
			key = m.name
		}
		r.out = append(append(append(r.out, '"'), key...), `":`...)
		if r.value(m.shape); m.unsent {
			r.out = r.out[:before]
		}
	}
	_, _ = r.dec.ReadToken()
	r.out = append(r.out, '}')
	for i := range s.members {
		if m := &s.members[i]; m.required && seen&(1<<i) == 0 {
			r.wrong(" is required.", m.name)
		}
	}
	if unnamed {
		r.wrong(nameless)
	}
}

func (r *reading) list(s *Shape) {
	count := int64(0)
	r.out = append(r.out, '[')
	for _, _ = r.dec.ReadToken(); r.dec.PeekKind() != ']'; count++ {
		if count > 0 {
			r.out = append(r.out, ',')
		}
		r.value(s.items)
	}
	_, _ = r.dec.ReadToken()
	r.out = append(r.out, ']')
	switch {
	case count < s.least && count == 0:
		r.wrong(" can't be empty.")
	case count < s.least:
		r.wrong(" can't have less than " + strconv.FormatInt(s.least, 10) + " entries.")
	case count > s.most && s.most == 0:
		r.wrong(" must be empty.")
	case count > s.most:
		r.wrong(" can't have more than " + strconv.FormatInt(s.most, 10) + " entries.")
	}
}

// hasNUL reports whether a text or a name in a JSON value has the character U+0000, which no store of the sales agent
// keeps.
func hasNUL(raw []byte) bool {
	const zero = `\u0000`
	for {
		at := bytes.Index(raw, []byte(zero))
		if at < 0 {
			return false
		}
		before := raw[:at]
		if slashes := len(before) - len(bytes.TrimRight(before, `\`)); slashes%2 == 0 {
			return true
		}
		raw = raw[at+len(zero):]
	}
}

// fits reports whether a JSON number has no more digits than the sales agent keeps, however it is written.
func fits(number []byte) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(number)), "e")
	shift, _ := strconv.ParseInt(strings.TrimPrefix(exponent, "+"), 10, 16) // of what is beyond, the last one
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	point := len(digits) - len(fraction) + int(shift) // where the point stands among the digits
	digits = strings.TrimRight(digits, "0")
	return digits == "" || point <= wholeDigits && len(digits)-point <= fractionDigits
}
