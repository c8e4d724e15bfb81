package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"esagate/internal/config"
)

// healthTimeout bounds the whole question; a container's own limit should be longer.
const healthTimeout = 3 * time.Second

type healthCommand struct {
	URL     string `help:"The gateway's address as a URL." placeholder:"URL" xor:"whom"`
	Address string `help:"host:port that it listens on (default: $$ESAGATE_SERVER_ADDRESS, or 127.0.0.1:8080). A host that stands for all addresses is asked on this machine." placeholder:"ADDR" xor:"whom"`
	Live    bool   `help:"Ask whether the process answers (/healthz), not whether it takes requests (/readyz)."`
}

// Help says what the exit codes are.
func (*healthCommand) Help() string {
	return `Exit codes: 0, it is ready (with --live: alive); 1, it is not, or does not answer; 2, the command line can't be used. It prints nothing where all is well.`
}

// Run asks a gateway how it is. Containers know but 0 and 1: no answer is no health either.
func (c *healthCommand) Run(ctx context.Context) error {
	base, err := c.base()
	if err != nil {
		return unfit{err}
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	path := "/readyz"
	if c.Live {
		path = "/healthz"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), nil)
	if err != nil {
		return unfit{errors.New("--url can't be used")}
	}
	client := http.Client{ // no proxy: it is asked where it runs
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no answer from %s%s", base.Host, path)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s answers %d", base.Host, path, resp.StatusCode)
	}
	return nil
}

// base gives whom to ask.
func (c *healthCommand) base() (*url.URL, error) {
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("--url must be as http://127.0.0.1:8080")
		}
		return u, nil
	}
	address := cmp.Or(c.Address, os.Getenv("ESAGATE_SERVER_ADDRESS"), config.Default().Server.Address)
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return nil, errors.New("the address must be host:port, as 127.0.0.1:8080")
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || err == nil && ip.IsUnspecified() && ip.Is4():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}
