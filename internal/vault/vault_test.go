package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"esagate/internal/vault"
)

const (
	// rawKey is the bytes 0xf8 to 0x17 counted upwards: both alphabets differ in it.
	rawKey = "+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc="
	rowA   = "credential/8/31"
)

func open(t *testing.T, key string) *vault.Vault {
	t.Helper()
	v, err := vault.New(key)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return v
}

func seal(t *testing.T, v *vault.Vault, plain, identity string) []byte {
	t.Helper()
	sealed, err := v.Seal([]byte(plain), []byte(identity))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return sealed
}

func TestWhatIsSealedOpensAgain(t *testing.T) {
	for _, key := range []string{rawKey, vault.Generate()} {
		for _, plain := range []string{"", "a token", strings.Repeat("long ", 50_000)} {
			v := open(t, key)
			sealed := seal(t, v, plain, rowA)
			if plain != "" && bytes.Contains(sealed, []byte(plain)) {
				t.Error("the plain text stands in what was sealed")
			}
			next := open(t, key) // as after a restart
			got, err := next.Open(sealed, []byte(rowA))
			if err != nil || string(got) != plain || !next.Current(sealed) {
				t.Errorf("%d bytes: got %d bytes, %v", len(plain), len(got), err)
			}
			if v.Current(sealed[:4]) || open(t, vault.Generate()).Current(sealed) {
				t.Error("it is current by something else than its whole key id")
			}
			if other, err := v.Seal([]byte(plain), nil); err == nil {
				t.Errorf("sealed %d bytes that any row could open", len(other))
			}
			if bytes.Equal(sealed, seal(t, v, plain, rowA)) {
				t.Error("the same text sealed twice is the same: nonces repeat")
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	v := open(t, rawKey)
	sealed := seal(t, v, "a token", rowA)
	flipped := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		sealed   []byte
		identity string
	}{
		"moved to another row":   {sealed, "credential/8/32"},
		"an identity cut short":  {sealed, rowA[:len(rowA)-1]},
		"no identity":            {sealed, ""},
		"nothing":                {nil, rowA},
		"one byte":               {sealed[:1], rowA},
		"the prefix alone":       {sealed[:5], rowA},
		"the prefix and a nonce": {sealed[:29], rowA},
		"the last byte missing":  {sealed[:len(sealed)-1], rowA},
		"a byte too many":        {append(bytes.Clone(sealed), 0), rowA},
		"another version byte":   {flipped(0), rowA},
		"another key id":         {flipped(4), rowA},
		"another nonce":          {flipped(10), rowA},
		"another ciphertext":     {flipped(len(sealed) - 20), rowA},
		"another tag":            {flipped(len(sealed) - 1), rowA},
		"plain text":             {[]byte("a token that was never sealed, and is long enough for a nonce and a tag"), rowA},
		"another key's":          {seal(t, open(t, vault.Generate()), "a token", rowA), rowA},
	} {
		got, err := v.Open(c.sealed, []byte(c.identity))
		if !errors.Is(err, vault.ErrOpen) || err.Error() != vault.ErrOpen.Error() || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestAVaultServesManyAtOnce(t *testing.T) {
	v := open(t, rawKey)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			identity := []byte(fmt.Sprint("row/", i))
			for range 50 {
				sealed, sealErr := v.Seal(identity, identity)
				got, openErr := v.Open(sealed, identity)
				_, err := v.Rotated(vault.Rotate)
				if err := errors.Join(sealErr, openErr, err); err != nil || !bytes.Equal(got, identity) || !v.Current(sealed) {
					t.Errorf("%q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestNoPrinterShowsAKey looks for the key in every spelling that a printer has for
// bytes.
func TestNoPrinterShowsAKey(t *testing.T) {
	raw := []byte("CANARY-key-material-of-32-bytes!")
	v := open(t, base64.StdEncoding.EncodeToString(raw))
	rotated, err := v.Rotated(vault.Rotate)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Exported *vault.Vault
		hidden   *vault.Vault
		value    vault.Vault
	}
	for _, v := range []*vault.Vault{v, open(t, string(rotated))} {
		var out bytes.Buffer
		held := holder{v, v, *v}
		for _, shown := range []any{v, *v, held, &held, []any{held}, map[string]any{"v": held}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T"} {
				fmt.Fprintf(&out, verb+"\n", shown)
			}
			for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
				slog.New(h).Info("m", "v", shown)
			}
			b, _ := json.Marshal(shown)
			out.Write(b)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb+verb, v, *v); got != "[secret][secret]" {
				t.Errorf("%s: %s", verb, got)
			}
		}
		expectNoKey(t, out.String(), raw)
	}
}

func expectNoKey(t *testing.T, text string, raw []byte) {
	t.Helper()
	spellings := []string{
		"CANARY", fmt.Sprintf("%x", raw[:6]), fmt.Sprintf("%X", raw[:6]),
		strings.Trim(fmt.Sprint(raw[:6]), "[]"), "0x43, 0x41, 0x4e",
		base64.StdEncoding.EncodeToString(raw[:6]),
	}
	for _, s := range spellings {
		if strings.Contains(text, s) {
			t.Errorf("%q shows the key: %.300s", s, text)
		}
	}
}
