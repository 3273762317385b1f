package plugintest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// lingering is how long what was started may take to vanish after the
	// program has ended: the kernel ends processes one by one.
	lingering = time.Second
	// lookAgain is the first pause, which doubles: to look costs a file for
	// every process of the machine.
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
	for pause := lookAgain; ; pause *= 2 {
		pids := marked(mark)
		if len(pids) == 0 || time.Now().After(end) {
			return pids
		}
		time.Sleep(pause)
	}
}

// marked are the living processes with the mark.
func marked(mark string) (pids []int) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1) // as many as can be read
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		env, _ := os.ReadFile("/proc/" + name + "/environ") // empty for one that has ended
		if bytes.Contains(env, []byte(mark+"\x00")) {
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
