package shape_test

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"esagate/internal/fault"
	"esagate/transform/shape"
	"esagate/transform/shape/shapetest"
)

// FuzzAnswer holds that any bytes are an answer of the contract's, the same however they come, or an error.
func FuzzAnswer(f *testing.F) {
	for i, p := range answers() {
		document := rapid.Custom(func(t *rapid.T) []byte { return shapetest.Upstream(t, p.schema) }).Example(i)
		f.Add(byte(i), byte(i%7), document)
	}
	f.Fuzz(func(t *testing.T, which, size byte, document []byte) {
		i := int(which) % len(answers())
		p, given := answers()[i], composed()[i]
		var out, pieces bytes.Buffer
		_, err := shape.Of(p.schema).Answer(&out, bytes.NewReader(document), given...)
		_, again := shape.Of(p.schema).Answer(&pieces, small{bytes.NewReader(document), int(size) + 1}, given...)
		if err != again || err == nil && !bytes.Equal(out.Bytes(), pieces.Bytes()) {
			t.Fatalf("%v, and in pieces %v\n%s\n%s", err, again, out.Bytes(), pieces.Bytes())
		}
		if err != nil {
			if err != shape.ErrMalformed {
				t.Fatal(err)
			}
			return
		}
		if err := p.valid(out.Bytes()); err != nil {
			t.Fatalf("%s: %v", out.Bytes(), err)
		}
	})
}

// composed gives some members that the gateway composes, for each answer.
var composed = sync.OnceValue(func() (all [][]shape.Given) {
	for i, p := range answers() {
		all = append(all, rapid.Custom(func(t *rapid.T) []shape.Given {
			rapid.Bool().Draw(t, "something") // without which there is no example
			return givens(t, p.schema)
		}).Example(i))
	}
	return all
})

// small reads no more than some bytes at once.
type small struct {
	io.Reader
	size int
}

func (s small) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(len(p), s.size)]) }

// FuzzRequest holds that any bytes are taken where the contract takes them, or refused.
func FuzzRequest(f *testing.F) {
	for i, p := range bodies() {
		f.Add(byte(i), rapid.Custom(func(t *rapid.T) []byte { return shapetest.Body(t, p.schema) }).Example(i))
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		p := bodies()[int(which)%len(bodies())]
		sent, issues, err := shape.Of(p.schema).Request(body)
		switch {
		case err != nil:
			if sent != nil || issues != nil || !fault.Is(err, fault.BadRequest) {
				t.Fatalf("%s %v %v", sent, issues, err)
			}
		case issues != nil:
			if sent != nil || !beyondSchema(issues) && !bytes.Contains(body, []byte(`\u0000`)) && p.valid(body) == nil {
				t.Fatalf("%s %v", sent, issues)
			}
		default:
			if err := p.valid(body); err != nil || !jsontext.Value(sent).IsValid() {
				t.Fatalf("%s: %v", sent, err)
			}
		}
		var draft bytes.Buffer
		if err := shape.Of(p.schema).Draft(&draft, iotest.HalfReader(bytes.NewReader(body))); err != nil && err != shape.ErrMalformed {
			t.Fatal(err)
		}
	})
}
