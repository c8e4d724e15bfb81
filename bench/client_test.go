package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// answering gives a client that reads a fixed text, a byte at a time, so that
// nothing rests on how the network cuts it.
func answering(text string) *client {
	return &client{reader: bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(text)), readBuffer)}
}

func TestReadFindsTheEndOfAnAnswer(t *testing.T) {
	const next = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
	for _, c := range []struct {
		name, answer   string
		status, length int
	}{
		{"by its length", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", 200, 5},
		{"name in any case, spaces around the value", "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5 \r\n\r\nhello", 200, 5},
		{"an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0},
		{"a body that looks like a head", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHTTP/1.1 50\n", 200, 12},
		{"304 without a length", "HTTP/1.1 304 Not Modified\r\nEtag: \"a\"\r\n\r\n", 304, 0},
		{"304 with the length that a 200 would have", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, 0},
		{"an error", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}", 503, 2},
		{"more than the buffer holds", "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("x", 40000), 200, 40000},
	} {
		for _, keep := range []bool{false, true} {
			client := answering(c.answer + next)
			client.keep = keep
			status, length, err := client.read()
			if err != nil || status != c.status || length != c.length {
				t.Errorf("%s: got %d, %d, %v", c.name, status, length, err)
			}
			client.keep = true
			if _, _, err := client.read(); err != nil || string(client.body) != "next" {
				t.Errorf("%s: the answer after it is %q, %v", c.name, client.body, err)
			}
		}
	}
}

func TestReadRefusesWhatItCanNotEnd(t *testing.T) {
	for name, answer := range map[string]string{
		"no length":              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello",
		"chunks":                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a length below zero":    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"a length beyond bounds": "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
		"a closing server":       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"an interim answer":      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"another protocol":       "SSH-2.0-thing\r\n\r\n",
		"a short status line":    "HTTP/1.1 20\r\n\r\n",
		"a line without a colon": "HTTP/1.1 200 OK\r\nContent-Length 0\r\n\r\n",
		"a head cut short":       "HTTP/1.1 200 OK\r\nContent-Le",
		"a body cut short":       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"nothing":                "",
	} {
		status, length, err := answering(answer).read()
		if err == nil {
			t.Errorf("%s: taken as %d with %d bytes", name, status, length)
		}
		// What the head forbids is refused by the head, not because no more came.
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if cut := answer == "" || strings.HasSuffix(name, "cut short"); ended != cut {
			t.Errorf("%s: refused with %v", name, err)
		}
	}
}

func TestKeepingAnAnswer(t *testing.T) {
	c := answering("HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nCache-Status: esagate; hit\r\nContent-Length: 2\r\n\r\n{}" +
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	c.keep = true
	if _, _, err := c.read(); err != nil || c.etag != `"abc"` || c.cache != "esagate; hit" || string(c.body) != "{}" {
		t.Fatalf("kept %q, %q, %q, %v", c.etag, c.cache, c.body, err)
	}
	if _, _, err := c.read(); err != nil || c.etag != "" || c.cache != "" || len(c.body) != 0 {
		t.Fatalf("the answer before is still there: %q, %q, %q, %v", c.etag, c.cache, c.body, err)
	}
}

// TestWorkAdoptsANewTag plays a server whose document changes once.
func TestWorkAdoptsANewTag(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	script := []struct{ tag, answer string }{ // what If-None-Match must be, and what is answered
		{"", "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n"},
		{`"1"`, "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{`"1"`, "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 3\r\n\r\nnew"},
		{"", "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 3\r\n\r\nnew"},
		{`"2"`, "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{`"2"`, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
	}
	go func() {
		defer there.Close()
		lines := bufio.NewScanner(there)
		for _, s := range script {
			tag := ""
			for lines.Scan() && lines.Text() != "" {
				if value, ok := strings.CutPrefix(lines.Text(), "If-None-Match: "); ok {
					tag = value
				}
			}
			if tag != s.tag {
				t.Errorf("If-None-Match is %q, expected %q", tag, s.tag)
			}
			if _, err := there.Write([]byte(s.answer)); err != nil {
				t.Error(err)
			}
		}
	}()
	var counted tally
	c := &client{conn: here, reader: bufio.NewReaderSize(here, readBuffer)}
	conditional := targets(nil, nil)[3]
	if err := conditional.work(c, 0, &counted, &stage{}); err == nil || err.Error() != "status 500" {
		t.Fatalf("ended with %v", err)
	}
	if n, full, size := counted.requests.Load(), counted.full.Load(), counted.bytes.Load(); n != 4 || full != 1 || size != 3 {
		t.Errorf("counted %d requests, %d of them with a body, %d bytes", n, full, size)
	}
}
