package main

import (
	"testing"
	"testing/fstest"

	"esagate/internal/config"
)

// TestMayUse: the least that the machine, a control group or one that it is in allows.
func TestMayUse(t *testing.T) {
	const machine = 8 << 30
	t.Setenv("GOMEMLIMIT", "")
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing is known": {want: unknownMemory},
		"no group":         {map[string]string{"proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n"}, machine},
		"version 2": {map[string]string{
			"proc/meminfo": "MemTotal:        8388608 kB\n", "proc/self/cgroup": "0::/a.slice/b.scope\n",
			"sys/fs/cgroup/a.slice/b.scope/memory.max": "max\n", "sys/fs/cgroup/a.slice/memory.max": "536870912\n",
		}, 512 << 20},
		"version 2 in a container": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
		"version 2 of another root": {map[string]string{
			"proc/meminfo": "MemTotal:        8388608 kB\n", "proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/x/memory.max": "1000\n",
		}, 1000},
		"version 1": {map[string]string{
			"proc/meminfo": "MemTotal:        8388608 kB\n", "proc/self/cgroup": "5:cpu,cpuacct:/c\n4:hugetlb,memory:/d/e\n0::/f\n",
			"sys/fs/cgroup/memory/d/e/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
		}, 1 << 30},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := mayUse(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestLimitFor: the soft limit follows what is alive, and leaves some of what the process may use.
func TestLimitFor(t *testing.T) {
	const MiB = 1 << 20
	for _, c := range []struct{ live, usable, want int64 }{
		{20 * MiB, 8192 * MiB, 256 * MiB},
		{500 * MiB, 8192 * MiB, 1128 * MiB},
		{500 * MiB, 1000 * MiB, 900 * MiB},
		{20 * MiB, 100 * MiB, 90 * MiB},
	} {
		if got := limitFor(c.live, c.usable); got != c.want {
			t.Errorf("of %d with %d alive: %d, want %d", c.usable, c.live, got, c.want)
		}
	}
}

// TestSnapshotMemory: a quarter of what the process may use, or what the operator says.
func TestSnapshotMemory(t *testing.T) {
	for _, c := range []struct {
		set  config.Size
		want int
	}{{0, 1 << 30}, {64 << 20, 64 << 20}} {
		directory, statuses := snapshotMemory(config.Snapshot{Memory: c.set}, 4<<30)
		if directory+statuses != c.want || directory < c.want/4 || statuses < c.want/2 {
			t.Errorf("%d and %d, want %d", directory, statuses, c.want)
		}
	}
}
