package main

// This file is compiled into two programs: this one, and with -profile also the
// gateway (through go build's -overlay), so that what is profiled is the real
// binary and nothing has to be wired a second time. It therefore uses nothing of
// the package around it, and does nothing unless profileVar is set.

import (
	"bufio"
	"fmt"
	"os"
	"runtime/pprof"
)

// profileVar names a file to write the CPU profile to; the allocations go into
// the same name with ".allocs" at its end.
const profileVar = "BENCH_PROFILE"

func init() {
	if path := os.Getenv(profileVar); path != "" {
		go followProfileOrders(path)
	}
}

// followProfileOrders reads "start" and "stop" from standard input, and says on
// standard error when a profile is written, so that it covers the load alone.
func followProfileOrders(path string) {
	var file *os.File
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var err error
		switch orders.Text() {
		case "start":
			if file, err = os.Create(path); err == nil {
				err = pprof.StartCPUProfile(file)
			}
		case "stop":
			pprof.StopCPUProfile()
			if err = file.Close(); err == nil {
				err = writeAllocs(path + ".allocs")
			}
			if err == nil {
				fmt.Fprintln(os.Stderr, `{"msg":"profiled"}`)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
		}
	}
}

func writeAllocs(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	err = pprof.Lookup("allocs").WriteTo(file, 0)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
