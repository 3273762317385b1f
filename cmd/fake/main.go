// Command fake takes over addresses: it adds them, tells the network whose they
// are, and removes them again, called by a person, by heartbeat's haresources
// ("fake::10.0.0.3/24/eth0"), by Pacemaker or by keepalived. What it does is in
// alerts/fake/command; mond's own holder is fake.alert.
package main

import (
	"context"
	"fmt"
	"log/syslog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/fake/command"
	"github.com/mondhq/mond/alerts/fake/command/host"
	"github.com/mondhq/mond/alerts/fake/declared"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // what is under way is finished, whoever has gone
	home, _ := os.UserHomeDir()
	p := command.Program{
		Machine: host.Machine{}, Network: host.Network{}, Spawn: spawn, Refuse: declared.Refuse, Home: home,
		Out: os.Stdout, Err: os.Stderr, Log: log,
	}
	return p.Run(ctx, args)
}

// spawn starts this program so that it goes on by itself: in a session of its
// own, and with nothing open that it was started with. A pipe that stayed open
// would keep whoever reads from it waiting.
func spawn(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// Kernels before 5.11 know no such call; then what was passed on stays open.
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	cmd := exec.Command(self, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", self, err)
	}
	return cmd.Process.Release()
}

// log tells syslog what nobody at a terminal sees.
func log(text string) {
	w, err := syslog.New(syslog.LOG_LOCAL0|syslog.LOG_NOTICE, "fake")
	if err != nil {
		return // nobody listens
	}
	defer w.Close()
	_ = w.Notice(text) // as above
}
