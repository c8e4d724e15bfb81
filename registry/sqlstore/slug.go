package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"esagate/registry"
)

// slugsInOrder is up to where suffixes are tried one by one. Beyond, where a name was
// given very often, the search doubles its step and then halves it: it finds a free
// suffix after a taken one, in some 2·log(n) lookups, and passes over what deleted
// sources have left free in between.
const slugsInOrder = 50

var (
	countSourceID = scoped(`SELECT COUNT(*) FROM sources WHERE customer_id = $1 AND source_id = $2`)
	// selectSlugs takes the candidates 2 to slugsInOrder.
	selectSlugs = scoped(`SELECT source_id FROM sources WHERE customer_id = $1 AND source_id IN (` + placeholders(2, slugsInOrder-1) + `)`)
)

// placeholders returns n of them, numbered from first.
func placeholders(first, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(all, ", ")
}

// suffixed returns the nth id of a slug, cut so that it fits with its suffix.
func suffixed(slug string, n int) string {
	suffix := ""
	if n > 1 {
		suffix = "-" + strconv.Itoa(n)
	}
	if suffix == "" {
		return cut(slug, registry.MaxIDLength)
	}
	return strings.TrimRight(cut(slug, registry.MaxIDLength-len(suffix)), "-") + suffix
}

// cut returns the first n code points.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for at := range s {
		if n == 0 {
			return s[:at]
		}
		n--
	}
	return s
}

// freeSlug finds an id of a slug that no source of the customer has. The transaction
// holds the sequence of sources, so that none can come meanwhile.
func freeSlug(ctx context.Context, in scope, slug string) (string, error) {
	if taken, err := isTaken(ctx, in, suffixed(slug, 1)); err != nil || !taken {
		return suffixed(slug, 1), err
	}
	if id, err := firstFree(ctx, in, slug); err != nil || id != "" {
		return id, err
	}
	low, high := slugsInOrder, 2*slugsInOrder // low is taken
	for {
		taken, err := isTaken(ctx, in, suffixed(slug, high))
		if err != nil {
			return "", err
		}
		if !taken {
			break
		}
		if high > 1<<40 {
			return "", errors.New("no suffix of the slug is free")
		}
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		taken, err := isTaken(ctx, in, suffixed(slug, middle))
		if err != nil {
			return "", err
		}
		if taken {
			low = middle
		} else {
			high = middle
		}
	}
	return suffixed(slug, high), nil
}

func isTaken(ctx context.Context, in scope, sourceID string) (bool, error) {
	var n int
	if err := in.queryRow(ctx, countSourceID, sourceID).Scan(&n); err != nil {
		return false, fmt.Errorf("look for a sourceId: %w", err)
	}
	return n > 0, nil
}

// firstFree returns the first free one of the suffixes that are tried in order, or
// nothing.
func firstFree(ctx context.Context, in scope, slug string) (string, error) {
	candidates := make([]any, 0, slugsInOrder-1)
	for n := 2; n <= slugsInOrder; n++ {
		candidates = append(candidates, suffixed(slug, n))
	}
	rows, err := in.query(ctx, selectSlugs, candidates...)
	taken, err := collect(rows, err, func(r row) (id any, err error) {
		var text string
		err = r.Scan(&text)
		return text, err
	})
	if err != nil {
		return "", fmt.Errorf("look for sourceIds: %w", err)
	}
	for _, id := range candidates {
		if !slices.Contains(taken, id) {
			return id.(string), nil
		}
	}
	return "", nil
}
