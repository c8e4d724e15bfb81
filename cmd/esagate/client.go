package main

import (
	"cmp"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"esagate/internal/terminal"
)

// gatewayFlags say which gateway is asked, and with which key.
type gatewayFlags struct {
	URL      string `help:"The gateway's address." env:"ESAGATE_URL" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key      string `help:"The API key. Other users of this machine can see it here: better set $$ESAGATE_KEY." placeholder:"KEY" xor:"key"`
	KeyFile  string `help:"A file that holds the API key; - is the standard input." placeholder:"FILE" xor:"key"`
	Customer *int64 `help:"The customer that an operator's key is used for." placeholder:"N"`
}

// ask makes a client of that gateway, and asks. patience is how long an answer may take to begin; 0: a usual time.
func (g *gatewayFlags) ask(patience time.Duration, question func(*terminal.Client) error) error {
	if g.Customer != nil && *g.Customer < 1 {
		return errors.New("--customer must be a positive number")
	}
	key, err := g.key()
	if err != nil {
		return err
	}
	options := terminal.Options{URL: g.URL, Key: key, UserAgent: "esagate/" + version, Patience: patience}
	if g.Customer != nil {
		options.Customer = *g.Customer
	}
	client, err := terminal.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	err = question(client)
	if p, ok := errors.AsType[*terminal.Problem](err); ok && p.Refused && (key == demoKey || key == demoOperator) {
		return errors.New("only esagate demo knows the demo's key: make one with esagate key new, or see auth.keys of the config")
	}
	return err
}

// key gives the key by the way it was given.
func (g *gatewayFlags) key() (string, error) {
	const most = 16 << 10 // access tokens are long
	if g.KeyFile == "" {
		return cmp.Or(g.Key, os.Getenv("ESAGATE_KEY")), nil
	}
	text, err := readInput(g.KeyFile, most)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// readInput reads a file, or the standard input as -, up to so many bytes.
func readInput(path string, most int64) ([]byte, error) {
	file := io.Reader(os.Stdin)
	if path != "-" {
		opened, err := os.Open(path)
		if err != nil {
			return nil, fileFault(path, err)
		}
		defer func() { _ = opened.Close() }()
		file = opened
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil, errors.New(terminal.Safe(path) + " can't be read")
	}
	return text, nil
}

// isTerminal reports whether people read the standard output.
func isTerminal() bool { return term.IsTerminal(int(os.Stdout.Fd())) }

func terminalSize() (columns, rows int) {
	columns, rows, _ = term.GetSize(int(os.Stdout.Fd()))
	return columns, rows
}

// mayColour reports whether colours are wanted where nobody says.
func mayColour() bool {
	return isTerminal() && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
