package operations

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/transform/shape"
)

// Bounds of looking keys up: each name takes a call at least, and a further one for each page of names that hold it.
const (
	keysPerPage = 100
	mostLookups = 200
	lookupTime  = 30 * time.Second
	mostNamed   = 10 // of the missing keys
)

// targetingKey is a custom targeting key that there is.
type targetingKey struct {
	Name        string `json:"name"`
	KeyID       string `json:"keyId"`
	DisplayName string `json:"displayName"`
}

// ensureTargetingKeys answers with the keys if all of them are there. The sales agent can make none (contract 12.16).
func ensureTargetingKeys(ctx context.Context, x *exchange) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	look := lookup{exchange: x, left: mostLookups, known: map[string]*targetingKey{}}
	found, missing := []*targetingKey{}, []string{}
	for _, wanted := range entries(member(x.body, "keys")) {
		name := text(member(wanted, "name"))
		key, err := look.key(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case key != nil:
			found = append(found, key)
		default:
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, notSupported(missingKeys(missing))
	}
	return api.Encode(struct {
		Created        []*targetingKey `json:"created"`
		AlreadyExisted []*targetingKey `json:"alreadyExisted"`
	}{[]*targetingKey{}, found}), nil
}

// missingKeys says that keys can't be made, and names those that are missing if their names are plain words.
func missingKeys(names []string) string {
	const message = "The sales agent can make no custom targeting keys"
	for i, name := range names {
		if !word.Name.Is(name) {
			return message + ", and not all of these are there."
		}
		if i == mostNamed {
			return message + ". Not there are " + strings.Join(names[:i], ", ") + " and " + strconv.Itoa(len(names)-i) + " more."
		}
	}
	return message + ". Not there: " + strings.Join(names, ", ") + "."
}

// lookup finds keys by their names.
type lookup struct {
	*exchange
	left  int // calls
	known map[string]*targetingKey
}

// key gives the key of a name; nil where there is none.
func (l *lookup) key(ctx context.Context, name string) (*targetingKey, error) {
	key, ok := l.known[name]
	if ok {
		return key, nil
	}
	query := url.Values{"candidate_type": {"custom_targeting_key"}, "q": {name}, "limit": {strconv.Itoa(keysPerPage)}}
	for {
		if l.left == 0 {
			return nil, notSupported("The sales agent can make no custom targeting keys, and too many have similar names to look for these.")
		}
		l.left--
		document, err := l.ask(ctx, get("signals/candidates"), query, nil, http.StatusOK)
		if err != nil {
			return nil, err
		}
		page, err := decoded[struct {
			Candidates []candidate    `json:"candidates"`
			NextCursor jsontext.Value `json:"next_cursor"`
		}](document)
		if err != nil || page.Candidates == nil {
			return nil, unusable(shape.ErrMalformed)
		}
		for _, c := range page.Candidates {
			if key = c.key(name); key != nil {
				l.known[name] = key
				return key, nil
			}
		}
		next := text(page.NextCursor)
		if next == "" || next == query.Get("cursor") {
			l.known[name] = nil
			return nil, nil
		}
		query.Set("cursor", next)
	}
}

// candidate is what the sales agent knows of a key.
type candidate struct {
	Type     jsontext.Value `json:"candidate_type"`
	ID       jsontext.Value `json:"external_id"`
	Name     jsontext.Value `json:"name"`
	Metadata jsontext.Value `json:"metadata"`
}

// key gives the key that a candidate is, if it has the name; else nil.
func (c *candidate) key(name string) *targetingKey {
	id := text(c.ID)
	if id == "" || text(c.Name) != name || text(c.Type) != "custom_targeting_key" {
		return nil
	}
	shown := text(member(c.Metadata, "display_name"))
	if shown == "" || redact.Secretlike(shown) {
		shown = name
	}
	return &targetingKey{name, id, shown}
}
