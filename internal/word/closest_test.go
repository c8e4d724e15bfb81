package word_test

import (
	"strings"
	"testing"

	"esagate/internal/word"
)

func TestClosest(t *testing.T) {
	names := []string{"address", "admin_address", "public_url", "ttl", "Config"}
	for typed, want := range map[string]string{
		"adress": "address", "adderss": "address", "addressx": "address", "public-url": "public_url", "PUBLIC_URL": "public_url",
		"config": "Config", "ttll": "ttl", // short names have short mistakes
		"address": "", "colour": "", "tt": "", "": "", strings.Repeat("a", 300): "",
	} {
		if got := word.Closest(typed, names); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
}
