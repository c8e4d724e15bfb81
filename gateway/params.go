package gateway

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"esagate/internal/fault"
	"esagate/internal/sources"
)

// parseSourceID unescapes and checks a sourceId: what can't be an id is a
// validation error, not a missing source.
func parseSourceID(escaped string) (string, error) {
	id, err := url.PathUnescape(escaped)
	message := "sourceId is not properly percent-encoded."
	if err == nil {
		message = sources.CheckSourceID(id)
	}
	if message != "" {
		return "", fault.Invalid(fault.Issue{Path: "sourceId", Message: message})
	}
	return id, nil
}

// parseESAID reads a connection's id: a positive 64-bit number in its one
// canonical spelling.
func parseESAID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != s {
		return 0, fault.Invalid(fault.Issue{Path: "esaId", Message: "esaId must be a positive whole number."})
	}
	return id, nil
}

// query reads query parameters: each at most once, but for lists, none unknown, every
// fault in one answer.
type query struct {
	values url.Values
	issues []fault.Issue
}

func parseQuery(raw string, known ...string) *query { return parseQueryLists(raw, nil, known...) }

// parseQueryLists is parseQuery with parameters that may be given more than once.
func parseQueryLists(raw string, lists []string, known ...string) *query {
	q := &query{}
	if raw == "" {
		return q
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		q.fail("query", "The query string is not properly encoded.")
		return q
	}
	q.values = values
	for name, given := range values {
		switch {
		case slices.Contains(lists, name):
		case !slices.Contains(known, name):
			q.fail("query", "There is a query parameter that this operation does not know.")
		case len(given) > 1:
			q.fail("query."+name, name+" is given more than once.")
		}
	}
	return q
}

func (q *query) fail(path, message string) {
	issue := fault.Issue{Path: path, Message: message}
	if !slices.Contains(q.issues, issue) {
		q.issues = append(q.issues, issue)
	}
}

// integer reads a whole number within bounds, or the default when absent.
func (q *query) integer(name string, least, most, otherwise int) int {
	given, ok := q.values[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(given[0])
	if err != nil || n < least || n > most || strings.HasPrefix(given[0], "+") {
		q.fail("query."+name, name+" must be a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+".")
		return otherwise
	}
	return n
}

// id reads the id of a customer; 0 when absent.
func (q *query) id(name string) int64 {
	given, ok := q.values[name]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(given[0], 10, 64)
	if err != nil || n < 1 || strings.HasPrefix(given[0], "+") {
		q.fail("query."+name, name+" must be a positive whole number.")
	}
	return n
}

// text reads a text of at most so many characters; "" when absent.
func (q *query) text(name string, most int) string {
	given, ok := q.values[name]
	if !ok {
		return ""
	}
	if n := utf8.RuneCountInString(given[0]); n < 1 || n > most {
		q.fail("query."+name, name+" must be 1 to "+strconv.Itoa(most)+" characters.")
	}
	return given[0]
}

// words reads a list of some of the words that there are, with commas or one a parameter.
func (q *query) words(name string, all []string) (words []string) {
	for _, list := range q.values[name] {
		for word := range strings.SplitSeq(list, ",") {
			switch {
			case !slices.Contains(all, word):
				q.fail("query."+name, name+" must be of these, with commas between: "+strings.Join(all, ", ")+".")
			case !slices.Contains(words, word):
				words = append(words, word)
			}
		}
	}
	return words
}

// with gives the parameters, encoded, with another page.
func (q *query) with(skip, take int) string {
	values := url.Values{"skip": {strconv.Itoa(skip)}, "take": {strconv.Itoa(take)}}
	for name, given := range q.values {
		if _, ok := values[name]; !ok {
			values[name] = given
		}
	}
	return values.Encode()
}

// boolean reads true or false, or the default when absent.
func (q *query) boolean(name string, otherwise bool) bool {
	given, ok := q.values[name]
	if !ok {
		return otherwise
	}
	switch given[0] {
	case "true":
		return true
	case "false":
		return false
	}
	q.fail("query."+name, name+" must be true or false.")
	return otherwise
}

// err gives every fault found, in a steady order.
func (q *query) err() error {
	if len(q.issues) == 0 {
		return nil
	}
	slices.SortFunc(q.issues, func(a, b fault.Issue) int { return strings.Compare(a.Path+a.Message, b.Path+b.Message) })
	return fault.Invalid(q.issues...)
}
