package main

import (
	"os"
	"runtime/debug"
)

// The gateway's live heap is small, so collecting at each doubling of it costs more
// than it saves; the limit keeps a full cache from growing fivefold.
const (
	gcPercent   = 400
	memoryLimit = 256 << 20 // bytes; soft: near it, collections come more often
)

// tuneMemory trades memory for fewer collections, unless the operator has said
// otherwise in Go's own variables.
func tuneMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
