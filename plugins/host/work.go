package host

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc (proc(5): USER_HZ, 100 a second on
// every architecture of Linux).
const clockTick = 10 * time.Millisecond

// processorTime is how long a process has run on a processor, all its threads
// together; 0 where the system does not say.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name, in brackets, may hold anything: utime and stime are the 12th
	// and 13th field behind it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, _ := strconv.ParseInt(f, 10, 64) // a number, by proc(5)
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}
