package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/alecthomas/kong"

	"esagate/api"
	"esagate/internal/terminal"
)

const (
	callPatience = 3 * time.Minute // the gateway tries ad servers for longer than a minute (upstream.probe_timeout)
	maxCallBody  = 16 << 20
)

type callCommand struct {
	Operation string   `arg:"" optional:"" help:"The operationId, as listEsaSignals; with --help its parameters and its body are shown. Without one, or with a group's name, operations are listed."`
	Arguments []string `arg:"" optional:"" name:"name=value" sep:"none" help:"Parameters of its path and query; source=NAME stands for esaId."`
	Body      string   `help:"A file that holds the body; - is the standard input." placeholder:"FILE" xor:"body"`
	Data      string   `short:"d" help:"The body itself. Other users of this machine can see it here: no place for credentials." placeholder:"JSON" xor:"body"`
	gatewayFlags
}

// Help says what the exit codes are.
func (*callCommand) Help() string {
	return `The answer is JSON: in one line, or indented where people read it. What is wrong is told on the standard error, a line each.

Exit codes: 0, it is done; 1, the gateway does not do what was asked, and has changed nothing; 2, that is not known (no answer or none for now, no key or a wrong one), or the command line can't be used.`
}

// Run lists operations, or makes one.
func (c *callCommand) Run(ctx context.Context) error {
	if c.Operation == "" {
		return list(terminal.Operations())
	}
	found, err := terminal.Find(c.Operation)
	if err != nil {
		return unfit{err}
	}
	if found[0].ID != c.Operation {
		return list(found)
	}
	err = c.call(ctx, found[0])
	p, ok := errors.AsType[*terminal.Problem](err)
	switch {
	case ok && p.Judged:
		for _, line := range p.Lines {
			fmt.Fprintln(os.Stderr, "esagate:", line)
		}
		if len(p.Lines) == 0 {
			fmt.Fprintln(os.Stderr, "esagate:", p)
		}
		return exitCode(1)
	case err != nil:
		return unfit{err}
	}
	return nil
}

func list(ops []*api.Operation) error {
	v := terminal.View{Colour: mayColour()}
	if isTerminal() {
		v.Width, _ = terminalSize()
	}
	return terminal.List(os.Stdout, v, ops)
}

func (c *callCommand) call(ctx context.Context, op *api.Operation) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	return c.ask(callPatience, func(client *terminal.Client) error {
		answer, err := client.Call(ctx, op, c.Arguments, body)
		if err != nil || answer == nil {
			return err
		}
		_, err = fmt.Printf("%s\n", terminal.JSON(answer, isTerminal()))
		return err
	})
}

// body gives the body by the way it was given; nil: there is none.
func (c *callCommand) body() ([]byte, error) {
	switch {
	case c.Data != "":
		return []byte(c.Data), nil
	case c.Body == "":
		return nil, nil
	case c.Body == "-" && c.KeyFile == "-":
		return nil, errors.New("the standard input can't be both the body and the key")
	}
	body, err := readInput(c.Body, maxCallBody+1)
	if err == nil && len(body) > maxCallBody {
		err = fmt.Errorf("the body is larger than %d MiB", maxCallBody>>20)
	}
	return body, err
}

// printHelp prints what an operation takes where one is named, else what kong does.
func printHelp(o kong.HelpOptions, ctx *kong.Context) error {
	command := ctx.Selected()
	if command == nil || command.Target.Type() != reflect.TypeFor[callCommand]() || len(command.Positional) == 0 {
		return kong.DefaultHelpPrinter(o, ctx)
	}
	for _, element := range ctx.Path {
		if element.Positional != command.Positional[0] {
			continue
		}
		found, err := terminal.Find(ctx.Value(element).String())
		switch {
		case err != nil:
			return unfit{err}
		case found[0].ID != ctx.Value(element).String():
			return list(found)
		}
		return terminal.Describe(ctx.Stdout, found[0])
	}
	return kong.DefaultHelpPrinter(o, ctx)
}
