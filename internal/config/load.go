package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// document is the whole file: Config as far as it is read as it stands, and the
// lists whose entries are checked and turned into something else.
type document struct {
	Config          `config:",inline"`
	Auth            authSection           `config:"auth"`
	Outbound        outboundSection       `config:"outbound"`
	ServiceAccounts []serviceAccountEntry `config:"service_accounts"`
	Sources         []sourceEntry         `config:"sources"`
}

// newDocument is the document of an empty file.
func newDocument() document {
	return document{Config: Default(), Auth: authSection{OIDC: defaultOIDC}}
}

// Check finds faults that only others can judge, such as in the expression of a
// platform task. The Config it sees may have faults of other kinds. It makes its
// own with Config.FaultAt.
type Check func(*Config) []Fault

// Load reads the file at path and the environment (NAME=value pairs, as
// os.Environ gives them), and lets the checks see what was read. With any fault
// there is no Config.
func Load(path string, environ []string, checks ...Check) (*Config, Faults) {
	data, problem := readFile(path)
	if problem != "" {
		return nil, Faults{{Message: problem}}
	}
	return load(data, filepath.Dir(path), environ, checks...)
}

// load reads a file's content. Relative paths in it begin at folder.
func load(data []byte, folder string, environ []string, checks ...Check) (*Config, Faults) {
	r := newReport()
	file, readable := r.parse(data)
	if !readable {
		return nil, r.sorted()
	}
	env := readEnviron(environ)

	// The layers, later ones winning: the defaults (in the document that is bound
	// over), the file, the environment.
	layers := koanf.New(".")
	err := errors.Join(
		layers.Load(confmap.Provider(file, ""), nil), // no delimiter: a dot in a key of the file is a dot
		layers.Load(confmap.Provider(r.overrides(env, file), "."), nil),
	)
	if err != nil { // these providers have no way to fail
		r.addAt("", 0, "could not be merged with the environment")
		return nil, r.sorted()
	}

	doc, merged := newDocument(), layers.Raw()
	b := binder{report: r, env: env}
	b.bind(reflect.ValueOf(&doc).Elem(), merged, "")

	c := doc.Config
	v := validator{report: r}
	v.sections(&c)
	v.platformTasks(c.PlatformTasks)
	c.Auth.Keys = v.keys(doc.Auth.Keys)
	c.Auth.OIDC = v.oidc(doc.Auth.OIDC, merged)
	v.callers(&c.Auth)
	c.Outbound.Allow = v.outbound(doc.Outbound.Allow)
	c.ServiceAccounts = v.serviceAccounts(doc.ServiceAccounts, folder)
	c.Sources = v.sources(doc.Sources)
	c.lines = r.lines
	for _, check := range checks {
		r.faults = append(r.faults, check(&c)...)
	}
	if faults := r.sorted(); len(faults) > 0 {
		return nil, faults
	}
	c.Warnings = v.warnings
	return &c, nil
}

// readFile gives the file, a byte more than the bound at most, or what is wrong
// with it. The error of the system repeats the path, which is the caller's to name.
func readFile(path string) (data []byte, problem string) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return nil, "may not be read: permission denied"
	case err != nil:
		return nil, "can't be opened"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, "is a directory"
	}
	data, err = io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return nil, "can't be read"
	}
	return data, ""
}
