package wire

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"
)

// maxSettings bounds Settings.Raw, in bytes.
const maxSettings = 64 << 10

// DecodeSettings reads `GET T/adapters/{type}/config`. As it will be written back,
// it must be an object of at most 64 KiB that every reader takes alike: UTF-8, and no
// name twice in one object. The error is always an [*InvalidError].
func DecodeSettings(body []byte) (*Settings, error) {
	if err := checkSettings(body); err != nil {
		return nil, err
	}
	return &Settings{Raw: bytes.Clone(body)}, nil
}

// ValidSettings reports whether raw may be written to `T/adapters/{type}/config`: what
// [DecodeSettings] takes.
func ValidSettings(raw []byte) bool { return checkSettings(raw) == nil }

func checkSettings(raw []byte) error {
	if len(raw) > maxSettings {
		return &InvalidError{"it is too large"}
	}
	// The reader is more lenient than this, and tells better what is wrong.
	if err := object(raw, func(r *reader, _ []byte) { r.skip() }); err != nil {
		return err
	}
	if !jsontext.Value(raw).IsValid() {
		return &InvalidError{"it is ambiguous: not UTF-8, or a name is there twice"}
	}
	return nil
}

// Format implements fmt.Formatter: Raw is shown to nobody.
func (Settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[settings]") }

// LogValue implements slog.LogValuer.
func (Settings) LogValue() slog.Value { return slog.StringValue("[settings]") }

// Integer reads a JSON number that is a whole one within ±2^53, however it is written: 3, 3.0, 1e3.
func Integer(number []byte) (int64, bool) { return parseInteger(number) }
