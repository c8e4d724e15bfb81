package serviceaccount_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"esagate/internal/redact"
	"esagate/internal/serviceaccount"
)

const (
	email  = "ads@gate.example"
	canary = "CANARYnGp3Vx0qLZr7w" // stands wherever a secret could
	pem    = "-----BEGIN PRIVATE KEY-----\n" + canary + "=\n-----END PRIVATE KEY-----\n"
)

// keyText is a key file's text: what Google writes, with changes; nil leaves one out.
func keyText(t testing.TB, changes map[string]any) string {
	t.Helper()
	key := map[string]any{
		"type": "service_account", "project_id": "gate", "private_key_id": canary, "private_key": pem,
		"client_email": email, "client_id": "1", "universe_domain": "googleapis.com",
	}
	for name, value := range changes {
		if key[name] = value; value == nil {
			delete(key, name)
		}
	}
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func keyFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), canary+".json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckFile(t *testing.T) {
	const (
		object  = "is not a JSON object (with every name once, in UTF-8)"
		kind    = "has a type that is not service_account"
		noEmail = "has no client_email"
		another = "has another client_email than the entry's email"
		noKey   = "has no private_key"
		noPEM   = "has a private_key that is not PEM text with its line ends"
	)
	with := func(name string, value any) string { return keyText(t, map[string]any{name: value}) }
	good := keyText(t, nil)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"as Google writes it", good, nil},
		{"with space around", "\n " + good + "\n\n", nil},
		{"without a type", with("type", nil), nil},
		{"e-mail in another case", with("client_email", "ADS@Gate.example"), nil},
		{"an RSA key", with("private_key", strings.ReplaceAll(pem, "PRIVATE", "RSA PRIVATE")), nil},
		{"line ends of Windows", with("private_key", strings.ReplaceAll(pem, "\n", "\r\n")), nil},
		{"at the bound", good + strings.Repeat(" ", 64<<10-len(good)), nil},
		{"over the bound", good + strings.Repeat(" ", 64<<10-len(good)+1), []string{"is larger than 64 KiB"}},
		{"nothing", "", []string{object}},
		{"no JSON", canary, []string{object}},
		{"PEM alone", pem, []string{object}},
		{"null", "null", []string{object}},
		{"a list", "[" + good + "]", []string{object}},
		{"cut short", good[:len(good)-1], []string{object}},
		{"two", good + good, []string{object}},
		{"a name twice", strings.Replace(good, "{", `{"client_email": "x", `, 1), []string{object}},
		{"not UTF-8", strings.Replace(good, "gate", "\xff", 1), []string{object}},
		{"another kind of credentials", with("type", "authorized_user"), []string{kind}},
		{"a type that is none", with("type", []string{"service_account"}), []string{kind}},
		{"an empty object", "{}", []string{noEmail, noKey}},
		{"in other names", `{"Type": "x", "Client_Email": "` + email + `", "PRIVATE_KEY": "x"}`, []string{noEmail, noKey}},
		{"of another account", with("client_email", canary+"@gate.example"), []string{another}},
		{"of one with a name as long", with("client_email", "adx@gate.example"), []string{another}},
		{"e-mail of another kind", with("client_email", 5), []string{noEmail}},
		{"an empty key", with("private_key", ""), []string{noKey}},
		{"a key of another kind", with("private_key", map[string]any{"a": pem}), []string{noKey}},
		{"line ends lost", with("private_key", strings.ReplaceAll(pem, "\n", " ")), []string{noPEM}},
		{"line ends written out", with("private_key", strings.ReplaceAll(pem, "\n", `\n`)), []string{noPEM}},
		{"without its end", with("private_key", pem[:60]), []string{noPEM}},
		{"without its middle", with("private_key", strings.Replace(pem, canary+"=\n", "", 1)), []string{noPEM}},
		{"a public key", with("private_key", strings.ReplaceAll(pem, "PRIVATE", "PUBLIC")), []string{noPEM}},
		{"all of it", `{"type": "` + canary + `", "client_email": "` + canary + `", "private_key": "` + canary + `"}`, []string{kind, another, noPEM}},
	} {
		got := serviceaccount.CheckFile(keyFile(t, c.text), email)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		for _, phrase := range got {
			if strings.Contains(phrase, canary) || redact.Secretlike(phrase) {
				t.Errorf("%s: not fit for a log: %q", c.name, phrase)
			}
		}
	}
	if got := serviceaccount.CheckFile(keyFile(t, with("client_email", "other@gate.example")), ""); len(got) > 0 {
		t.Errorf("when the e-mail is not known: %q", got)
	}
}

func TestCheckFileOfWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	pipe, link, loop := filepath.Join(folder, "pipe"), filepath.Join(folder, "link"), filepath.Join(folder, "loop")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{link: keyFile(t, keyText(t, nil)), loop: loop} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		folder:                          "is not a regular file",
		pipe:                            "is not a regular file", // and the check does not wait for a writer
		os.DevNull:                      "is not a regular file",
		link:                            "",
		loop:                            "can't be opened",
		filepath.Join(folder, "none"):   "does not exist",
		filepath.Join(link, "a"):        "can't be opened",
		"":                              "does not exist",
		strings.Repeat("a", 5000):       "can't be opened",
		filepath.Join(folder, "a\x00b"): "can't be opened",
	} {
		if got := strings.Join(serviceaccount.CheckFile(path, email), ", "); got != want {
			t.Errorf("%.40q: got %q, want %q", path, got, want)
		}
	}
}
