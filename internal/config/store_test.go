package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
	"esagate/internal/vault"
)

func TestStoreURLs(t *testing.T) {
	const (
		scheme, one, special = "must be sqlite://<path>", "must have one host", "percent-encoded"
		database, parameter  = "must name a database", "has a parameter that is not allowed"
	)
	for _, c := range []struct{ url, want, described string }{
		{"sqlite://:memory:", "", "sqlite :memory:"},
		{"sqlite:///var/lib/gate.db", "", "sqlite /var/lib/gate.db"},
		{"sqlite://", scheme, ""},
		{"esagate.db", scheme, ""},
		{"mysql://u:p@h/d", scheme, ""},
		{"Postgres://u:p@h/d", scheme, ""},
		{"sqlite://a?mode=ro", "SQLite has no parameters", ""},
		{"sqlite://a\x07b", "must not hold control characters", ""},

		{"postgres://h/d", "", "postgres h/d"},
		{"postgresql://gate:p%40ss%2Fw@db-1.example:6432/gate?sslmode=require", "", "postgres db-1.example:6432/gate"},
		{"postgres://u@[fd00::5]:5432/d", "", "postgres [fd00::5]:5432/d"},
		{"postgres://u:p@/d?host=/run/postgresql", "", "postgres /run/postgresql/d"},
		{"postgres:///d?host=/run/pg&port=5433", "", "postgres /run/pg:5433/d"},
		{"postgres://h/d?application_name=gate&connect_timeout=5&search_path=gate&default_query_exec_mode=exec", "", "postgres h/d"},
		{"postgres://h/%C3%A9tat", "", "postgres h/état"},
		{"postgres://h/a%40b", "", "postgres h/a@b"},
		{"postgres://h/" + strings.Repeat("d", 63), "", "postgres h/" + strings.Repeat("d", 63)},

		{"postgres://h", database, ""},
		{"postgres://h/", database, ""},
		{"postgres://h/a/b", database, ""},
		{"postgres://h/" + strings.Repeat("d", 64), database, ""},
		{"postgres://h/a%00b", database, ""},
		{"postgres:///d", "must name a host", ""},
		{"postgres://u:p@/d", "must name a host", ""},
		{"postgres://h/d?host=/run/postgresql", "must name host and port once", ""},
		{"postgres://h/d?port=5433", "must name host and port once", ""},
		{"postgres:///d?host=other", "must have as its parameter host the folder", ""},
		{"postgres:///d?host=/run&port=0", "must have a port", ""},
		{"postgres://h:0/d", "must have a port", ""},
		{"postgres://h:70000/d", "must have a port", ""},
		{"postgres://a,b/d", one, ""},
		{"postgres://:5432/d", one, ""},
		{"postgres://u:p#w@h/d", special, ""},
		{"postgres://u:p/w@h/d", special, ""},
		{"postgres://u:1/w@h", special, ""},
		{"postgres://u:a@b@h/d", special, ""},
		{"postgres://u:p@h/d?application_name=a@b", special, ""},
		{"postgres://h/d#", special, ""},
		{"postgres://u:p%w@h/d", special, ""},
		{"postgres://u:p w@h/d", special, ""},
		{"postgres://u:1?w@h/d", special, ""},
		{"postgres://u:p%00@h/d", "has a user or password", ""},
		{"postgres://h/d?password=p", parameter, ""},
		{"postgres://h/d?ssl_mode=require", parameter, ""},
		{"postgres://h/d?options=-c%20x", parameter, ""},
		{"postgres://h/d?sslmode=require&sslmode=disable", "the same parameter twice", ""},
		{"postgres://h/d?sslmode=require;a=b", "has parameters that can't be read", ""},
		{"postgres://h/d?sslmode=", "has a parameter that is empty", ""},
		{"postgres://h/d?sslmode=on", "must have an sslmode that is disable, allow", ""},
	} {
		loaded, faults := config.Load(write(t, "store: {url: ${U}}"), with("U="+c.url))
		start := ""
		if c.want != "" {
			start = "store.url (line 1): "
		}
		if compareFault(t, c.url, faults, start, c.want) && (loaded.Store.Describe() != c.described || loaded.Store.URL.Reveal() != c.url) {
			t.Errorf("%s: got %q", c.url, loaded.Store.Describe())
		}
	}
}

// What Load has not seen is not described by any part of it.
func TestDescribeSaysNothingOfABadURL(t *testing.T) {
	for _, url := range []string{"", "canary", "postgres://u:canary/x@h/d", "mysql://u:canary@h/d"} {
		s := config.Store{URL: config.NewSecret(url)}
		if got := s.Describe(); strings.Contains(got, "canary") || got == "" {
			t.Errorf("%q is described as %q", url, got)
		}
	}
}

func TestAConnectionThatMayBeUnencryptedIsAWarning(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u:canary@db.example/d":                     true,
		"postgres://u:canary@db.example/d?sslmode=disable":     true,
		"postgres://u:canary@db.example/d?sslmode=allow":       true,
		"postgres://u:canary@db.example/d?sslmode=prefer":      true,
		"postgres://u:canary@10.0.0.7:5432/d":                  true,
		"postgres://u:canary@localhost.example/d":              true,
		"postgres://u:canary@db.example/d?sslmode=require":     false,
		"postgres://u:canary@db.example/d?sslmode=verify-ca":   false,
		"postgres://u:canary@db.example/d?sslmode=verify-full": false,
		"postgres://u:canary@localhost/d":                      false,
		"postgres://u:canary@127.0.0.3/d?sslmode=disable":      false,
		"postgres://u:canary@[::1]:5432/d":                     false,
		"postgres://u:canary@/d?host=/run/postgresql":          false,
		"sqlite://canary.db":                                   false,
	} {
		c := load(t, "auth: {keys: [{name: a, customer_id: 1, key: a-key-of-some-length}]}", "ESAGATE_STORE_URL="+url)
		got := strings.Join(c.Warnings, "\n")
		if strings.Contains(got, "store.url: the connection to the database may be unencrypted") != want || len(c.Warnings) > 1 || strings.Contains(got, "canary") {
			t.Errorf("%s: got %q", url, got)
		}
	}
}

func TestEncryptionKeys(t *testing.T) {
	v, err := vault.New(storeKey)
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := v.Rotated(vault.Rotate)
	if err != nil {
		t.Fatal(err)
	}
	const make1 = "openssl rand -base64 32"
	for _, c := range []struct{ key, want string }{
		{storeKey, ""},
		{strings.TrimRight(storeKey, "="), ""},
		{storeKey + "\n", ""},
		{string(keyset), ""},
		{"", "is required; make one with: " + make1},
		{storeKey[:40], make1},
		{`{"primaryKeyId": `, "is not valid JSON"},
		{`{"primaryKeyId": 1}`, "is a keyset without a key"},
		{strings.Replace(string(keyset), "XChaCha20Poly1305Key", "HmacKey", 1), "no AEAD"},
	} {
		_, faults := config.Load(write(t, "store: {encryption_key: '${K}'}"), append(least[:1:1], "K="+c.key))
		start := ""
		if c.want != "" {
			start = "store.encryption_key (line 1): "
		}
		compareFault(t, c.key, faults, start, c.want)
	}
	_, faults := config.Load(write(t, ""), least[:1])
	expectFaults(t, strings.Split(faults.Error(), "\n"), "store.encryption_key: is required; make one with: "+make1)
}
