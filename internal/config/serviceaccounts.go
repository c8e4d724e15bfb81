package config

import (
	"path/filepath"

	"esagate/internal/serviceaccount"
)

// serviceAccountEntry is serviceaccount.Entry with the tags of this package.
type serviceAccountEntry struct {
	CustomerID int64  `config:"customer_id" rule:"1..9007199254740991"` // 0: all customers without an entry of their own
	Email      string `config:"email" rule:"required email"`
	KeyFile    string `config:"key_file" rule:"required text 4096"`
}

// serviceAccounts checks the entries and their key files.
func (l *loader) serviceAccounts(entries []serviceAccountEntry) []serviceaccount.Entry {
	out := make([]serviceaccount.Entry, 0, len(entries))
	first := map[int64]string{} // path of the first entry by customer
	for i, e := range entries {
		path := item("service_accounts", i)
		customerPath, filePath := child(path, "customer_id"), child(path, "key_file")
		if !filepath.IsAbs(e.KeyFile) {
			e.KeyFile = filepath.Join(l.folder, e.KeyFile)
		}
		if l.good(filePath) {
			owner := e.Email
			if !l.good(child(path, "email")) {
				owner = "" // the key of any account will do
			}
			for _, problem := range serviceaccount.CheckFile(e.KeyFile, owner) {
				l.add(filePath, "the file "+problem)
			}
		}
		other, taken := first[e.CustomerID]
		switch {
		case !l.good(customerPath):
		case !taken:
			first[e.CustomerID] = path
		case e.CustomerID == 0:
			l.add(path, "is for all customers, as "+other+" is; give one of them a customer_id")
		default:
			l.add(customerPath, "is the same customer_id as that of "+other)
		}
		out = append(out, serviceaccount.Entry(e))
	}
	return out
}
