package api

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// encoding holds the options of Encode. A nil list is null, as the types say where there may be one. Text and
// names were judged when the documents were made: what is no UTF-8 becomes U+FFFD, and nothing is refused here.
var encoding = json.JoinOptions(
	json.FormatNilSliceAsNull(true),
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
)

// Encode gives a document of this package as JSON, by the tags of its type. HTML is left as it is: the answer
// is JSON, and says so.
func Encode(document any) []byte {
	encoded, err := json.Marshal(document, encoding)
	if err != nil { // a float that is no number: there is none, because JSON has none
		panic("api: a document can't be encoded: " + err.Error())
	}
	return encoded
}

// Decode reads what Encode has written of a document of the same type. What has other members is refused.
func Decode(encoded []byte, document any) error {
	return json.Unmarshal(encoded, document, encoding, json.RejectUnknownMembers(true))
}

// Members is a JSON object whose names are data, written in this order.
type Members[T any] []Member[T]

// Member is one entry of [Members].
type Member[T any] struct {
	Name  string
	Value T
}

// Sort puts the members in the order of their names.
func (m Members[T]) Sort() {
	slices.SortFunc(m, func(a, b Member[T]) int { return strings.Compare(a.Name, b.Name) })
}

// Index gives the index of a name, or -1.
func (m Members[T]) Index(name string) int {
	for i := range m {
		if m[i].Name == name {
			return i
		}
	}
	return -1
}

// MarshalJSONTo implements [json.MarshalerTo].
func (m Members[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for i := range m {
		if err := enc.WriteToken(jsontext.String(m[i].Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, &m[i].Value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (m *Members[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*m = nil
	begin, err := dec.ReadToken()
	if err != nil || begin.Kind() == 'n' {
		return err
	}
	if begin.Kind() != '{' {
		return errNoObject
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		one := Member[T]{Name: name.String()}
		if err := json.UnmarshalDecode(dec, &one.Value); err != nil {
			return err
		}
		*m = append(*m, one)
	}
	_, err = dec.ReadToken()
	return err
}

var errNoObject = errors.New("api: an object is wanted")
