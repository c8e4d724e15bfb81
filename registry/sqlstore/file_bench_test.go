package sqlstore

import (
	"fmt"
	"testing"
	"time"

	"esagate/registry"
)

// BenchmarkFileLook measures what each statement on a SQLite file costs more, to notice that the file
// was taken away.
func BenchmarkFileLook(b *testing.B) {
	s := benchFile(b)
	for b.Loop() {
		must(b)(s.file.there())
	}
}

// BenchmarkKeepSnapshots measures keeping a hundred snapshots of 4 KB in one transaction.
func BenchmarkKeepSnapshots(b *testing.B) {
	s := benchFile(b)
	batch := make([]registry.Snapshot, 100)
	for i := range batch {
		id := fmt.Sprint("tenant-", i)
		must(b)(s.Adopt(b.Context(), registry.ConfigSource{CustomerID: 5, SourceID: id, Name: id, TenantID: id}))
		batch[i] = registry.Snapshot{TenantID: id, Document: make([]byte, 4096)}
		for at := range batch[i].Document {
			batch[i].Document[at] = 'x'
		}
	}
	at := time.Now()
	for n := 0; b.Loop(); n++ {
		for i := range batch {
			batch[i].At = at.Add(time.Duration(n) * time.Second)
			batch[i].ReceivedAt = batch[i].At
		}
		must(b)(s.KeepSnapshots(b.Context(), batch, at.Add(-time.Hour)))
	}
	b.ReportMetric(float64(len(batch)*b.N)/b.Elapsed().Seconds(), "snapshots/s")
}

func benchFile(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), "sqlite://"+b.TempDir()+"/registry.db", newKey(b))
	must(b)(err)
	b.Cleanup(func() { must(b)(s.Close()) })
	return s
}
