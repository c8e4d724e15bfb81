package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"esagate/internal/terminal"
)

type statusCommand struct {
	Source   string   `arg:"" optional:"" help:"The sourceId or esaId of one source, to see all that is known of it; without one, all sources."`
	URL      string   `help:"The gateway's address." env:"ESAGATE_URL" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key      string   `help:"The API key. Other users of this machine can see it here: better set $$ESAGATE_KEY." placeholder:"KEY" xor:"key"`
	KeyFile  string   `help:"A file that holds the API key; - is the standard input." placeholder:"FILE" xor:"key"`
	Customer *int64   `help:"The customer whose sources to show, with an operator's key." placeholder:"N"`
	State    []string `help:"Only sources in these states: ${states}." placeholder:"S"`
	JSON     bool     `name:"json" help:"Print the API's document; with --watch, a line of JSON for each event."`
	Watch    bool     `help:"Go on and show what changes, until Ctrl-C."`
	Color    string   `help:"When to write colours: auto, always or never." enum:"auto,always,never" default:"auto" placeholder:"WHEN"`
}

// Help says what the exit codes are, and how to begin.
func (*statusCommand) Help() string {
	return `Exit codes: 0, no source that was asked for is blocked or down; 1, at least one is; 2, that could not be found out (no answer, no key, a command line that can't be used). With --watch it is how they stand at the end.

With auto there are colours where the standard output is a terminal, NO_COLOR is not set and TERM is not dumb.`
}

// exitCode ends the program with a code and says nothing more.
type exitCode int

// Error implements error.
func (exitCode) Error() string { return "" }

// unfit is an error of a command line that can't be used, or of a question that could not be asked.
type unfit struct{ error }

// Run prints how sources stand.
func (c *statusCommand) Run(ctx context.Context) error {
	bad, err := c.run(ctx)
	switch {
	case err != nil:
		return unfit{err}
	case bad:
		return exitCode(1)
	}
	return nil
}

func (c *statusCommand) run(ctx context.Context) (bad bool, err error) {
	for _, s := range c.State {
		if !slices.Contains(terminal.States, s) {
			return false, fmt.Errorf("--state must be of %s", strings.Join(terminal.States, ", "))
		}
	}
	switch {
	case c.Source != "" && len(c.State) > 0:
		return false, errors.New("--state is for all sources: leave it out with one of them")
	case c.Customer != nil && *c.Customer < 1:
		return false, errors.New("--customer must be a positive number")
	}
	key, err := c.key()
	if err != nil {
		return false, err
	}
	options := terminal.Options{URL: c.URL, Key: key, UserAgent: "esagate/" + version}
	if c.Customer != nil {
		options.Customer = *c.Customer
	}
	client, err := terminal.NewClient(options)
	if err != nil {
		return false, err
	}
	defer client.Close()
	if c.Watch {
		bad, err = c.watch(ctx, client)
	} else {
		bad, err = c.once(ctx, client)
	}
	if p, ok := errors.AsType[*terminal.Problem](err); ok && p.Refused && (key == demoKey || key == demoOperator) {
		err = errors.New("only esagate demo knows the demo's key: make one with esagate key new, or see auth.keys of the config")
	}
	return bad, err
}

// key gives the key by the way it was given.
func (c *statusCommand) key() (string, error) {
	const most = 16 << 10 // access tokens are long
	var file io.Reader
	switch c.KeyFile {
	case "":
		return cmp.Or(c.Key, os.Getenv("ESAGATE_KEY")), nil
	case "-":
		file = os.Stdin
	default:
		opened, err := os.Open(c.KeyFile)
		if err != nil {
			return "", fileFault(c.KeyFile, err)
		}
		defer func() { _ = opened.Close() }()
		file = opened
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return "", errors.New("the key can't be read")
	}
	return strings.TrimSpace(string(text)), nil
}

// once prints how sources stand now.
func (c *statusCommand) once(ctx context.Context, client *terminal.Client) (bad bool, err error) {
	v := terminal.View{Colour: c.colour(), Now: time.Now()}
	if columns, _ := terminalSize(); isTerminal() {
		v.Width = columns
	}
	if c.Source != "" {
		row, err := client.Source(ctx, c.Source)
		switch {
		case err != nil:
			return false, err
		case c.JSON:
			_, err = fmt.Printf("%s\n", row.JSON())
		default:
			err = row.Details(os.Stdout, v)
		}
		return row.Bad(), err
	}
	wall, err := client.Overview(ctx, c.State, "", false)
	switch {
	case err != nil:
		return false, err
	case c.JSON:
		_, err = fmt.Printf("%s\n", wall.JSON())
	default:
		err = wall.Table(os.Stdout, v)
	}
	return wall.Bad(), err
}

// watch shows how sources stand until it is interrupted.
func (c *statusCommand) watch(ctx context.Context, client *terminal.Client) (bad bool, err error) {
	w := &terminal.Watch{
		Client: client, Source: c.Source, States: c.State, JSON: c.JSON, Out: os.Stdout, Err: os.Stderr, Colour: c.colour(),
	}
	if isTerminal() && !c.JSON && os.Getenv("TERM") != "dumb" {
		w.Screen = &terminal.Screen{Out: os.Stdout, Size: terminalSize}
	}
	return w.Run(ctx)
}

func (c *statusCommand) colour() bool {
	return c.Color == "always" ||
		c.Color == "auto" && isTerminal() && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// isTerminal reports whether people read the standard output.
func isTerminal() bool { return term.IsTerminal(int(os.Stdout.Fd())) }

func terminalSize() (columns, rows int) {
	columns, rows, _ = term.GetSize(int(os.Stdout.Fd()))
	return columns, rows
}
