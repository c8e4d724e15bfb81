package config

import (
	"fmt"
	"io"
)

// hidden stands for a Secret wherever one is printed.
const hidden = "[secret]"

// Secret is a value that no log, dump or error may show: fmt, slog and every
// encoder see "[secret]". Only Reveal gives it.
type Secret struct{ value string }

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal gives the value, for the one place that needs it.
func (s Secret) Reveal() string { return s.value }

// Format implements fmt.Formatter: it covers every verb, %#v and %x too, which
// String alone would not.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, hidden) }

// MarshalText implements encoding.TextMarshaler, for JSON and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
