package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"esagate/registry"
)

// timeLayout has one width, so that text order is time order.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// nullText and nullTime write columns where "none" is NULL.
func nullText[S ~string](s S) sql.NullString {
	return sql.NullString{String: string(s), Valid: s != ""}
}

func nullTime(t time.Time) sql.NullString {
	t = registry.Instant(t)
	if t.IsZero() {
		return sql.NullString{}
	}
	return sql.NullString{String: t.Format(timeLayout), Valid: true}
}

// instantColumn reads a time column into a time.
type instantColumn struct{ into *time.Time }

func (c instantColumn) Scan(v any) error {
	*c.into = time.Time{}
	if v == nil {
		return nil
	}
	text, ok := v.(string)
	if !ok {
		var n sql.Null[string]
		if err := n.Scan(v); err != nil {
			return err
		}
		text = n.V
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return errors.New("a time column holds no time")
	}
	*c.into = t
	return nil
}

// orZero reads a column where NULL is the zero value.
func orZero[T any](into *T) sql.Scanner { return zeroColumn[T]{into} }

type zeroColumn[T any] struct{ into *T }

func (c zeroColumn[T]) Scan(v any) error {
	if v == nil {
		*c.into = *new(T)
		return nil
	}
	switch into := any(c.into).(type) { // without what sql.Null allocates: an overview reads many rows
	case *string:
		if text, ok := v.(string); ok {
			*into = text
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*into = n
			return nil
		}
	}
	var n sql.Null[T]
	err := n.Scan(v)
	*c.into = n.V
	return err
}

// encodeLabels returns the one JSON form of labels (keys in order).
func encodeLabels(labels map[string]string) (string, error) {
	if len(labels) == 0 {
		return "{}", nil
	}
	b, err := json.Marshal(labels)
	return string(b), err
}

func decodeLabels(text string) (map[string]string, error) {
	if text == "{}" {
		return nil, nil
	}
	var labels map[string]string
	if err := json.Unmarshal([]byte(text), &labels); err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	return labels, nil
}

// encodeAdServer writes the typed view: what registry.AdServer does not name can't
// get into the column.
func encodeAdServer(a *registry.AdServer) (sql.NullString, error) {
	if a == nil {
		return sql.NullString{}, nil
	}
	b, err := json.Marshal(a)
	return sql.NullString{String: string(b), Valid: true}, err
}

func decodeAdServer(text string) (*registry.AdServer, error) {
	if text == "" {
		return nil, nil
	}
	a := new(registry.AdServer)
	if err := json.Unmarshal([]byte(text), a); err != nil {
		return nil, fmt.Errorf("ad_server: %w", err)
	}
	return a, nil
}

// keptAdServer returns the view as it will be read back, sharing nothing with it.
func keptAdServer(a registry.AdServer) (*registry.AdServer, error) {
	column, err := encodeAdServer(&a)
	if err != nil {
		return nil, err
	}
	return decodeAdServer(column.String)
}
