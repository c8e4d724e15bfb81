// Package growth computes what a fleet of replicas asks of the systems around it: the sales agent, Redis and the
// database.
package growth

import (
	"math"
	"sort"
)

// Picker gives a function that maps a number of [0, 1) to one of n sources, so that even numbers give a Zipf law with
// an exponent.
func Picker(n int, exponent float64) func(float64) int {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += math.Pow(float64(i+1), -exponent)
		sums[i] = total
	}
	return func(u float64) int { return sort.SearchFloat64s(sums, u*total) }
}

// band is sources of nearly the same rank, read equally often.
type band struct {
	count float64
	reads float64 // a second, of each
}

// exact is how many of the most read sources have a band of their own.
const exact = 1000

// bands divides n sources that are read so often in a second altogether, by a Zipf law. Beyond the first ones a band is a
// hundredth of its rank wide, so that ten million sources take some two thousand bands.
func bands(n int, reads, exponent float64) []band {
	var all []band
	weights := 0.0
	for first := 1; first <= n; {
		width := 1
		if first > exact {
			width = first / 100
		}
		width = min(width, n-first+1)
		weight := math.Pow(float64(first)+float64(width-1)/2, -exponent)
		all = append(all, band{float64(width), weight})
		weights += float64(width) * weight
		first += width
	}
	for i := range all {
		all[i].reads *= reads / weights
	}
	return all
}
