package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// processes gives the child's id and those of its own children, where the kernel tells.
func (c *child) processes() []int {
	pid := c.cmd.Process.Pid
	all := []int{pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // none where the kernel does not tell
	for text := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(text); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// cpu gives the processor time that the child and its own children have used; false where the system
// can't be asked.
func (c *child) cpu() (total time.Duration, known bool) {
	for i, pid := range c.processes() {
		used, ok := processCPU(pid)
		total += used
		known = known || i == 0 && ok
	}
	return total, known
}

// processCPU gives the processor time that a process has used, in steps of 10 ms
// (Linux; elsewhere there is no /proc).
func processCPU(pid int) (time.Duration, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The name, in parentheses, may hold anything; utime and stime are the 12th
	// and 13th field after it, in hundredths of a second.
	at := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[at+1:])
	if len(fields) < 13 {
		return 0, false
	}
	var user, system int64
	if _, err := fmt.Sscan(string(fields[11])+" "+string(fields[12]), &user, &system); err != nil {
		return 0, false
	}
	return time.Duration(user+system) * 10 * time.Millisecond, true
}

// memory gives the resident set now and at its highest, as /proc has them.
func (c *child) memory() (now, most string, ok bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return "", "", false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "VmRSS":
			now = strings.TrimSpace(value)
		case "VmHWM":
			most = strings.TrimSpace(value)
		}
	}
	return now, most, now != ""
}
