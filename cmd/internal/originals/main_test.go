package originals

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// inside is set in the environment of the program in its namespaces.
const inside = "MOND_ORIGINALS"

// TestMain runs the tests once more, in namespaces of their own. There the
// program is the first process: whatever it started ends with it.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(outside(m))
	}
	if err := settle(os.Getenv(inside)); err != nil {
		fmt.Fprintln(os.Stderr, "furnish the namespaces:", err)
		os.Exit(1)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // they wait for each other's processes, not for a processor
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go watch()
	os.Exit(daemons.Main(m))
}

// outside makes the namespaces. Where that is not allowed, the tests run
// without and leave themselves out.
func outside(m *testing.M) int {
	base, err := os.MkdirTemp("", "mond-originals-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.Remove(base)
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"="+base)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no namespaces:", err)
		return m.Run()
	}
	return 0
}

// needMachine leaves a test out, or fails it if MOND_NOSKIP is set, where there
// are no namespaces or one of Debian's packages is missing.
func needMachine(t *testing.T) {
	t.Helper()
	missing := ""
	if os.Getenv(inside) == "" {
		missing = "namespaces of its own, and root to make them"
	}
	for file, pkg := range map[string]string{
		monDir + "/fping.monitor": "mon", contribDir + "/mon.d/tcpch.monitor": "mon-contrib", "/usr/sbin/slapd": "slapd",
		"/usr/lib/dovecot/imap": "dovecot-imapd", "/usr/lib/dovecot/pop3": "dovecot-pop3d", "/usr/lib/dovecot/lmtp": "dovecot-lmtpd",
		"/usr/sbin/snmpd": "snmpd", "/usr/sbin/rpcbind": "rpcbind", "/usr/sbin/nsd": "nsd", "/usr/sbin/nginx": "nginx-light",
		"/usr/sbin/vsftpd": "vsftpd", "/usr/sbin/postfix": "postfix", "/usr/bin/swaks": "swaks",
	} {
		if _, err := os.Stat(file); err != nil {
			missing += " " + pkg
		}
	}
	switch {
	case missing == "":
	case os.Getenv("MOND_NOSKIP") != "":
		t.Fatal("this test needs " + missing)
	default:
		t.Skip("this test needs " + missing + ": scripts/deps installs it")
	}
}

// settle furnishes the namespaces: what is written below the folders of the
// system stays in memory.
func settle(base string) error {
	err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("tmpfs", base, "tmpfs", 0, "mode=755"),
		unix.Sethostname([]byte(hostname)),
	)
	for _, dir := range []string{"/usr", "/etc", "/opt"} {
		err = errors.Join(err, overlay(base, dir))
	}
	for _, dir := range []string{"/run", "/var/log", "/var/lib/mon"} {
		err = errors.Join(err, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"))
	}
	for _, words := range []string{
		"link set lo up",
		"link add near type veth peer name far", "link set near up", "link set far up", "addr add 192.0.2.1/24 dev near",
		"neigh add " + nowhere + " lladdr 02:00:00:00:00:09 dev near", // sent, and never answered
	} {
		if out, e := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); e != nil {
			err = errors.Join(err, fmt.Errorf("ip %s: %w: %s", words, e, out))
		}
	}
	return errors.Join(err, furnish())
}

// overlay lets dir be written without a trace.
func overlay(base, dir string) error {
	upper, work := filepath.Join(base, dir, "upper"), filepath.Join(base, dir, "work")
	err := errors.Join(os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755))
	if err != nil {
		return err
	}
	return unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work)
}

// crowd is more processes than these tests ever have.
const crowd = 600

// watch ends the tests, and with them everything here, if mon has begun to
// multiply, as it does when an alert cannot be run.
func watch() {
	for range time.Tick(500 * time.Millisecond) {
		if all, _ := filepath.Glob("/proc/[0-9]*"); len(all) > crowd {
			fmt.Fprintf(os.Stderr, "there are %d processes: mon multiplies\n", len(all))
			os.Exit(1)
		}
	}
}
