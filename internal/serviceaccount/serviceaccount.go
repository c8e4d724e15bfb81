// Package serviceaccount knows which of the operator's Google service accounts works
// for which customer, and reads an account's key when it is used. A key is never kept:
// a file that was replaced counts from the next use on.
//
// Which account a customer gets is decided in this file. What a key file must look like, and how
// it is read, is in keyfile.go. The entries of the config file are read by package config, which
// calls [CheckFile]; how a key reaches the sales agent is up to package adserver.
package serviceaccount

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"esagate/internal/adserver"
	"esagate/internal/fault"
)

// Entry is one service account. It prints as one phrase, and the path is in no
// encoding of it: a log need not tell where a key lies.
type Entry struct {
	CustomerID int64  // whose ad servers it reads; 0: all customers without an entry of their own
	Email      string // the account's, as its key file has it, but for upper and lower case
	KeyFile    string `json:"-"` // path of its key file, see [CheckFile]
}

// Format implements fmt.Formatter.
func (Entry) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[service account]") }

// Accounts are the operator's service accounts. Safe for concurrent use.
type Accounts struct {
	// 0: for all others. By pointers: fmt shows an address where it can't ask for Format,
	// as in an unexported field of another package.
	byCustomer map[int64]*Entry
}

// New takes the accounts: one a customer at most, and one for all others at most. It
// does not look at the key files, which may come, go and change while this is used.
func New(entries []Entry) (*Accounts, error) {
	a := &Accounts{byCustomer: make(map[int64]*Entry, len(entries))}
	for i, e := range entries {
		_, taken := a.byCustomer[e.CustomerID]
		switch {
		case e.CustomerID < 0 || e.Email == "" || e.KeyFile == "":
			return nil, fmt.Errorf("service account %d lacks an e-mail or a key file, or its customer is none", i)
		case taken:
			return nil, fmt.Errorf("service account %d is the second one of the same customer", i)
		}
		a.byCustomer[e.CustomerID] = &e
	}
	return a, nil
}

// Format implements fmt.Formatter.
func (Accounts) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[service accounts]") }

// For reads the account that works for a customer; ok is false, without an error, when
// there is none. The file is read and checked anew on each call. An error is a
// fault.Internal, since only the operator can help; its cause says what [CheckFile] says.
func (a *Accounts) For(customer int64) (account *adserver.Account, ok bool, err error) {
	e := a.entry(customer)
	if e == nil {
		return nil, false, nil
	}
	key, problems := readKey(e.KeyFile, e.Email)
	if len(problems) > 0 {
		return nil, true, fault.Wrap(fault.Internal, "The key of the gateway's Google service account can't be used.",
			errors.New("service account: the key file "+strings.Join(problems, ", ")))
	}
	return &adserver.Account{Email: e.Email, Key: key}, true, nil
}

// Email gives the e-mail of the account that works for a customer, empty when there is
// none. Nothing is read.
func (a *Accounts) Email(customer int64) string {
	if e := a.entry(customer); e != nil {
		return e.Email
	}
	return ""
}

// entry gives nil when there is none.
func (a *Accounts) entry(customer int64) *Entry {
	if e := a.byCustomer[customer]; e != nil {
		return e
	}
	return a.byCustomer[0]
}
