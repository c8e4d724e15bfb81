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

// Settings are an adapter's runtime settings (`GET T/adapters/{type}/config`). Raw is the object as
// upstream gave it: it goes back there and nowhere else. Printed or logged, settings are one word.
type Settings struct{ Raw []byte }

// DecodeSettings reads `GET T/adapters/{type}/config`. As it will be written back, it must be an
// object of at most 64 KiB that every reader takes alike: UTF-8, and no name twice in one object.
// The error is always an [*InvalidError].
func DecodeSettings(body []byte) (*Settings, error) {
	if len(body) > maxSettings {
		return nil, &InvalidError{"it is too large"}
	}
	// decode is more lenient than IsValid, and its error says better what is wrong.
	if _, err := decode[struct{}](body); err != nil {
		return nil, err
	}
	if !jsontext.Value(body).IsValid() {
		return nil, &InvalidError{"it is ambiguous: not UTF-8, or a name is there twice"}
	}
	return &Settings{Raw: bytes.Clone(body)}, nil
}

// ValidSettings reports whether raw may be written to `T/adapters/{type}/config`: what
// [DecodeSettings] takes.
func ValidSettings(raw []byte) bool {
	_, err := DecodeSettings(raw)
	return err == nil
}

// Format implements fmt.Formatter: Raw is never shown.
func (Settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[settings]") }

// LogValue implements slog.LogValuer.
func (Settings) LogValue() slog.Value { return slog.StringValue("[settings]") }
