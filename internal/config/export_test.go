package config

// Named is a key of the schema, for the tests that go through all of them.
type Named struct{ Path, Env, Default string }

// Schema lists every key with its default as the reference page writes it.
func Schema() []Named {
	var out []Named
	for _, k := range schema() {
		out = append(out, Named{Path: k.path, Env: k.env, Default: defaultOf(k)})
	}
	return out
}

func defaultOf(k key) string {
	if k.env == "" {
		return ""
	}
	value := valueAt(k.path)
	if secret, ok := value.(Secret); ok {
		value = secret.Reveal() // no default is a secret
	}
	switch text := bound(value); {
	case k.path == "upstream.api_key", k.path == "store.encryption_key":
		return "required"
	case k.path == "auth.oidc.issuer", k.path == "auth.oidc.audience":
		return "none"
	case text == "":
		return "empty"
	default:
		return "`" + text + "`"
	}
}

func valueAt(path string) any {
	doc := newDocument()
	return fieldAt(&doc, path)
}
