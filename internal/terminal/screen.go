package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Control sequences of a screen that is drawn over and over: the alternate one, without a cursor
// and with lines that are cut where it ends.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	endOfLine   = "\x1b[K\r\n"
	endOfScreen = "\x1b[K\x1b[J"
)

// Screen is a terminal that a watch draws over.
type Screen struct {
	Out  io.Writer
	Size func() (columns, rows int) // as it is now; 0: not known

	entered bool
	last    string
}

func (s *Screen) width() int {
	columns, _ := s.Size()
	return columns
}

// draw writes what show writes, and a line at the foot, where it differs from what is there.
func (s *Screen) draw(foot string, show func(to io.Writer, columns, rows int)) {
	columns, rows := s.Size()
	if rows < 2 {
		rows = 24
	}
	var frame bytes.Buffer
	show(&frame, columns, rows-1)
	lines := strings.Split(strings.TrimRight(frame.String(), "\n"), "\n")
	lines = append(lines[:min(len(lines), rows-2)], "", foot)
	text := strings.Join(lines, endOfLine) + endOfScreen
	if key := fmt.Sprint(columns, rows, text); key != s.last {
		if s.last = key; !s.entered {
			s.entered = true
			text = home + text
			_, _ = io.WriteString(s.Out, enterScreen+text)
			return
		}
		_, _ = io.WriteString(s.Out, home+text)
	}
}

// leave gives the terminal back as it was.
func (s *Screen) leave() {
	if s.entered {
		s.entered = false
		_, _ = io.WriteString(s.Out, leaveScreen)
	}
}
