package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/convert/keepalived"
)

// keepalivedConf is what both are given. Its reals are on the director itself:
// what is compared are tables.
const keepalivedConf = `
$PLAN= \
    delay_loop 1 \
    warmup 0.1 \
    retry 1 \
    delay_before_retry 0.3 \
    connect_timeout 5
$WEB= \
    real_server 198.51.100.${N} 80 { \
        weight ${N}0 \
        HTTP_GET { \
            url { \
                path / \
            } \
        } \
    }
$CONNECT= \
    real_server 198.51.100.${N} 80 { \
        weight 3 \
        TCP_CHECK { } \
    }
virtual_server_group shop {
    192.0.2.10 80
    192.0.2.16-17 80
    fwmark 7
}
virtual_server group shop {
    lvs_sched wlc
    lvs_method NAT
    protocol TCP
    persistence_timeout 60
    quorum 3
    hysteresis 1
    $PLAN
    sorry_server 198.51.100.9 80
    ~SEQ(N, 1, 2) $WEB
}
virtual_server 192.0.2.11 80 {
    lvs_sched sh
    sh-port
    lvs_method TUN
    protocol TCP
    inhibit_on_failure
    alpha
    $PLAN
    ~LST(N, 1, 2) $CONNECT
}
virtual_server 192.0.2.12 53 {
    lvs_sched rr
    lvs_method DR
    protocol UDP
    ops
    $PLAN
    real_server 198.51.100.1 53 {
        weight 1
        uthreshold 100
        lthreshold 50
        MISC_CHECK {
            misc_path "/bin/sh -c 'exit 9'"
            misc_dynamic
            misc_timeout 30
        }
    }
    real_server 198.51.100.2 53 {
        weight 5
    }
}
virtual_server 192.0.2.13 0 {
    lvs_sched wrr
    lvs_method DR
    protocol TCP
    persistence_timeout 90
    persistence_granularity 255.255.0.0
    real_server 198.51.100.1 0 {
        weight 2
    }
}
`

// place is a network namespace with a table of its own and two web servers.
type place struct {
	node
	web [2]*exec.Cmd
}

// newPlace makes one.
func newPlace(t *testing.T, name string) *place {
	t.Helper()
	if os.Getenv("MOND_LAB") != "1" {
		t.Skip("needs a kernel with IPVS: make test runs it in one")
	}
	p := &place{node: node(name)}
	run(t, exec.Command("ip", "netns", "add", name))
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	p.run(t, "ip link set lo up")
	for _, address := range []string{"192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13", "198.51.100.1", "198.51.100.2", "198.51.100.9"} {
		p.run(t, "ip address add "+address+"/32 dev lo")
	}
	return p
}

// serve starts or kills the web server of a real.
func (p *place) serve(t *testing.T, real int, up bool) {
	t.Helper()
	if !up {
		_ = p.web[real-1].Process.Kill()
		_ = p.web[real-1].Wait()
		return
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "index.html"), []byte("well\n"), 0o644))
	cmd := p.command(context.Background(), "busybox", "httpd", "-f", "-p", fmt.Sprintf("198.51.100.%d:80", real), "-h", dir)
	must(t, cmd.Start())
	p.web[real-1] = cmd
	t.Cleanup(func() { _ = cmd.Process.Kill() })
}

// untilRows waits until the table holds the rows of the virtual services and
// these destinations.
func (p *place) untilRows(t *testing.T, d *daemon, destinations ...string) {
	t.Helper()
	p.untilTable(t, d, usual(), slices.Concat(services(), destinations)...)
}

// shop are the virtual services of the group.
var shop = []string{"-t 192.0.2.10:80", "-t 192.0.2.16:80", "-t 192.0.2.17:80", "-f 7"}

// services are the rows of all virtual services.
func services() []string {
	var rows []string
	for _, s := range shop {
		rows = append(rows, "-A "+s+" -s wlc -p 60")
	}
	return append(rows, "-A -t 192.0.2.11:80 -s sh -b sh-port", "-A -u 192.0.2.12:53 -s rr -o", "-A -t 192.0.2.13:0 -s wrr -p 90 -M 255.255.0.0")
}

// inShop are the rows of a destination of the group.
func inShop(destination string) []string {
	var rows []string
	for _, s := range shop {
		rows = append(rows, "-a "+s+" -r "+destination)
	}
	return rows
}

// tunnel are the rows of the second virtual service with these weights.
func tunnel(w1, w2 int) []string {
	return []string{fmt.Sprintf("-a -t 192.0.2.11:80 -r 198.51.100.1:80 -i -w %d --tun-type ipip", w1), fmt.Sprintf("-a -t 192.0.2.11:80 -r 198.51.100.2:80 -i -w %d --tun-type ipip", w2)}
}

// rest are those of the others: the weight of the third is the exit status less
// 2. What ipvsadm saves has no thresholds.
func rest() []string {
	return []string{"-a -u 192.0.2.12:53 -r 198.51.100.1:53 -g -w 7", "-a -u 192.0.2.12:53 -r 198.51.100.2:53 -g -w 5", "-a -t 192.0.2.13:0 -r 198.51.100.1:0 -g -w 2"}
}

// play brings the place through all that is compared.
func (p *place) play(t *testing.T, d *daemon) {
	t.Helper()
	one, two, sorry := inShop("198.51.100.1:80 -m -w 10"), inShop("198.51.100.2:80 -m -w 20"), inShop("198.51.100.9:80 -m -w 1")
	p.untilRows(t, d, slices.Concat(one, two, tunnel(3, 3), rest())...)
	p.serve(t, 2, false)
	p.untilRows(t, d, slices.Concat(one, tunnel(3, 0), rest())...)
	p.serve(t, 1, false)
	p.untilRows(t, d, slices.Concat(sorry, tunnel(0, 0), rest())...)
	p.serve(t, 2, true)
	p.untilRows(t, d, slices.Concat(two, tunnel(0, 3), rest())...)
	p.serve(t, 1, true)
	p.untilRows(t, d, slices.Concat(one, two, tunnel(3, 3), rest())...)
}

// The real keepalived makes of the configuration what the test says.
func TestKeepalived(t *testing.T) {
	p := newPlace(t, "keepalived")
	p.serve(t, 1, true)
	p.serve(t, 2, true)
	startKeepalived(t, p)
	p.play(t, nil)
}

// mond makes of it the same tables.
func TestKeepalivedByMond(t *testing.T) {
	p := newPlace(t, "bymond")
	p.serve(t, 1, true)
	p.serve(t, 2, true)
	r := keepalived.Format().Read("keepalived.conf", []byte(keepalivedConf))
	if err := r.Diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	install(t, string(r.File.Standalone().Bytes()))
	p.play(t, startMondIn(t, p.node))
}

// startKeepalived starts the part of keepalived that checks, with files of its
// own.
func startKeepalived(t *testing.T, p *place) {
	t.Helper()
	program, err := exec.LookPath("keepalived")
	if err != nil {
		t.Fatal("no keepalived: install the Debian package keepalived (scripts/deps does)")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "keepalived.conf")
	must(t, os.WriteFile(conf, []byte(keepalivedConf), 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	defer log.Close()
	cmd := p.command(context.Background(), program, "--check", "--dont-fork", "--log-console", "--no-syslog", "--dont-respawn",
		"--use-file", conf, "--pid", filepath.Join(dir, "pid"), "--checkers_pid", filepath.Join(dir, "checkers.pid"))
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		ended := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		ended.Stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("log of keepalived:\n%s", text)
		}
	})
}
