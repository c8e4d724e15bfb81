package registrytest

import "math"

// page is what is asked of a list, and the part of it, from and up to, that is given.
type page struct{ skip, take, from, to int }

// pagesOf gives the pages of a list of n rows that tell a right answer from a wrong
// one; n is 6 to 9.
func pagesOf(n int) []page {
	return []page{
		{0, n, 0, n},
		{0, n + 1, 0, n},
		{0, math.MaxInt, 0, n},
		{0, 3, 0, 3},
		{3, 3, 3, 6},
		{6, 3, 6, n},
		{n, 3, n, n},
		{math.MaxInt, 3, n, n},
		{0, 0, 0, 0},
		{0, -1, 0, 0},
		{-5, 2, 0, 2},
	}
}
