package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"esagate/internal/auth"
	"esagate/internal/config"
	"esagate/registry"
	"esagate/registry/sqlstore"
)

// keyCommands are about the keys of callers, and about the one that encrypts.
type keyCommands struct {
	New    keyNewCommand    `cmd:"" help:"Make an API key and show it, once."`
	List   keyListCommand   `cmd:"" help:"List the API keys that were made here."`
	Revoke keyRevokeCommand `cmd:"" help:"Revoke an API key for good."`
	Rotate keyRotateCommand `cmd:"" help:"Rotate store.encryption_key, which encrypts what the registry keeps secret."`
}

// maxKeyName bounds a key's name, in code points.
const maxKeyName = 100

type keyNewCommand struct {
	Customer int64  `help:"Whose key it is." required:"" xor:"owner" placeholder:"N"`
	Operator bool   `help:"It is an operator's, for all customers; instead of --customer." required:"" xor:"owner"`
	Name     string `help:"What it is called in logs and lists." required:"" placeholder:"NAME"`
	ReadOnly bool   `help:"It may read and change nothing."`
	// As whom its owner is known to the sales agent.
	Role        string `help:"What its owner is in the sales agent's admin UI: admin, member or viewer. Left out: admin, and viewer with --read-only." placeholder:"ROLE"`
	Email       string `help:"The e-mail address by which the sales agent knows its owner. Left out: one made of the name, of nobody." placeholder:"ADDRESS"`
	PrincipalID string `help:"The principal as whom its owner buys from managed sales agents. Left out: they can't." name:"principal-id" placeholder:"ID"`
	configFlag
}

// Run makes a key. The key alone goes to the standard output, so that it can be
// passed on without being seen.
func (c *keyNewCommand) Run(ctx context.Context) error {
	known := registry.Identity{Role: c.Role, Email: c.Email, PrincipalID: c.PrincipalID}
	wrong, problem := config.IdentityProblem(known, !c.ReadOnly)
	switch name := strings.TrimSpace(c.Name); {
	case !c.Operator && (c.Customer < 1 || c.Customer > registry.MaxESAID): // what JSON and tokens can say too
		return unfit{errors.New("--customer must be a positive number, at most 2^53-1")}
	case name == "" || name != c.Name || utf8.RuneCountInString(name) > maxKeyName || strings.ContainsFunc(name, notShown):
		return unfit{fmt.Errorf("--name must be 1 to %d printable characters without outer spaces", maxKeyName)}
	case strings.EqualFold(name, registry.ActorSalesAgent), strings.EqualFold(name, registry.ActorAgent):
		return unfit{errors.New("--name is what the audit calls the sales agent, or an agent: take another name")}
	case problem != "":
		return unfit{fmt.Errorf("--%s %s", strings.ReplaceAll(wrong, "_", "-"), problem)}
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: it ends the program instead
	clear := auth.KeyPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
	return withStore(ctx, c.Config, func(store *sqlstore.Store) error {
		key := registry.APIKey{CustomerID: c.Customer, Name: c.Name, Write: !c.ReadOnly, Identity: known, SHA256: sha256.Sum256([]byte(clear))}
		if c.Operator {
			key.CustomerID = registry.OperatorID
		}
		made, err := store.APIKeys().CreateKey(ctx, key)
		switch {
		case errors.Is(err, registry.ErrNameTaken):
			return fmt.Errorf("there is a key of %s of that name; revoke it first, or take another name", ownerOf(key))
		case err != nil:
			return err
		}
		fmt.Fprintf(os.Stderr, "Key %d of %s, to %s. It is shown this once:\n", made.ID, ownerOf(made), accessWords(made.Write))
		fmt.Println(clear)
		return nil
	})
}

func ownerOf(key registry.APIKey) string {
	if key.CustomerID == registry.OperatorID {
		return "an operator"
	}
	return fmt.Sprint("customer ", key.CustomerID)
}

func notShown(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }

func accessWords(write bool) string {
	if write {
		return "read and write"
	}
	return "read"
}

type keyListCommand struct{ configFlag }

// Run lists the keys made at run time; those of the config stand in the config.
func (c *keyListCommand) Run(ctx context.Context) error {
	return withStore(ctx, c.Config, func(store *sqlstore.Store) error {
		keys, err := store.APIKeys().Keys(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tCUSTOMER\tNAME\tMAY\tMADE\tLAST USED\tREVOKED\tROLE\tE-MAIL\tPRINCIPAL")
		for _, k := range keys {
			customer := strconv.FormatInt(k.CustomerID, 10)
			if k.CustomerID == registry.OperatorID {
				customer = "operator"
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, customer, k.Name, accessWords(k.Write),
				moment(k.CreatedAt, time.DateOnly), moment(k.LastUsedAt, "2006-01-02 15:00"), moment(k.RevokedAt, time.DateOnly),
				cmp.Or(k.Identity.Role, "-"), cmp.Or(k.Identity.Email, "-"), cmp.Or(k.Identity.PrincipalID, "-"))
		}
		return table.Flush()
	})
}

func moment(t time.Time, layout string) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(layout)
}

type keyRevokeCommand struct {
	ID int64 `arg:"" help:"The key's id, as key list shows it."`
	configFlag
}

// Run revokes a key: running gateways refuse it within seconds.
func (c *keyRevokeCommand) Run(ctx context.Context) error {
	return withStore(ctx, c.Config, func(store *sqlstore.Store) error {
		key, err := store.APIKeys().RevokeKey(ctx, c.ID)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			return errors.New("there is no key with this id")
		case err != nil:
			return err
		}
		fmt.Printf("Key %d of %s is revoked.\n", key.ID, ownerOf(key))
		return nil
	})
}
