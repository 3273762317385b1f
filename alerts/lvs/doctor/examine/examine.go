// Package examine reads the facts of a director that alerts/lvs/doctor judges:
// from procfs and over netlink, in a given network namespace, too. It changes
// nothing: no module is loaded by a question, no neighbour asked. What it may
// not read it names, and goes on; it needs no root.
//
// It judges nothing.
package examine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// Options are where to read.
type Options struct {
	// Netns is the name of a network namespace, as of ip netns; empty is this
	// process's.
	Netns string
	// Root is put before the paths of files that are not of /proc; for tests.
	Root string
}

// Read reads the facts of a director of the site that siteOf makes of them:
// a site may have to be made of the table. The error is that there is no
// such namespace, or no way into it.
func Read(ctx context.Context, o Options, siteOf func(*doctor.Facts) doctor.Site) (*doctor.Facts, doctor.Site, error) {
	r := &reader{root: o.Root, facts: &doctor.Facts{}}
	var site doctor.Site
	err := Inside(o.Netns, func() error {
		r.kernel()
		r.sysctls()
		r.table(ctx)
		r.net()
		site = siteOf(r.facts)
		r.routes(append(site.VIPs(), site.RealAddrs()...))
		return nil
	})
	r.others()
	if o.Netns == "" {
		r.managers() // their files are of the machine's own namespace
	}
	return r.facts, site, err
}

// Inside runs f on a thread that is in the network namespace of that name,
// which ends with it; the empty name is this process's.
func Inside(name string, f func() error) error {
	if name == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for ever: the thread is not as it was
		done <- func() error {
			ns, err := netns.GetFromName(name)
			if err != nil {
				return fmt.Errorf("open the network namespace %s: %w (ip netns lists those there are)", name, err)
			}
			defer ns.Close()
			if err := netns.Set(ns); err != nil {
				return fmt.Errorf("enter the network namespace %s: %w (that needs root)", name, err)
			}
			return f()
		}()
	}()
	return <-done
}

// reader gathers facts; it is used on one thread.
type reader struct {
	root  string
	facts *doctor.Facts
}

func (r *reader) unread(what string, err error) {
	r.facts.Unread = append(r.facts.Unread, doctor.Unread{What: what, Err: err.Error()})
}

// kernel reads its release and modules.
func (r *reader) kernel() {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		r.unread("the kernel's release", err)
	}
	r.facts.Kernel = unix.ByteSliceToString(u.Release[:])
	// the file is there if, and only if, this namespace has a table; to ask for
	// the netlink family instead would load the module
	_, err := os.Stat(procNet + "ip_vs")
	r.facts.IPVS = err == nil
	r.modules()
}

// procNet is /proc/net of the thread: /proc/net is that of the process.
const procNet = "/proc/thread-self/net/"

func (r *reader) modules() {
	m := doctor.Modules{Loaded: map[string]bool{}, Available: map[string]bool{}}
	file, err := os.ReadFile("/proc/modules")
	locked, _ := os.ReadFile("/proc/sys/kernel/modules_disabled")
	m.Fixed = errors.Is(err, os.ErrNotExist) || strings.TrimSpace(string(locked)) == "1"
	for line := range strings.Lines(string(file)) {
		name, _, _ := strings.Cut(line, " ")
		m.Loaded[name] = true
	}
	dir := filepath.Join(r.root, "/lib/modules", r.facts.Kernel)
	for line := range r.lines(filepath.Join(dir, "modules.builtin")) {
		m.Known, m.Loaded[moduleName(line)] = true, true
	}
	for line := range r.lines(filepath.Join(dir, "modules.dep")) {
		path, _, _ := strings.Cut(line, ":")
		m.Known, m.Available[moduleName(path)] = true, true
	}
	r.facts.Modules = m
}

// moduleName is the name of a module by its file, such as
// kernel/net/netfilter/ipvs/ip_vs.ko.xz.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(strings.TrimSpace(path)), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// fileLimit is how much of a file is read: none that matters is as large.
const fileLimit = 16 << 20

// lines are those of a file, none if it cannot be read.
func (r *reader) lines(path string) func(func(string) bool) {
	text, _ := readFile(path)
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(text)) {
			if !yield(strings.TrimRight(line, "\n")) {
				return
			}
		}
	}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no file", path))
	}
	return io.ReadAll(io.LimitReader(f, fileLimit))
}

// sysctls reads those that matter here.
func (r *reader) sysctls() {
	const sys = "/proc/sys/"
	r.facts.Sysctls = doctor.Sysctls{}
	for _, pattern := range []string{
		"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/vs/*",
		"net/ipv4/conf/*/rp_filter", "net/ipv4/conf/*/arp_ignore", "net/ipv4/conf/*/arp_announce",
		"net/ipv4/conf/*/arp_notify", "net/ipv4/conf/*/promote_secondaries",
		"net/ipv4/conf/*/accept_local", "net/ipv4/conf/*/send_redirects",
		"net/netfilter/nf_conntrack_count", "net/netfilter/nf_conntrack_max",
	} {
		paths, _ := filepath.Glob(sys + pattern) // the patterns are good
		for _, path := range paths {
			value, err := os.ReadFile(path)
			if err != nil {
				r.unread(path, err)
				continue
			}
			r.facts.Sysctls[strings.TrimPrefix(path, sys)] = strings.TrimSpace(string(value))
		}
	}
}

// others reads the files of programs that move addresses or keep rows.
func (r *reader) others() {
	for _, path := range []string{"/etc/ha.d/haresources", "/etc/keepalived/keepalived.conf", "/var/lib/pacemaker/cib/cib.xml"} {
		text, err := readFile(filepath.Join(r.root, path))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			r.unread(path, err)
			continue
		}
		r.facts.Keepers = append(r.facts.Keepers, Keepers(path, text)...)
	}
}

// Keepers are the lines of such a file that are no comments. Lines that end
// in a backslash go on in the next.
func Keepers(path string, text []byte) []doctor.Keeper {
	var out []doctor.Keeper
	var gathered string
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, fileLimit)
	begin := 1
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if at := strings.IndexAny(line, "#!"); at >= 0 && !strings.HasSuffix(path, ".xml") {
			line = strings.TrimSpace(line[:at])
		}
		if more, ok := strings.CutSuffix(line, `\`); ok {
			gathered += more + " "
			continue
		}
		if whole := gathered + line; strings.TrimSpace(whole) != "" {
			out = append(out, doctor.Keeper{File: path, Line: begin, Text: whole})
		}
		gathered, begin = "", n+1
	}
	if gathered != "" {
		out = append(out, doctor.Keeper{File: path, Line: begin, Text: gathered})
	}
	return out
}

// patience is how long the kernel may take to answer.
const patience = 5 * time.Second
