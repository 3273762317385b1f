package plugintest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// lingering is how long what was started may take to vanish after the
	// program has ended: the kernel ends processes one by one.
	lingering = time.Second
	lookAgain = 5 * time.Millisecond
)

// clearMarked ends all that carries the mark in its environment, whatever group or
// session it has moved to, and returns what had not vanished by itself. A
// program that may not be looked into, such as a setuid one, is not seen.
func clearMarked(mark string) (left []string) {
	pids := remains(mark)
	for _, pid := range pids {
		left = append(left, describe(pid))
		_ = syscall.Kill(pid, syscall.SIGKILL) // it is gone, or not ours to end
	}
	return left
}

// remains are the marked processes that live on.
func remains(mark string) []int {
	end := time.Now().Add(lingering)
	for {
		pids := marked(mark)
		if len(pids) == 0 || time.Now().After(end) {
			return pids
		}
		time.Sleep(lookAgain)
	}
}

// marked are the living processes with the mark.
func marked(mark string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, _ := os.ReadFile(file) // empty for one that has ended
		if !bytes.Contains(env, []byte(mark+"\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// describe is a process as a person may look for it.
func describe(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return fmt.Sprintf("process %d (%s)", pid, strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")))
}
