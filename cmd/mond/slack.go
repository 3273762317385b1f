package main

import (
	"os"
	"path/filepath"
)

// slacken lets the kernel be late by a millisecond when it wakes one of our
// threads by time, for the reason that plugins/host gives its plugins as much:
// the runtime's own would keep a processor from them. systemd's unit does that for
// those that may not (TimerSlackNSec); threads begun later inherit it.
func slacken() {
	threads, _ := filepath.Glob("/proc/self/task/[0-9]*")
	for _, t := range threads {
		_ = os.WriteFile("/proc/"+filepath.Base(t)+"/timerslack_ns", []byte("1000000"), 0) // who may not does without
	}
}
