package heartbeat

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// fifo is the priority among real-time programs: the least, which is before all
// that are not.
const fifo = 1

// realtime asks that this program run whenever it has something to do, and stay
// in memory. What was refused comes back.
func realtime() error {
	return errors.Join(schedule(), lock())
}

// schedule gives SCHED_FIFO to all threads; those begun later inherit it.
func schedule() error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: fifo}
	for done := map[int]bool{}; ; {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list the threads: %w", err)
		}
		fresh := false
		for _, t := range tasks {
			id, err := strconv.Atoi(t.Name())
			if err != nil || done[id] {
				continue
			}
			done[id], fresh = true, true
			if err := unix.SchedSetAttr(id, attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("beats this often want real-time priority, which was refused: %w (grant cap_sys_nice)", err)
			}
		}
		if !fresh {
			return nil
		}
	}
}

// lock keeps in memory what was in it once. Without the capability there is a
// limit, and a program that reaches it dies: so it is not tried.
func lock() error {
	var data [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		return fmt.Errorf("read the capabilities: %w", err)
	}
	if data[0].Effective&(1<<unix.CAP_IPC_LOCK) == 0 {
		return errors.New("beats this often want locked memory: grant cap_ipc_lock")
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("lock the memory: %w", err)
	}
	return nil
}
