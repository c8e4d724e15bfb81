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

// nullText and nullTime are columns where "none" is NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func nullTime(t time.Time) sql.NullString {
	t = registry.Instant(t)
	if t.IsZero() {
		return sql.NullString{}
	}
	return sql.NullString{String: t.Format(timeLayout), Valid: true}
}

func nullCount(n *int64) sql.NullInt64 {
	if n == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: *n, Valid: true}
}

// instantColumn reads a time column into a time.
type instantColumn struct{ into *time.Time }

func (c instantColumn) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.into = time.Time{}
		return nil
	case string:
		t, err := time.Parse(timeLayout, v)
		if err != nil {
			return errors.New("a time column holds no time")
		}
		*c.into = t
		return nil
	}
	return fmt.Errorf("a time column holds a %T", v)
}

// textColumn reads a column where NULL is the empty string.
type textColumn struct{ into *string }

func (c textColumn) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.into = ""
		return nil
	case string:
		*c.into = v
		return nil
	}
	return fmt.Errorf("a text column holds a %T", v)
}

// countColumn and flagColumn read columns where NULL is zero and false.
type countColumn struct{ into *int64 }

func (c countColumn) Scan(v any) error {
	var n sql.NullInt64
	err := n.Scan(v)
	*c.into = n.Int64
	return err
}

type flagColumn struct{ into *bool }

func (c flagColumn) Scan(v any) error {
	var b sql.NullBool
	err := b.Scan(v)
	*c.into = b.Bool
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
	return nullText(string(b)), err
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
