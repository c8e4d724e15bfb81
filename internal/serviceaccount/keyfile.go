package serviceaccount

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/upstream/wire"
)

// maxKeyFile is the most bytes of a key file. Google's have about 2,400.
const maxKeyFile = 64 << 10

// CheckFile says everything that is wrong with a key file for the account with this
// e-mail, in phrases of ours that complete "the file …": the file must be a readable
// regular one of at most 64 KiB, and hold a service account's key as Google writes it.
// With an empty e-mail any account's key is good. No phrase repeats a part of the file,
// of its path or of the e-mail.
func CheckFile(path, email string) (problems []string) {
	_, problems = readKey(path, email)
	return problems
}

// readKey gives the text of a key file that has no problems.
func readKey(path, email string) (wire.Secret, []string) {
	data, problem := readFile(path)
	if problem != "" {
		return "", []string{problem}
	}
	if problems := keyProblems(data, email); len(problems) > 0 {
		return "", problems
	}
	return wire.Secret(data), nil
}

// readFile reads what a path names, once it turned out to be a file. The errors of the
// system repeat the path.
func readFile(path string) (data []byte, problem string) {
	// Without O_NONBLOCK a named pipe would be waited for until a writer opens it.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return nil, "may not be read: permission denied"
	case err != nil:
		return nil, "can't be opened"
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, "can't be read"
	case !info.Mode().IsRegular():
		return nil, "is not a regular file"
	}
	data, err = io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, "can't be read"
	case len(data) > maxKeyFile:
		return nil, "is larger than 64 KiB"
	}
	return data, ""
}

// accountKey is what is looked at of a key. Values stay raw, so that one of the wrong
// kind hides no other.
type accountKey struct {
	Type        jsontext.Value `json:"type"`
	ClientEmail jsontext.Value `json:"client_email"`
	PrivateKey  jsontext.Value `json:"private_key"`
}

// privateKey is the shape of a PEM private key. Whether there is a key inside is for
// Google to say; what this finds is a text pasted in part, or with its line ends lost.
var privateKey = regexp.MustCompile(`^\s*-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s*\n\s*[^\s-][\s\S]*\n-----END ([A-Z]+ )?PRIVATE KEY-----\s*$`)

func keyProblems(data []byte, email string) (problems []string) {
	var key accountKey
	if jsontext.Value(data).Kind() != jsontext.KindBeginObject || json.Unmarshal(data, &key) != nil {
		return []string{"is not a JSON object (with every name once, in UTF-8)"}
	}
	if key.Type != nil && text(key.Type) != "service_account" {
		problems = append(problems, "has a type that is not service_account")
	}
	switch has := text(key.ClientEmail); {
	case has == "":
		problems = append(problems, "has no client_email")
	case email != "" && !strings.EqualFold(has, email):
		problems = append(problems, "has another client_email than the entry's email")
	}
	switch has := text(key.PrivateKey); {
	case has == "":
		problems = append(problems, "has no private_key")
	case !privateKey.MatchString(has):
		problems = append(problems, "has a private_key that is not PEM text with its line ends")
	}
	return problems
}

// text gives the text in a JSON value, empty for a value of another kind.
func text(v jsontext.Value) (s string) {
	if v.Kind() == jsontext.KindString {
		_ = json.Unmarshal(v, &s)
	}
	return s
}
