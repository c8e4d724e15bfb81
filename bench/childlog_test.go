package main

import (
	"strings"
	"testing"
)

func TestChildLogFindsTheAddress(t *testing.T) {
	l := newChildLog()
	for _, part := range []string{
		"not JSON\n", `{"msg":"starting","address":"127.0.0.1:1"}` + "\n", `{"level":"INFO","msg":"ser`, `ving","address":"127.0.0.1:2"}`,
	} {
		_, _ = l.Write([]byte(part)) // never fails
	}
	select {
	case a := <-l.address:
		t.Fatalf("took %q from a line without an end", a)
	default:
	}
	_, _ = l.Write([]byte("\n" + `{"msg":"serving","address":"127.0.0.1:3"}` + "\n" + strings.Repeat("more\n", 2*logLines)))
	if a := <-l.address; a != "127.0.0.1:2" {
		t.Errorf("the address is %q", a)
	}
	if kept := strings.Count(l.tail(), "more"); kept != logLines {
		t.Errorf("%d lines kept", kept)
	}
}
