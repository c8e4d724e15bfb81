package sqlstore

import (
	"context"
	"errors"
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
	if n == 1 {
		return cut(slug, registry.MaxIDLength)
	}
	suffix := "-" + strconv.Itoa(n)
	return strings.TrimRight(cut(slug, registry.MaxIDLength-len(suffix)), "-") + suffix
}

// cut returns the first n code points.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
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
	low, high := slugsInOrder, 0 // low is taken; high is free, or not known yet
	for high == 0 || high-low > 1 {
		next := 2 * low
		if high > 0 {
			next = low + (high-low)/2
		}
		taken, err := isTaken(ctx, in, suffixed(slug, next))
		switch {
		case err != nil:
			return "", err
		case !taken:
			high = next
		case next > 1<<40:
			return "", errors.New("no suffix of the slug is free")
		default:
			low = next
		}
	}
	return suffixed(slug, high), nil
}

func isTaken(ctx context.Context, in scope, sourceID string) (bool, error) {
	n, err := in.number(ctx, countSourceID, sourceID)
	return n > 0, err
}

// firstFree returns the first free one of the suffixes that are tried in order, or
// nothing.
func firstFree(ctx context.Context, in scope, slug string) (string, error) {
	candidates := make([]any, 0, slugsInOrder-1)
	for n := 2; n <= slugsInOrder; n++ {
		candidates = append(candidates, suffixed(slug, n))
	}
	taken, err := query(ctx, in, selectSlugs, func(r row) (any, error) {
		var id string
		err := r.Scan(&id)
		return id, err
	}, candidates...)
	if err != nil {
		return "", err
	}
	for _, id := range candidates {
		if !slices.Contains(taken, id) {
			return id.(string), nil
		}
	}
	return "", nil
}
