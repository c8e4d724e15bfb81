// Command esagate is the gateway: serve runs it, demo shows it before a
// simulated sales agent, check reads a config and says what is wrong with it, key
// makes and revokes keys, migrate brings the database up to date.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/alecthomas/kong"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = "dev"

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the gateway."`
	Demo    demoCommand    `cmd:"" help:"Run the gateway before a simulated sales agent: nothing to install or to configure."`
	Check   checkCommand   `cmd:"" help:"Say everything that is wrong with a config file, and nothing of its values."`
	Key     keyCommands    `cmd:"" help:"API keys, and the key that encrypts."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's tables up to date, as serve does when it starts."`

	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	tuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once, but for delayedStop
	os.Exit(run(ctx, os.Args[1:]))
}

// run gives the exit code: 0, 1 for a failure, 2 for a config that can't be used.
func run(ctx context.Context, args []string) int {
	parser, err := kong.New(&commands{},
		kong.Name("esagate"), kong.Description("A gateway before a managed sales agent."),
		kong.Vars{"version": version}, kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "esagate:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	err = parsed.Run()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "esagate:", err)
	if _, ok := errors.AsType[configError](err); ok {
		return 2
	}
	return 1
}
