package main

import (
	"slices"
	"testing"
)

func TestPercentiles(t *testing.T) {
	hundred := make(sample[int], 100)
	for i := range hundred {
		hundred[i] = 100 - i // 100 down to 1
	}
	for _, c := range []struct {
		name                     string
		s                        sample[int]
		least, median, p99, most int
	}{
		{"none", nil, 0, 0, 0, 0},
		{"one", sample[int]{7}, 7, 7, 7, 7},
		{"two", sample[int]{9, 3}, 3, 3, 9, 9},
		{"three", sample[int]{9, 1, 3}, 1, 3, 9, 9},
		{"a hundred", hundred, 1, 50, 99, 100},
	} {
		before := slices.Clone(c.s)
		if got := []int{c.s.least(), c.s.median(), c.s.percentile(0.99), c.s.most()}; !slices.Equal(got, []int{c.least, c.median, c.p99, c.most}) {
			t.Errorf("%s: least, median, p99, most are %v", c.name, got)
		}
		if !slices.Equal(before, c.s) {
			t.Errorf("%s: the sample was put in another order", c.name)
		}
	}
}

func TestRatio(t *testing.T) {
	if got := ratio(3.0, 4.0); got != 0.75 {
		t.Errorf("3 of 4 is %v", got)
	}
	if got := ratio(3.0, 0.0); got != 0 {
		t.Errorf("3 of nothing is %v", got)
	}
}
