package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"esagate/internal/terminal"
	"esagate/upstream/upstreamtest"
)

// stopsInBackground is SIGTTIN on Linux, macOS and the BSDs; elsewhere nothing sends it.
const stopsInBackground = syscall.Signal(21)

// menu prints the numbers and names of the scenes.
func (d *demo) menu() {
	line := ""
	for i, s := range upstreamtest.Scenes() {
		item := fmt.Sprintf("  %d %s", i+1, s.Name)
		if utf8.RuneCountInString(line+item) > demoColumns {
			fmt.Fprintln(d.out, line)
			line = ""
		}
		line += item
	}
	fmt.Fprintln(d.out, line)
}

// readScenes plays the scenes whose numbers are typed. The end of its input ends nothing but that.
func (d *demo) readScenes(from *os.File) {
	info, err := from.Stat()
	if err != nil || info.Mode()&(os.ModeCharDevice|os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	// In the background a read fails then, and does not stop the whole program.
	signal.Ignore(stopsInBackground)
	go func() { // ends with the program at the latest: no read of a terminal can be ended
		lines := bufio.NewScanner(from)
		for lines.Scan() {
			if typed := strings.TrimSpace(lines.Text()); typed != "" {
				d.says(d.play(typed))
			}
		}
	}()
}

// play plays a scene by its number or name, and gives what it tells.
func (d *demo) play(typed string) string {
	name := typed
	if n, err := strconv.Atoi(typed); err == nil && n > 0 && n <= len(upstreamtest.Scenes()) {
		name = upstreamtest.Scenes()[n-1].Name
	}
	s, ok := upstreamtest.FindScene(name)
	if !ok {
		return "There is no scene " + terminal.Safe(typed) + ": type a number from 1 to " + strconv.Itoa(len(upstreamtest.Scenes())) + "."
	}
	d.agent.Play(s)
	return s.Tells
}
