package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc (proc(5): sysconf(_SC_CLK_TCK)).
const tick = 10 * time.Millisecond

// usage is the CPU time and the resident memory of a process and everything
// below it; children that ended and were waited for count by their time.
func usage(pid int) (cpu time.Duration, rss int64) {
	for _, p := range family(pid) {
		c, r := process(p)
		cpu += c
		rss += r
	}
	return cpu, rss
}

// family is pid and all its descendants.
func family(pid int) []int {
	all := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err == nil {
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, family(child)...)
			}
		}
		return append(all, otherThreads(pid)...)
	}
	return all
}

// otherThreads are the children of threads other than the first: they are
// listed under the thread that made them.
func otherThreads(pid int) []int {
	var all []int
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	for _, t := range tasks {
		if t.Name() == strconv.Itoa(pid) {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, family(child)...)
			}
		}
	}
	return all
}

// process reads one process's times (with those of its dead children) and
// resident pages from /proc/PID/stat.
func process(pid int) (cpu time.Duration, rss int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, ok := strings.Cut(string(text), ") ")
	if !ok {
		return 0, 0
	}
	f := strings.Fields(rest) // f[0] is field 3
	for _, i := range []int{11, 12, 13, 14} {
		n, _ := strconv.ParseInt(f[i], 10, 64)
		cpu += time.Duration(n) * tick
	}
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	return cpu, pages * int64(os.Getpagesize())
}
