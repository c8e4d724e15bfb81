package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
	"esagate/internal/vault"
)

func TestGoodStoreURLs(t *testing.T) {
	for url, described := range map[string]string{
		"sqlite://:memory:":         "sqlite :memory:",
		"sqlite:///var/lib/gate.db": "sqlite /var/lib/gate.db",

		"postgres://h/d": "postgres h/d",
		"postgresql://gate:p%40ss%2Fw@db-1.example:6432/gate?sslmode=require": "postgres db-1.example:6432/gate",
		"postgres://u@[fd00::5]:5432/d":                                       "postgres [fd00::5]:5432/d",
		"postgres://u:p@/d?host=/run/postgresql":                              "postgres /run/postgresql/d",
		"postgres:///d?host=/run/pg&port=5433":                                "postgres /run/pg:5433/d",
		"postgres://h/%C3%A9tat":                                              "postgres h/état",
		"postgres://h/a%40b":                                                  "postgres h/a@b",
		"postgres://h/" + strings.Repeat("d", 63):                             "postgres h/" + strings.Repeat("d", 63),

		"postgres://h/d?application_name=gate&connect_timeout=5&search_path=gate&default_query_exec_mode=exec": "postgres h/d",
	} {
		if s := load(t, "", "ESAGATE_STORE_URL="+url).Store; s.Describe() != described || s.URL.Reveal() != url {
			t.Errorf("%s: got %q", url, s.Describe())
		}
	}
}

func TestFaultsOfStore(t *testing.T) {
	const at = "store.url"
	holdFaults(t, `store: {url: "VALUE"}`, []oneFault{
		{at, values{"sqlite://", "esagate.db", "mysql://u:p@h/d", "Postgres://u:p@h/d"}, "must be sqlite://<path>"},
		{at, values{"sqlite://a?mode=ro"}, "must be a path without ? and #"},
		{at, values{`sqlite://a\ab`}, "must not hold control characters"},
		{at, values{"postgres://h", "postgres://h/", "postgres://h/a/b", "postgres://h/a%00b",
			"postgres://h/" + strings.Repeat("d", 64)}, "must name a database"},
		{at, values{"postgres:///d", "postgres://u:p@/d"}, "must name a host"},
		{at, values{"postgres://h/d?host=/run/postgresql", "postgres://h/d?port=5433"}, "must name host and port once"},
		{at, values{"postgres:///d?host=other"}, "must have as its parameter host the folder"},
		{at, values{"postgres:///d?host=/run&port=0", "postgres://h:0/d", "postgres://h:70000/d"}, "must have a port"},
		{at, values{"postgres://a,b/d", "postgres://:5432/d"}, "must have one host"},
		{at, values{"postgres://u:p#w@h/d", "postgres://u:p/w@h/d", "postgres://u:1/w@h", "postgres://u:a@b@h/d",
			"postgres://h/d#", "postgres://u:p@h/d?application_name=a@b", "postgres://u:p%w@h/d", "postgres://u:p w@h/d", "postgres://u:1?w@h/d"},
			"must be a PostgreSQL URL"},
		{at, values{"postgres://u:p%00@h/d"}, "has a user or password"},
		{at, values{"postgres://h/d?password=p", "postgres://h/d?ssl_mode=require", "postgres://h/d?options=-c%20x"},
			"has a parameter that is not allowed"},
		{at, values{"postgres://h/d?sslmode=require&sslmode=disable"}, "has the same parameter twice"},
		{at, values{"postgres://h/d?sslmode=require;a=b"}, "has parameters that can't be read"},
		{at, values{"postgres://h/d?sslmode="}, "has a parameter that is empty"},
		{at, values{"postgres://h/d?sslmode=on"}, "must have an sslmode that is disable, allow"},
	})
}

// A URL that Load would refuse is described without any part of it.
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
		if strings.HasPrefix(got, "store.url: the connection to the database may be unencrypted") != want || len(c.Warnings) > 1 {
			t.Errorf("%s: got %q", url, got)
		}
		noEcho(t, got, "canary")
	}
}

// What is wrong with a key is for package vault to say.
func TestEncryptionKeys(t *testing.T) {
	v, err := vault.New(storeKey)
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := v.Rotated(vault.Rotate)
	if err != nil {
		t.Fatal(err)
	}
	const missing = "is required; make one with: openssl rand -base64 32"
	for key, want := range map[string]string{
		storeKey + "\n":   "",
		string(keyset):    "",
		"":                missing,
		storeKey[:40]:     "must be 32 bytes in base64",
		`{"primaryKeyId"`: "begins like a JSON keyset, but is not valid JSON",
	} {
		_, faults := config.Load(write(t, "store: {encryption_key: '${K}'}"), append(least[:1:1], "K="+key))
		compareFault(t, key, faults, "store.encryption_key (line 1): ", want)
	}
	_, faults := config.Load(write(t, ""), least[:1])
	compareFault(t, "none", faults, "store.encryption_key: ", missing)
}
