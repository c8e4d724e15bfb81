package upstream_test

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"esagate/upstream"
)

var silentLog = log.New(io.Discard, "", 0)

func TestConfigFaults(t *testing.T) {
	good := upstream.Config{BaseURL: "https://agent.invalid/admin", APIKey: key}
	for name, c := range map[string]struct {
		change func(*upstream.Config)
		want   string
	}{
		"no URL":           {func(c *upstream.Config) { c.BaseURL = "" }, "no http or https address"},
		"another scheme":   {func(c *upstream.Config) { c.BaseURL = "ftp://CANARY.invalid" }, "no http or https address"},
		"no host":          {func(c *upstream.Config) { c.BaseURL = "http:///CANARY" }, "no http or https address"},
		"unreadable":       {func(c *upstream.Config) { c.BaseURL = "http://CANARY\x7f" }, "can't be read"},
		"user info":        {func(c *upstream.Config) { c.BaseURL = "http://me:CANARY@agent.invalid" }, "user info"},
		"a query":          {func(c *upstream.Config) { c.BaseURL = "http://agent.invalid/?key=CANARY" }, "query"},
		"an empty query":   {func(c *upstream.Config) { c.BaseURL = "http://agent.invalid/?" }, "query"},
		"a fragment":       {func(c *upstream.Config) { c.BaseURL = "http://agent.invalid/#CANARY" }, "fragment"},
		"no key":           {func(c *upstream.Config) { c.APIKey = "" }, "no API key"},
		"a key in 2 lines": {func(c *upstream.Config) { c.APIKey = "CANARY\nX: y" }, "no header can carry"},
		"attempts":         {func(c *upstream.Config) { c.Attempts = -1 }, "attempts"},
		"fetch timeout":    {func(c *upstream.Config) { c.FetchTimeout = -time.Second }, "fetch timeout"},
		"probe timeout":    {func(c *upstream.Config) { c.ProbeTimeout = -time.Second }, "probe timeout"},
		"ratio above 1":    {func(c *upstream.Config) { c.Breaker.FailureRatio = 1.5 }, "ratio"},
		"a window":         {func(c *upstream.Config) { c.Breaker.Window = time.Microsecond }, "window"},
		"open time":        {func(c *upstream.Config) { c.Breaker.OpenFor = -time.Second }, "open time"},
		"failures":         {func(c *upstream.Config) { c.Breaker.ConsecutiveFailures = -1 }, "consecutive failures"},
		"requests":         {func(c *upstream.Config) { c.Breaker.MinimumRequests = -1 }, "minimum requests"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			client, err := upstream.New(cfg, upstream.Deps{})
			if err == nil {
				client.Close()
				t.Fatal("taken")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%v", err)
			}
		})
	}

	client, err := upstream.New(good, upstream.Deps{})
	if err != nil {
		t.Fatalf("a good one: %v", err)
	}
	client.Close()

	_, err = upstream.New(upstream.Config{Attempts: -1}, upstream.Deps{})
	for _, want := range []string{"address", "API key", "attempts"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not all faults at once: %v", err)
		}
	}
}
