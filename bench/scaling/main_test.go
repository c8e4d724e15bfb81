package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// TestPage: docs/scaling.md shows what the program says without flags.
func TestPage(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	s := flags(f)
	if err := f.Parse(nil); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	now, err := replaced(old, s.tables())
	if err != nil {
		t.Fatal(err)
	}
	if string(now) != string(old) {
		t.Errorf("the tables are out of date: go run ./bench/scaling -write")
	}
	for _, unit := range []string{"| 1k ", "| 10M ", "fits"} {
		if !strings.Contains(string(now), unit) {
			t.Errorf("no %q in the tables", unit)
		}
	}
}

func TestShort(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.06: "0.06", 1.24: "1.2", 9.96: "10", 20: "20", 999: "999", 999.9: "1k", 1240: "1.2k", 1e7: "10M", 2.9e9: "2.9G"} {
		if got := short(x); got != want {
			t.Errorf("%v is %q, expected %q", x, got, want)
		}
	}
}
