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

// nice is the niceness of a program that need not be first, but soon: what is
// late by half a dead time counts as a machine that stood still.
const nice = -10

// realtime asks that this program run whenever it has something to do, and stay
// in memory. What was refused comes back.
func realtime() error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: fifo}
	err := threads(func(id int) error { return unix.SchedSetAttr(id, attr, 0) })
	if err != nil {
		err = fmt.Errorf("beats this often want real-time priority, which was refused: %w (grant cap_sys_nice)", err)
	}
	return errors.Join(err, lock())
}

// sooner asks for the processors before those that work all the time. Who may not
// have that does without: it matters on a machine only that has too much to do.
func sooner() {
	_ = threads(func(id int) error {
		if now, err := unix.Getpriority(unix.PRIO_PROCESS, id); err != nil || 20-now <= nice { // the kernel says 20 less it
			return err
		}
		return unix.Setpriority(unix.PRIO_PROCESS, id, nice)
	})
}

// threads does something to all threads; those begun later inherit it.
func threads(do func(id int) error) error {
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
			if err := do(id); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
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
