package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/term"

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

// typed gives a file where it is one that somebody may write to while the demo runs.
func typed(f *os.File) io.Reader {
	info, err := f.Stat()
	if err != nil || !term.IsTerminal(int(f.Fd())) && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil
	}
	return f
}

// readScenes plays the scenes that are typed, and tells the story. The end of the input ends nothing but that.
func (d *demo) readScenes() {
	if d.scenes == nil {
		return
	}
	// In the background a read fails then, and does not stop the whole program.
	signal.Ignore(stopsInBackground)
	go func() { // ends with the program at the latest: no read of a terminal can be ended
		lines := bufio.NewScanner(d.scenes)
		for lines.Scan() {
			switch typed := strings.TrimSpace(lines.Text()); typed {
			case "":
			case byCall, byCurl:
				d.tellStory(typed)
			default:
				d.says(d.play(typed))
			}
		}
	}()
}

// play plays a scene by its number or name, and gives what it tells.
func (d *demo) play(scene string) string {
	name := scene
	if n, err := strconv.Atoi(scene); err == nil && n > 0 && n <= len(upstreamtest.Scenes()) {
		name = upstreamtest.Scenes()[n-1].Name
	}
	s, ok := upstreamtest.FindScene(name)
	if !ok {
		return "There is no scene " + terminal.Safe(scene) + ": type a number from 1 to " + strconv.Itoa(len(upstreamtest.Scenes())) + "."
	}
	d.agent.Play(s)
	return s.Tells
}
