package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one kept-alive HTTP/1.1 connection that sends requests made in
// advance and reads of each answer what is needed to find its end. It costs the
// same for every target, and little: what it costs is taken from the same
// processors that the targets run on.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	keep   bool // take in the headers and bodies of the answers as well
	etag   string
	cache  string // Cache-Status
	body   []byte
}

// readBuffer holds a whole answer of the usual size, so that one read fetches it.
const readBuffer = 16 << 10

// maxBody bounds the answers taken; nothing here is near it.
const maxBody = 1 << 20

// dial opens a connection whose every read and write must end by the deadline.
func dial(address string, deadline time.Time) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &client{conn: conn, reader: bufio.NewReaderSize(conn, readBuffer)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// do sends a request and reads its answer to the end. It gives the status and the
// body's length in bytes.
func (c *client) do(request []byte) (status, length int, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, 0, err
	}
	return c.read()
}

// header names in the way the wire may spell them, compared without case.
var (
	contentLength    = []byte("content-length")
	transferEncoding = []byte("transfer-encoding")
	connection       = []byte("connection")
	etag             = []byte("etag")
	cacheStatus      = []byte("cache-status")
)

func (c *client) read() (status, length int, err error) {
	line, err := c.line()
	if err != nil {
		return 0, 0, err
	}
	// HTTP/1.1 200 OK
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, errors.New("this is no HTTP/1.1 answer")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil || status < 200 {
		return 0, 0, fmt.Errorf("can't take an answer with the status %q", line[9:12])
	}
	length = -1
	if c.keep {
		c.etag, c.cache, c.body = "", "", c.body[:0]
	}
	for {
		if line, err = c.line(); err != nil {
			return 0, 0, err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return 0, 0, errors.New("a header line without a colon")
		}
		if err := c.header(name, bytes.TrimSpace(value), &length); err != nil {
			return 0, 0, err
		}
	}
	if status == 204 || status == 304 { // never a body, whatever the headers say
		return status, 0, nil
	}
	if length < 0 || length > maxBody {
		return 0, 0, errors.New("an answer without a usable Content-Length")
	}
	if c.keep {
		c.body = append(c.body, make([]byte, length)...)
		_, err = io.ReadFull(c.reader, c.body)
	} else {
		_, err = c.reader.Discard(length)
	}
	return status, length, err
}

// header looks at one header line of an answer.
func (c *client) header(name, value []byte, length *int) error {
	switch {
	case bytes.EqualFold(name, contentLength):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return errors.New("a Content-Length that is no length")
		}
		*length = n
	case bytes.EqualFold(name, transferEncoding):
		return errors.New("an answer in chunks, which this client does not read")
	case bytes.EqualFold(name, connection) && bytes.EqualFold(value, []byte("close")):
		return errors.New("the server closes the connection")
	case c.keep && bytes.EqualFold(name, etag):
		c.etag = string(value)
	case c.keep && bytes.EqualFold(name, cacheStatus):
		c.cache = string(value)
	}
	return nil
}

// line reads one line of the head, without its end.
func (c *client) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// statusRequest makes the request for a source's status. All targets get the same
// headers but for those given here as whole lines ("Accept-Encoding: gzip").
func statusRequest(sourceID string, lines ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET /api/v2/storefront/inventory-sources/%s/status HTTP/1.1\r\n", sourceID)
	fmt.Fprintf(&b, "Host: gateway.test\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n", clientKey)
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// fetch asks once on a connection of its own. The client it gives is closed and
// holds the answer.
func fetch(address string, request []byte) (*client, int, error) {
	c, err := dial(address, time.Now().Add(10*time.Second))
	if err != nil {
		return nil, 0, err
	}
	defer c.close()
	c.keep = true
	status, _, err := c.do(request)
	return c, status, err
}
