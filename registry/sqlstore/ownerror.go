package sqlstore

// ownError is an error of this package, with nothing of a row, a file or the database in it.
type ownError string

// Error implements error.
func (e ownError) Error() string { return string(e) }

// OwnWords is the error, which may be shown whatever it stands in.
func (e ownError) OwnWords() string { return string(e) }
