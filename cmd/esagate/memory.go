package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/internal/background"
	"esagate/internal/config"
)

// While the live heap is small, collecting at each doubling of it costs more than it saves. The soft limit, which follows
// what is alive, keeps a large one from growing fivefold.
const (
	gcPercent  = 400
	leastLimit = 256 << 20 // bytes
	limitPause = time.Second
)

// tuneMemory trades memory for fewer collections, unless the operator has said
// otherwise in Go's own variables.
func tuneMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(leastLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// followHeap keeps the soft limit at what is alive, until ctx ends; usable is what mayUse gives. It begins with the process:
// reading a config of 100,000 sources at leastLimit would be six times the work, nearly all of it collections.
func followHeap(ctx context.Context, usable int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for limit := int64(leastLimit); background.Sleep(ctx, limitPause); {
		metrics.Read(live)
		if next := limitFor(int64(live[0].Value.Uint64()), usable); max(next, limit)-min(next, limit) > limit/8 { // setting it stops the world
			limit = next
			debug.SetMemoryLimit(limit)
		}
	}
}

// limitFor gives the soft limit for a live heap: room to double and some more, but not all that the process may use.
func limitFor(live, usable int64) int64 {
	return min(max(leastLimit, leastLimit/2+2*live), usable/10*9)
}

// snapshotMemory gives how much of memory is for what is kept of sources, in bytes: the registry's directory of them, and their statuses.
func snapshotMemory(cfg config.Snapshot, usable int64) (directory, statuses int) {
	all := cmp.Or(int64(cfg.Memory), usable/4)
	directory = int(all / 8 * 3)
	return directory, int(all) - directory
}

// unknownMemory is taken where nothing says how much memory there is.
const unknownMemory = 1 << 30

// mayUse gives how much memory the process may use, in bytes: what GOMEMLIMIT says, or the least that its control groups,
// of either version, and the machine allow. root is the file system with /proc and /sys.
func mayUse(root fs.FS) int64 {
	if os.Getenv("GOMEMLIMIT") != "" {
		if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
			return limit
		}
	}
	least := int64(math.MaxInt64)
	lines(root, "proc/meminfo", func(line string) {
		var kB int64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kB); err == nil {
			least = kB << 10
		}
	})
	lines(root, "proc/self/cgroup", func(line string) {
		id, rest, _ := strings.Cut(line, ":")
		controllers, group, _ := strings.Cut(rest, ":")
		folder, file := "sys/fs/cgroup", "memory.max"
		switch {
		case slices.Contains(strings.Split(controllers, ","), "memory"):
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case id != "0":
			return
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) { // a group is bounded by those that it is in
			lines(root, path.Join(folder, group, file), func(line string) {
				if n, err := strconv.ParseInt(line, 10, 64); err == nil && n > 0 { // else "max"
					least = min(least, n)
				}
			})
			if group == "/" {
				return
			}
		}
	})
	if least == math.MaxInt64 {
		return unknownMemory
	}
	return least
}

// lines reads a file line by line, if it is there.
func lines(root fs.FS, name string, read func(line string)) {
	file, err := root.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		read(s.Text())
	}
}
