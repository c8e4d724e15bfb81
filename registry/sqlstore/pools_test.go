package sqlstore

import "testing"

func TestPools(t *testing.T) {
	s, err := Open(t.Context(), "sqlite://"+t.TempDir()+"/registry.db", newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx, err := s.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	pools := Pools(s)
	if w := pools["write"]; w.MaxOpenConnections != 1 || w.InUse != 1 {
		t.Errorf("the writer is %d of %d in use, want 1 of 1", w.InUse, w.MaxOpenConnections)
	}
	if r := pools["read"]; r.MaxOpenConnections != readers || r.InUse != 0 {
		t.Errorf("readers are %d of %d in use, want 0 of %d", r.InUse, r.MaxOpenConnections, readers)
	}
}
