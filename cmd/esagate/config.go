package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"esagate/internal/config"
	"esagate/transform"
)

// configError is every fault of a config that can't be used.
type configError struct {
	file   string
	faults config.Faults
}

// Error lists the faults, one a line, each with its place in the file.
func (e configError) Error() string {
	if _, err := os.Stat(e.file); errors.Is(err, fs.ErrNotExist) && len(e.faults) == 1 && e.faults[0].Path == "" {
		return fileFault(e.file, err).Error()
	}
	text := "the config can't be used:"
	for _, f := range e.faults {
		text += "\n" + f.In(e.file)
	}
	return text
}

// load reads a config and compiles what is code in it: every fault at once.
func load(path string) (*config.Config, *transform.Tasks, error) {
	var tasks *transform.Tasks
	cfg, faults := config.Load(path, os.Environ(), func(c *config.Config) (found []config.Fault) {
		tasks, found = compile(c)
		return found
	})
	if len(faults) > 0 {
		return nil, nil, configError{path, faults}
	}
	return cfg, tasks, nil
}

// compile turns the config's platform tasks into ones that can be evaluated.
func compile(c *config.Config) (*transform.Tasks, []config.Fault) {
	definitions := make([]transform.TaskDefinition, len(c.PlatformTasks))
	for i, t := range c.PlatformTasks {
		definitions[i] = transform.TaskDefinition{
			ID: t.ID, Name: t.Name, Severity: t.Severity, Description: t.Description,
			ConfigurePath: t.ConfigurePath, Enabled: t.Enabled,
		}
		if t.CompleteWhen != nil {
			definitions[i].CompleteWhen = *t.CompleteWhen
		}
		if t.Decides != nil {
			definitions[i].Decides = *t.Decides
		}
	}
	tasks, bad := transform.NewTasks(definitions)
	var faults []config.Fault
	for _, b := range bad {
		if b.Field == "id" && c.PlatformTasks[b.Index].ID == "" {
			continue // that it is missing has been said
		}
		message := b.Message
		if b.Line > 0 {
			message = fmt.Sprintf("%s (line %d, column %d of the expression)", message, b.Line, b.Column)
		}
		faults = append(faults, c.FaultAt(fmt.Sprintf("platform_tasks[%d].%s", b.Index, b.Field), message))
	}
	return tasks, faults
}

// configFlag names the config file.
type configFlag struct {
	Config string `help:"The config file (${default})." default:"config.yaml" placeholder:"FILE"`
}

type checkCommand struct{ configFlag }

// Run reads the config and says so when it is good.
func (c *checkCommand) Run() error {
	cfg, _, err := load(c.Config)
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		fmt.Println("warning:", w)
	}
	fmt.Printf("%s: good\n", c.Config)
	return nil
}

type serveCommand struct {
	configFlag
	Address string `help:"host:port to listen on, in place of the config's." placeholder:"ADDR"`
}

// load reads the config, with what the command line changes of it.
func (c *serveCommand) load() (*config.Config, *transform.Tasks, error) {
	cfg, tasks, err := load(c.Config)
	if err == nil && c.Address != "" {
		cfg.Server.Address = c.Address
	}
	return cfg, tasks, err
}

// Run serves until the process is asked to stop.
func (c *serveCommand) Run(ctx context.Context) error {
	hangups := make(chan os.Signal, 1) // before anything else, and for good: none may end the process
	signal.Notify(hangups, syscall.SIGHUP)
	open := c.answerEarly()
	defer func() { open.close() }()
	cfg, tasks, err := c.load()
	if err != nil {
		return err
	}
	if !open.at(cfg.Server.Address, cfg.Server.AdminAddress) {
		open.close()
		if open, err = openDoors(cfg.Server.Address, cfg.Server.AdminAddress); err != nil { // before anything is written
			return err
		}
	}
	a, err := build(ctx, cfg, c.Config, tasks, os.Stderr)
	open.started()
	if err != nil {
		return err
	}
	a.telemetry.Logger.Info("starting", slog.String("config", c.Config), slog.String("database", cfg.Store.Describe()),
		slog.String("url", cfg.Upstream.BaseURL), slog.Int("keys", len(cfg.Auth.Keys)),
		slog.Bool("traces", cfg.Telemetry.OTLPEndpoint != ""))
	a.reloadOn(hangups, c.load)
	return a.serve(ctx, open.listener, open.admin)
}
