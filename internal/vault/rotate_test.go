package vault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"esagate/internal/vault"

	"github.com/tink-crypto/tink-go/v2/aead"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// stepped gives the vault that a step leads to.
func stepped(t *testing.T, v *vault.Vault, step vault.Step) *vault.Vault {
	t.Helper()
	text, err := v.Rotated(step)
	if err != nil {
		t.Fatalf("step %d: %v", step, err)
	}
	if !json.Valid(text) || bytes.ContainsAny(text, "\n \t") {
		t.Errorf("step %d: the keyset is not compact JSON on one line", step)
	}
	return open(t, string(text))
}

func expectOpens(t *testing.T, v *vault.Vault, sealed []byte, want, current bool) {
	t.Helper()
	got, err := v.Open(sealed, []byte(rowA))
	if opened := err == nil && string(got) == "a token"; opened != want || err != nil && !errors.Is(err, vault.ErrOpen) {
		t.Errorf("opened: %t, want %t (%v)", opened, want, err)
	}
	if v.Current(sealed) != current {
		t.Errorf("current: %t, want %t", !current, current)
	}
}

func TestRotation(t *testing.T) {
	first := open(t, rawKey)
	before := seal(t, first, "a token", rowA)
	second := stepped(t, first, vault.Rotate)
	expectOpens(t, first, before, true, true) // the vault itself stays as it is
	expectOpens(t, second, before, true, false)

	after := seal(t, second, "a token", rowA)
	expectOpens(t, second, after, true, true)
	expectOpens(t, first, after, false, false)

	third := stepped(t, second, vault.Rotate)
	expectOpens(t, third, before, true, false)
	expectOpens(t, third, after, true, false)

	dropped := stepped(t, second, vault.Drop)
	expectOpens(t, dropped, after, true, true)
	expectOpens(t, dropped, before, false, false)
	expectOpens(t, stepped(t, dropped, vault.Drop), after, true, true) // once more changes nothing
}

// TestRotationOfSeveralReplicas takes two replicas through the steps: at no time
// does one write what the other can't read.
func TestRotationOfSeveralReplicas(t *testing.T) {
	old := open(t, rawKey)
	prepared := stepped(t, old, vault.Prepare)
	promoted := stepped(t, prepared, vault.Promote)
	dropped := stepped(t, promoted, vault.Drop)
	for _, replicas := range [][2]*vault.Vault{{old, prepared}, {prepared, promoted}, {promoted, dropped}} {
		for i, writer := range replicas {
			sealed := seal(t, writer, "a token", rowA)
			if _, err := replicas[1-i].Open(sealed, []byte(rowA)); err != nil {
				t.Errorf("a replica can't read what the other wrote: %v", err)
			}
		}
	}
	sealed := seal(t, old, "a token", rowA)
	expectOpens(t, prepared, sealed, true, true)
	expectOpens(t, promoted, sealed, true, false)
	expectOpens(t, dropped, sealed, false, false)
}

func TestStepsOutOfTurn(t *testing.T) {
	raw := open(t, rawKey)
	prepared := stepped(t, raw, vault.Prepare)
	promoted := stepped(t, prepared, vault.Promote)
	disabled := open(t, keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[1].Status = tinkpb.KeyStatusType_DISABLED },
		aead.AES256GCMKeyTemplate(), aead.AES256GCMKeyTemplate()))
	full := raw
	for range vault.MaxKeys - 1 {
		full = stepped(t, full, vault.Rotate)
	}
	for name, c := range map[string]struct {
		vault *vault.Vault
		step  vault.Step
		want  error
	}{
		"promote a raw key":           {raw, vault.Promote, vault.ErrNotPrepared},
		"promote what was rotated":    {stepped(t, raw, vault.Rotate), vault.Promote, vault.ErrNotPrepared},
		"promote twice":               {promoted, vault.Promote, vault.ErrNotPrepared},
		"promote a disabled key":      {disabled, vault.Promote, vault.ErrNotPrepared},
		"prepare twice":               {prepared, vault.Prepare, vault.ErrPrepared},
		"drop while one waits":        {prepared, vault.Drop, vault.ErrPrepared},
		"rotate a full keyset":        {full, vault.Rotate, vault.ErrFull},
		"prepare in a full keyset":    {full, vault.Prepare, vault.ErrFull},
		"prepare after the promotion": {promoted, vault.Prepare, nil},
		"rotate while one waits":      {prepared, vault.Rotate, nil},
		"drop from a full keyset":     {full, vault.Drop, nil},
	} {
		if text, err := c.vault.Rotated(c.step); !errors.Is(err, c.want) || (text == nil) != (c.want != nil) {
			t.Errorf("%s: got %d bytes, %v; want %v", name, len(text), err, c.want)
		}
	}
	if _, err := raw.Rotated(99); err == nil {
		t.Error("a step that there is not was taken")
	}
}
