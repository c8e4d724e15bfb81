package config

import (
	"path/filepath"

	"esagate/internal/serviceaccount"
)

// serviceAccountEntry is a Google service account as the file has it. The key itself
// stays in its file.
type serviceAccountEntry struct {
	CustomerID *int64 `config:"customer_id"` // left out: all customers without an entry of their own
	Email      string `config:"email"`
	KeyFile    Secret `config:"key_file"`
}

// serviceAccounts checks the entries and their key files, and resolves relative paths.
func (v *validator) serviceAccounts(entries []serviceAccountEntry, folder string) []serviceaccount.Entry {
	out := make([]serviceaccount.Entry, 0, len(entries))
	first := map[int64]string{} // path of the first entry by customer, 0 for all
	for i, e := range entries {
		path := item("service_accounts", i)
		customerPath, emailPath := child(path, "customer_id"), child(path, "email")
		account := serviceaccount.Entry{Email: e.Email}
		if e.CustomerID != nil {
			account.CustomerID = v.customer(customerPath, e.CustomerID)
		}
		trusted := ""
		if v.required(emailPath, e.Email != "") && v.text(emailPath, e.Email, email) {
			trusted = e.Email
		}
		account.KeyFile = v.keyFile(child(path, "key_file"), e.KeyFile, folder, trusted)
		if v.good(customerPath) {
			switch other, taken := first[account.CustomerID]; {
			case !taken:
				first[account.CustomerID] = path
			case account.CustomerID == 0:
				v.add(path, "is for all customers, as %s is; give one of them a customer_id", other)
			default:
				v.add(customerPath, "is the same customer_id as that of %s", other)
			}
		}
		out = append(out, account)
	}
	return out
}

// keyFile checks a key file as far as is known whose it should be, and gives its path.
func (v *validator) keyFile(path string, name Secret, folder, email string) string {
	if !v.required(path, name.IsSet()) || !v.text(path, name.Reveal(), plainText(1, 4096)) {
		return ""
	}
	file := name.Reveal()
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	for _, problem := range serviceaccount.CheckFile(file, email) {
		v.add(path, "the file %s", problem)
	}
	return file
}
