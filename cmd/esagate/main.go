// Command esagate is the gateway: serve runs it, demo shows it before a
// simulated sales agent, check reads a config and says what is wrong with it, key
// makes and revokes keys, migrate brings the database up to date, status shows how
// sources stand, call makes any operation of the API, health asks a gateway how it is, version says what it was built from.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/alecthomas/kong"

	"esagate/internal/terminal"
)

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the gateway."`
	Demo    demoCommand    `cmd:"" help:"Run the gateway before a simulated sales agent: nothing to install or to configure."`
	Status  statusCommand  `cmd:"" help:"Show how all sources stand, the worst first, or all that is known of one."`
	Call    callCommand    `cmd:"" help:"Make an operation of the API, or list them."`
	Health  healthCommand  `cmd:"" help:"Ask a gateway on this machine whether it takes requests, for containers."`
	Check   checkCommand   `cmd:"" help:"Say everything that is wrong with a config file, and nothing of its values."`
	Key     keyCommands    `cmd:"" help:"API keys, and the key that encrypts."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's tables up to date, as serve does when it starts."`
	Version versionCommand `cmd:"" help:"Print the version, and what it was built from."`
	Help    helpCommand    `cmd:"" help:"Print what a command does, and its flags."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version alone."`
}

// Exit codes of all commands but those that say so.
const (
	exitDone   = 0
	exitFailed = 1
	exitUnfit  = 2 // the command line or the config can't be used
)

func main() {
	tuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	context.AfterFunc(ctx, stop)              // a second signal ends the process at once, but for delayedStop
	go followHeap(ctx, mayUse(os.DirFS("/"))) // from now on: a config of many sources takes more than the least limit to read
	os.Exit(run(ctx, os.Args[1:]))
}

// run gives the exit code.
func run(ctx context.Context, args []string) int {
	parser, err := newParser(ctx)
	if err != nil {
		return fail(err, exitFailed)
	}
	parsed, err := parser.Parse(args)
	if err == nil {
		err = parsed.Run()
	}
	if bad, ok := errors.AsType[*kong.ParseError](err); ok { // of help's own, too
		return misused(bad)
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	_, badConfig := errors.AsType[configError](err)
	_, badLine := errors.AsType[unfit](err)
	switch {
	case badConfig || badLine:
		return fail(err, exitUnfit)
	case err != nil:
		return fail(err, exitFailed)
	}
	return exitDone
}

func fail(err error, code int) int {
	fmt.Fprintln(os.Stderr, "esagate:", err)
	return code
}

func newParser(ctx context.Context) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("esagate"), kong.Description("A gateway before a managed sales agent.\n\n"+
			"Exit codes: 0, it is done; 1, it failed; 2, the command line or the config can't be used. "+
			"Where a command has others, its own help says so."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Help(printHelp),
		kong.Vars{"version": version, "states": strings.Join(terminal.States, ", ")}, kong.BindTo(ctx, (*context.Context)(nil)))
}

// misused says what is wrong with a command line, and what a right one looks like. What was asked
// for goes to the standard output, this to the standard error.
func misused(bad *kong.ParseError) int {
	fmt.Fprintln(os.Stderr, "esagate:", bad)
	bad.Context.Stdout = os.Stderr
	_ = kong.DefaultShortHelpPrinter(kong.HelpOptions{}, bad.Context)
	return exitUnfit
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command (key new, say); without one, all are listed."`
}

// Run prints help as --help does.
func (c *helpCommand) Run(ctx context.Context) error {
	parser, err := newParser(ctx)
	if err != nil {
		return err
	}
	_, err = parser.Parse(append(c.Command, "--help")) // ends the program, unless there is no such command
	return err
}
