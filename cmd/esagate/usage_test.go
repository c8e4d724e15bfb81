package main_test

import (
	"runtime"
	"strings"
	"testing"
)

// TestUsage: what was asked for goes to the standard output with exit code 0; what is wrong with a
// command line goes to the standard error with 2, with a hint where there is one.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		line string
		want string
		code int
	}{
		{"help", "Commands:", 0},
		{"--help", "Exit codes: 0,", 0},
		{"help key new", "Usage: esagate key new", 0},
		{"serve --help", "Usage: esagate serve", 0},
		{"--version", "dev\n", 0},
		{"version", "esagate dev\ncommit ", 0},
		{"version", runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, 0},
		{"", `expected one of "serve"`, 2},
		{"servee", `did you mean "serve"?`, 2},
		{"serve --confg x", `did you mean "--config"?`, 2},
		{"serve --confg x", "Usage: esagate serve", 2},
		{"help nothing", "unexpected argument nothing", 2},
		{"demo --address 8080", "8080 must be host:port", 2},
		{"key revoke one", "Usage: esagate key revoke", 2},
	} {
		out, errs, code := command(t, nil, strings.Fields(c.line)...)
		told, silent := out, errs
		if c.code != 0 {
			told, silent = errs, out
		}
		if code != c.code || silent != "" || !strings.Contains(told, c.want) {
			t.Errorf("esagate %s: %d\n-- out: %s\n-- err: %s", c.line, code, out, errs)
		}
	}
}

// TestATenantOfAnotherSource: a fault that shows in the database alone is told with its place in the file too.
func TestATenantOfAnotherSource(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	start(t, env, "serve", "--config", config).stop()
	edit(t, config, "source_id: meadow,", "source_id: pasture,")
	_, errs, code := command(t, env, "serve", "--config", config)
	if want := config + ":6:51: sources[0].tenant_id: the registry knows this tenant as another source's"; code != 2 || !strings.Contains(errs, want) {
		t.Errorf("%d %s\nwant %s", code, errs, want)
	}
}
