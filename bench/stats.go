package main

import (
	"cmp"
	"math"
	"slices"
)

// sample is a set of measurements of one kind.
type sample[T cmp.Ordered] []T

// percentile gives the smallest value that at least p (0 to 1) of the sample does
// not exceed (the nearest-rank definition); the zero value of an empty sample.
func (s sample[T]) percentile(p float64) T {
	var none T
	if len(s) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(s))
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median of an even number of values is the lower of the two in the middle, so
// that it is always one that was measured.
func (s sample[T]) median() T { return s.percentile(0.5) }

func (s sample[T]) least() T { return s.percentile(0) }

func (s sample[T]) most() T { return s.percentile(1) }

// ratio divides; 0 where there is nothing to divide by.
func ratio[T ~int64 | ~float64](a, b T) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
