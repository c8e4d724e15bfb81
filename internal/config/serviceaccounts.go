package config

import (
	"path/filepath"

	"esagate/internal/serviceaccount"
)

// serviceAccountEntry is a Google service account as the file has it. The key itself stays in its
// file.
type serviceAccountEntry struct {
	CustomerID *int64 `config:"customer_id" rule:"1..9007199254740991"` // left out: all customers without an entry of their own
	Email      string `config:"email" rule:"required email"`
	KeyFile    Secret `config:"key_file" rule:"required text 1..4096"`
}

// serviceAccounts checks the key files, as far as is known whose each should be.
func (l *loader) serviceAccounts(entries []serviceAccountEntry) []serviceaccount.Entry {
	out := make([]serviceaccount.Entry, 0, len(entries))
	first := map[int64]string{} // path of the first entry by customer, 0 for all
	for i, e := range entries {
		path := item("service_accounts", i)
		customerPath, filePath := child(path, "customer_id"), child(path, "key_file")
		account := serviceaccount.Entry{CustomerID: deref(e.CustomerID), Email: e.Email, KeyFile: e.KeyFile.Reveal()}
		if !filepath.IsAbs(account.KeyFile) {
			account.KeyFile = filepath.Join(l.folder, account.KeyFile)
		}
		if l.good(filePath) {
			owner := e.Email
			if !l.good(child(path, "email")) {
				owner = "" // anybody's key will do
			}
			for _, problem := range serviceaccount.CheckFile(account.KeyFile, owner) {
				l.add(filePath, "the file %s", problem)
			}
		}
		other, taken := first[account.CustomerID]
		switch {
		case !l.good(customerPath):
		case !taken:
			first[account.CustomerID] = path
		case account.CustomerID == 0:
			l.add(path, "is for all customers, as %s is; give one of them a customer_id", other)
		default:
			l.add(customerPath, "is the same customer_id as that of %s", other)
		}
		out = append(out, account)
	}
	return out
}
