package beside

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keepalivedConf is of a director whose addresses fake holds; HOW is how it is
// told.
const keepalivedConf = `global_defs {
    router_id @NAME@
    script_user root
    @GLOBAL@
}
vrrp_script mond {
    script "/usr/bin/test ! -e @DIR@/unfit"
    interval 1
    fall 1
    rise 1
}
vrrp_instance web {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority @PRIORITY@
    advert_int 1
    @INSTANCE@
    track_script {
        mond
    }
}
`

// keepalivedNode makes the files of a director under keepalived.
func keepalivedNode(t *testing.T, s *site, name, priority, global, instance string) *node {
	conf := strings.NewReplacer("@NAME@", name, "@PRIORITY@", priority, "@GLOBAL@", global, "@INSTANCE@", instance).Replace(keepalivedConf)
	files := map[string]string{"keepalived/web": "# of the tests\n--refresh 5m\n" + vip + "/24/eth0\n"}
	n := s.prepare(name, files, "sh", "-c")
	// keepalived reads no file that is executable.
	write(t, filepath.Join(n.dir, "keepalived.conf"), strings.ReplaceAll(conf, "@DIR@", n.dir), 0o644)
	for _, script := range []string{"mond-notify", "mond-fifo"} {
		copyFile(t, etc(t, "keepalived/"+script), filepath.Join(n.dir, "etc", script), 0o755)
	}
	n.program = append(n.program, "export MOND_KEEPALIVED="+n.dir+"/keepalived; keepalived -P -n -l -D -p /run/k.pid -r /run/kv.pid -f "+n.dir+"/keepalived.conf &")
	s.told(n)
	return n
}

// TestUnderKeepalived: the real keepalived decides by VRRP, fake holds: told by
// notify scripts and by a FIFO.
func TestUnderKeepalived(t *testing.T) {
	needs(t, "keepalived", "/usr/sbin/keepalived")
	for name, how := range map[string]struct{ global, instance string }{
		"notify": {"", "notify @DIR@/etc/mond-notify"},
		"fifo":   {"vrrp_notify_fifo /run/k.fifo\n    vrrp_notify_fifo_script @DIR@/etc/mond-fifo", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			a := keepalivedNode(t, s, "A", "150", how.global, how.instance)
			b := keepalivedNode(t, s, "B", "100", how.global, how.instance)
			s.start(a)
			s.start(b)
			alone := func(has, not string) func() bool {
				return func() bool { return s.has(has, vip) && !s.has(not, vip) }
			}
			within(t, 60*time.Second, "the address is on A", alone("A", "B"))
			s.ask(vip)
			if got := s.seen(vip); got != a.mac {
				t.Errorf("the client sees it at %q, A is %s", got, a.mac)
			}

			write(t, filepath.Join(a.dir, "unfit"), "", 0o600)
			within(t, 60*time.Second, "A is not fit: the address is on B alone", alone("B", "A"))
			within(t, 10*time.Second, "the client sees it at B", func() bool { return s.seen(vip) == b.mac })

			run(t, "rm", filepath.Join(a.dir, "unfit"))
			within(t, 60*time.Second, "A is fit again: the address is on A alone", alone("A", "B"))
			within(t, 10*time.Second, "the client sees it at A", func() bool { return s.seen(vip) == a.mac })

			// An orderly end: keepalived says STOP, and does not wait for it.
			s.inside(a, "kill $(cat /run/k.pid)")
			within(t, 60*time.Second, "A ended: the address is on B alone", alone("B", "A"))
		})
	}
}
