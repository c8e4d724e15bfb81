package serviceaccount_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/serviceaccount"
)

func accounts(t *testing.T, entries ...serviceaccount.Entry) *serviceaccount.Accounts {
	t.Helper()
	a, err := serviceaccount.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoseAccountItIs(t *testing.T) {
	own, all := "own@gate.example", "all@gate.example"
	ownKey, allKey := keyText(t, map[string]any{"client_email": own}), keyText(t, map[string]any{"client_email": "ALL@gate.example"})
	mine := serviceaccount.Entry{CustomerID: 7, Email: own, KeyFile: keyFile(t, ownKey)}
	everyones := serviceaccount.Entry{Email: all, KeyFile: keyFile(t, allKey)}
	for _, c := range []struct {
		name             string
		entries          []serviceaccount.Entry
		customer         int64
		wantEmail, wants string
	}{
		{"own", []serviceaccount.Entry{everyones, mine}, 7, own, ownKey},
		{"everyone's", []serviceaccount.Entry{mine, everyones}, 8, all, allKey},
		{"another's is none", []serviceaccount.Entry{mine}, 8, "", ""},
		{"none at all", nil, 7, "", ""},
	} {
		a := accounts(t, c.entries...)
		account, ok, err := a.For(c.customer)
		if err != nil || ok != (c.wants != "") || (account != nil) != ok {
			t.Errorf("%s: got %v, %t, %v", c.name, account, ok, err)
			continue
		}
		if ok && (account.Email != c.wantEmail || string(account.Key) != c.wants) {
			t.Errorf("%s: got the account of %s", c.name, account.Email)
		}
		if got := a.Email(c.customer); got != c.wantEmail {
			t.Errorf("%s: the e-mail is %q", c.name, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := serviceaccount.Entry{CustomerID: 1, Email: email, KeyFile: "a-" + canary}
	for name, entries := range map[string][]serviceaccount.Entry{
		"a customer twice":      {good, {CustomerID: 2, Email: email, KeyFile: "b"}, good},
		"all twice":             {{Email: email, KeyFile: "a"}, {Email: "b@gate.example", KeyFile: "b"}},
		"a customer below zero": {{CustomerID: -1, Email: email, KeyFile: "a"}},
		"no e-mail":             {{CustomerID: 1, KeyFile: canary}},
		"no file":               {{CustomerID: 1, Email: email}},
	} {
		if a, err := serviceaccount.New(entries); err == nil || a != nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, %v", name, a, err)
		}
	}
}

func TestTheFileIsReadOnEachUse(t *testing.T) {
	path := keyFile(t, keyText(t, nil))
	a := accounts(t, serviceaccount.Entry{Email: email, KeyFile: path})
	replace := func(text string) {
		t.Helper()
		if err := os.Rename(keyFile(t, text), path); err != nil {
			t.Fatal(err)
		}
	}
	const second = "-----BEGIN PRIVATE KEY-----\nc2Vjb25k\n-----END PRIVATE KEY-----\n"
	replace(keyText(t, map[string]any{"private_key": second}))
	account, ok, err := a.For(1)
	if err != nil || !ok || !strings.Contains(string(account.Key), "c2Vjb25k") {
		t.Fatalf("after a key was replaced: %v, %t, %v", account, ok, err)
	}
	replace(keyText(t, map[string]any{"client_email": canary + "@gate.example"}))
	if account, ok, err = a.For(1); err == nil || !ok || account != nil {
		t.Errorf("after another account's key has come: %v, %t, %v", account, ok, err)
	}
	if got := a.Email(1); got != email {
		t.Errorf("the e-mail is the operator's word, not the file's: got %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, ok, err = a.For(1)
	if !ok || err == nil || !strings.HasSuffix(err.Error(), "the key file does not exist)") {
		t.Errorf("after the file has gone: %t, %v", ok, err)
	}
	if f := fault.As(err); f.Kind != fault.Internal || strings.Contains(f.Message, "exist") {
		t.Errorf("a client sees: %v %q", f.Kind, f.Message)
	}
	replace(keyText(t, nil))
	if _, ok, err = a.For(1); err != nil || !ok {
		t.Errorf("after it was mended: %t, %v", ok, err)
	}
}

// Neither the key, nor anything of a bad file, nor the path is in what is printed.
func TestNothingIsPrinted(t *testing.T) {
	entries := []serviceaccount.Entry{
		{CustomerID: 1, Email: email, KeyFile: keyFile(t, keyText(t, nil))},
		{CustomerID: 2, Email: email, KeyFile: keyFile(t, `{"type": "`+canary+`"}`)},
		{CustomerID: 3, Email: email, KeyFile: keyFile(t, canary)},
	}
	a := accounts(t, entries...)
	account, _, err := a.For(1)
	if err != nil {
		t.Fatal(err)
	}
	values := []any{a, *a, struct{ in *serviceaccount.Accounts }{a},
		entries, entries[0], &entries[0], struct{ In []serviceaccount.Entry }{entries}, account, *account}
	for customer := range int64(5) {
		_, _, err := a.For(customer)
		values = append(values, err)
		for ; err != nil; err = errors.Unwrap(err) {
			values = append(values, err.Error())
		}
	}
	var out bytes.Buffer
	for _, v := range values {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, format, v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	for _, v := range []any{a, entries} { // an account itself is encoded on its way upstream
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
		if before, _, found := strings.Cut(out.String(), form); found {
			t.Errorf("%q is printed, after %q", form, before[max(0, len(before)-200):])
		}
	}
}
