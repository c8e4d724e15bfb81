package main

import (
	"fmt"
	"math"
)

// short writes a number with two digits, and k, M, G or T.
func short(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if x >= 0.9995*unit.size {
			return digits(x/unit.size) + unit.name
		}
	}
	return digits(x)
}

// digits writes a number below a thousand with two digits at least.
func digits(x float64) string {
	if x >= 9.95 || x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2g", x)
}
