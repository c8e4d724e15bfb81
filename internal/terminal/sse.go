package terminal

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxEvent bounds a line of a stream of events, and what is kept of an event.
const maxEvent = 1 << 20

var errLongEvent = errors.New("an event is too long")

// event is one of a stream.
type event struct {
	name string
	data []byte
}

// eventReader reads a stream of events (text/event-stream, HTML 9.2.6).
type eventReader struct {
	lines  *bufio.Reader
	begun  bool // the first line has been read
	afterR bool // a line has ended with a CR: an LF that follows is part of that end

	id    string        // of the last event, which the next stream goes on behind
	retry time.Duration // when to come back after the stream's end; 0: it did not say
}

func newEventReader(r io.Reader) *eventReader {
	return &eventReader{lines: bufio.NewReader(r)}
}

// next gives the next event that has data. What is incomplete at the end of the stream is none.
func (r *eventReader) next() (event, error) {
	e, id, hasData := event{}, r.id, false
	for {
		text, err := r.line()
		if err != nil {
			return event{}, err
		}
		if text == "" {
			r.id = id
			if hasData {
				return e, nil
			}
			e = event{}
			continue
		}
		field, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "data":
			if hasData {
				e.data = append(e.data, '\n')
			}
			e.data, hasData = append(e.data, value...), true
			if len(e.data) > maxEvent {
				return event{}, errLongEvent
			}
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil && value[0] != '+' {
				r.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// line reads one line, which ends with CR, LF or both.
func (r *eventReader) line() (string, error) {
	var text []byte
	for {
		c, err := r.lines.ReadByte()
		if err != nil {
			return "", err
		}
		skip := c == '\n' && r.afterR
		r.afterR = c == '\r'
		switch {
		case skip:
		case c == '\n' || c == '\r':
			out := string(text)
			if !r.begun {
				r.begun = true
				out = strings.TrimPrefix(out, "\ufeff")
			}
			return out, nil
		case len(text) == maxEvent:
			return "", errLongEvent
		default:
			text = append(text, c)
		}
	}
}
