package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"esagate/internal/terminal"
)

type statusCommand struct {
	Source string `arg:"" optional:"" help:"The sourceId or esaId of one source, to see all that is known of it; without one, all sources."`
	gatewayFlags
	State []string `help:"Only sources in these states: ${states}." placeholder:"S"`
	JSON  bool     `name:"json" help:"Print the API's document; with --watch, a line of JSON for each event."`
	Watch bool     `help:"Go on and show what changes, until Ctrl-C."`
	Color string   `help:"When to write colours: auto, always or never." enum:"auto,always,never" default:"auto" placeholder:"WHEN"`
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
	if c.Source != "" && len(c.State) > 0 {
		return false, errors.New("--state is for all sources: leave it out with one of them")
	}
	return bad, c.ask(0, func(client *terminal.Client) error {
		show := c.once
		if c.Watch {
			show = c.watch
		}
		bad, err = show(ctx, client)
		return err
	})
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
	return c.Color == "always" || c.Color == "auto" && mayColour()
}
