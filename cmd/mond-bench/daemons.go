package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tcp measures mond with n hostgroups of one target each.
func (p plan) tcp(ctx context.Context, n int) (row, error) {
	return p.mond(ctx, n, "tcp", "tcp.monitor -t 5 --reset -p")
}

// http is the same with a question of HTTP to each.
func (p plan) http(ctx context.Context, n int) (row, error) {
	return p.mond(ctx, n, "http", "http.monitor -t 5 --reset -p")
}

// mond measures mond with a monitor and a server of that kind; the server's
// port is added to the monitor's arguments.
func (p plan) mond(ctx context.Context, n int, kind, monitor string) (row, error) {
	dir, err := os.MkdirTemp("", "mond-bench-")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(dir)
	server, err := startTargets(kind)
	if err != nil {
		return row{}, err
	}
	defer server.stop()
	file := filepath.Join(dir, "mon.cf")
	head := fmt.Sprintf("statedir = %s\nlogdir = %s\npidfile = %s/pid\ncontrolsocket = %s/sock\nmondir = %s/none\nalertdir = %s/none\n", dir, dir, dir, dir, dir, dir)
	if err := os.WriteFile(file, []byte(head+watches(n, fmt.Sprintf("%s %d", monitor, server.port))), 0o600); err != nil {
		return row{}, err
	}
	cmd := exec.Command(filepath.Join(p.bin, "mond"), "-c", file, "--log", "stderr", "--log-level", "warn")
	return p.watchDaemon(ctx, cmd, server)
}

// debianMon measures Debian's mon with its own tcp.monitor.
func (p plan) debianMon(ctx context.Context, n int) (row, error) {
	dir, err := os.MkdirTemp("", "mon-bench-")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(dir)
	server, err := startTargets("tcp")
	if err != nil {
		return row{}, err
	}
	defer server.stop()
	lib := filepath.Join(p.mon, "usr/lib/mon")
	head := fmt.Sprintf("basedir = %s\ncfbasedir = %s\nmondir = %s/mon.d\nalertdir = %s/alert.d\nstatedir = %s\nlogdir = %s\npidfile = %s/pid\nauthfile = %s/auth.cf\nserverbind = 127.0.0.1\ntrapbind = 127.0.0.1\nserverport = 32583\ntrapport = 32583\nmaxprocs = 100000\n",
		dir, dir, lib, lib, dir, dir, dir, dir)
	files := map[string]string{
		"mon.cf":  head + watches(n, fmt.Sprintf("tcp.monitor -p %d", server.port)),
		"auth.cf": "command section\nlist: all\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return row{}, err
		}
	}
	cmd := exec.Command("perl", filepath.Join(p.mon, "usr/sbin/mon"), "-c", filepath.Join(dir, "mon.cf"))
	cmd.Env = append(os.Environ(), "PERL5LIB="+filepath.Join(p.mon, "usr/share/perl5"))
	return p.watchDaemon(ctx, cmd, server)
}

// watches is one hostgroup and one watch for each target.
func watches(n int, monitor string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\nhostgroup t%d %s\n\nwatch t%d\n    service up\n        interval 1s\n        monitor %s\n        period wd {Sun-Sat}\n            numalerts 1\n", i, address(i), i, monitor)
	}
	return b.String()
}

// watchDaemon runs a daemon, lets it warm up and measures one window.
func (p plan) watchDaemon(ctx context.Context, cmd *exec.Cmd, server *targets) (row, error) {
	warnings := &grumble{out: os.Stderr}
	cmd.Stderr, cmd.WaitDelay = warnings, 5*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return row{}, err
	}
	defer endGroup(cmd)
	if err := pause(ctx, p.warm); err != nil {
		return row{}, err
	}
	if _, err := server.window(); err != nil {
		return row{}, err
	}
	before, _ := usage(cmd.Process.Pid)
	served, _ := usage(server.cmd.Process.Pid)
	begin := time.Now()
	if err := pause(ctx, p.watch); err != nil {
		return row{}, err
	}
	seen, err := server.window()
	after, rss := usage(cmd.Process.Pid)
	serving, _ := usage(server.cmd.Process.Pid)
	return row{
		seen: seen, cpu: after - before, server: serving - served, watch: time.Since(begin), rss: rss, warnings: warnings.count(),
	}, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// endGroup ends the daemon and what it started, by its own group.
func endGroup(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
}
