package sqlstore

import (
	"fmt"
	"path/filepath"
	"testing"

	"esagate/registry"
)

// BenchmarkAdoptAll takes over AdoptedAtOnce entries of a config, new ones and such as are known.
func BenchmarkAdoptAll(b *testing.B) {
	s, err := Open(b.Context(), "sqlite://"+filepath.Join(b.TempDir(), "registry.db"), newKey(b))
	must(b)(err)
	defer s.Close()
	batch := func(n int) []registry.ConfigSource {
		entries := make([]registry.ConfigSource, AdoptedAtOnce)
		for i := range entries {
			entries[i] = registry.ConfigSource{CustomerID: int64(1 + i%50), SourceID: fmt.Sprint("s", n, "-", i), Name: "Name", TenantID: fmt.Sprint("tnt_", n, "_", i)}
		}
		return entries
	}
	n := 0
	for _, name := range []string{"new", "known"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if name == "new" {
					n++
				}
				must(b)(s.AdoptAll(b.Context(), batch(n)))
			}
		})
	}
}
