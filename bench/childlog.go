package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// childLog reads what a child says on stderr: the address that it serves on, that
// its profile is written, and the last lines for when it fails.
type childLog struct {
	address  chan string
	profiled chan struct{} // a profile has been written
	ended    chan struct{}

	mu      sync.Mutex
	partial []byte
	lines   []string
}

const (
	logLines    = 20
	logLineSize = 64 << 10
)

func newChildLog() *childLog {
	return &childLog{address: make(chan string, 1), profiled: make(chan struct{}, 1), ended: make(chan struct{})}
}

// watch closes ended when wait returns.
func (l *childLog) watch(wait func()) {
	go func() {
		defer close(l.ended)
		wait()
	}()
}

// Write implements io.Writer.
func (l *childLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, ok := bytes.Cut(l.partial, []byte("\n"))
		if !ok {
			break
		}
		l.take(line)
		l.partial = rest
	}
	if len(l.partial) > logLineSize {
		l.partial = nil
	}
	return len(p), nil
}

func (l *childLog) take(line []byte) {
	l.lines = append(l.lines, string(line))
	if len(l.lines) > logLines {
		l.lines = l.lines[1:]
	}
	var said struct {
		Msg, Address string
	}
	if json.Unmarshal(line, &said) != nil {
		return
	}
	switch said.Msg {
	case "serving":
		tell(l.address, said.Address)
	case "profiled":
		tell(l.profiled, struct{}{})
	}
}

// tell sends, unless there is no receiver any more.
func tell[T any](to chan<- T, what T) {
	select {
	case to <- what:
	default:
	}
}

func (l *childLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
