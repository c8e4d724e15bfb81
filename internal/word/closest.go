package word

import "strings"

// maxClosest bounds the texts that [Closest] compares, in bytes.
const maxClosest = 256

// Closest gives the name that a mistyped one was most likely meant to be; "" where none is near
// enough, or it is one of them.
func Closest(typed string, names []string) string {
	best, least := "", min(2, len(typed)/3)+1
	if len(typed) > maxClosest {
		return ""
	}
	for _, name := range names {
		if name == typed {
			return ""
		}
		if len(name) > len(typed)+least || len(name)+least < len(typed) {
			continue
		}
		if d := distance(strings.ToLower(typed), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the bytes that must be added, left out, replaced or swapped with their neighbour
// to make one text of another.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
