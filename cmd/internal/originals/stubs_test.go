package originals

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const (
	hostname = "monhost.example.test"
	// nowhere is a host that is down.
	nowhere = "192.0.2.9"
	// Where Debian has mon's programs.
	monDir     = "/usr/lib/mon/mon.d"
	localDir   = "/usr/lib/mon/mon-local.d"
	alertDir   = "/usr/lib/mon/alert.d"
	contribDir = "/usr/lib/mon-contrib"
)

// furnish writes the system's files that the programs look at, and programs
// that stand in for hardware, and for services of others. A stand-in that
// cannot tell by its arguments what to say goes by the hostgroup.
func furnish() error {
	var err error
	for path, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.RemoveAll(path), os.WriteFile(path, []byte(text), mode))
	}
	return errors.Join(err, os.MkdirAll("/var/log/mon", 0o755))
}

// record is a program that writes down its arguments and nothing else, for
// alerts; recordAll writes its input too.
const (
	record    = "#!/bin/sh\n{ printf '%s' \"${0##*/}\"; printf ' [%s]' \"$@\"; echo; } >\"$MON_LOGDIR/record$$\"\n"
	recordAll = "#!/bin/sh\n{ printf '%s' \"${0##*/}\"; printf ' [%s]' \"$@\"; echo; cat; echo .; } >\"$MON_LOGDIR/record$$\"\n"
)

var files = map[string]string{
	"/etc/hosts":       "127.0.0.1 localhost " + hostname + "\n",
	"/etc/mailname":    hostname + "\n",
	"/etc/resolv.conf": "nameserver 127.0.0.1\nsearch example.test\noptions timeout:1 attempts:1\n",

	"/usr/sbin/ipvsadm": `#!/bin/sh
case "$1 $3" in
"-l 192.0.2.80:80") printf 'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port\nTCP  192.0.2.80:80 wlc\n  -> 10.0.0.1:80 Masq 1 0 0\n' ;;
"-l "*) printf 'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n' ;;
*) printf 'ipvsadm %s\n' "$*" >"$MON_LOGDIR/record$$" ;;
esac
`,
	"/usr/lib/mon/bin/btrfs.helper": `#!/bin/sh
case $1 in
/good) printf '[/dev/vda].write_io_errs    0\n[/dev/vda].read_io_errs     0\nID 256 gen 7 top level 5 path home\n' ;;
*) echo "ERROR: not a btrfs filesystem: $1" ;;
esac
`,
	"/usr/lib/mon/bin/zfs.helper": `#!/bin/sh
case $1 in
tank) printf '  pool: tank\n state: ONLINE\n        tank        ONLINE       0     0     0\n          vda       ONLINE       0     0     0\n' ;;
*) printf '  pool: %s\n state: DEGRADED\n        %s        DEGRADED     0     0     0\n' "$1" "$1" ;;
esac
`,
	"/usr/lib/mon/bin/smartctl.helper": `#!/bin/sh
printf 'Sector Size:      512 bytes logical/physical\n\n=== START OF READ SMART DATA SECTION ===\n'
case $1 in
/dev/sda) printf 'SMART overall-health self-assessment test result: PASSED\n\n' ;;
*) printf 'SMART overall-health self-assessment test result: PASSED\nPlease note the following marginal Attributes:\n\n' ;;
esac
`,
	"/usr/lib/mon/bin/hplog.helper": `#!/bin/sh
state=Normal
case $MON_GROUP in *-down*) state=Caution ;; esac
echo "ID     TYPE        LOCATION      STATUS    CURRENT  THRESHOLD"
echo " 1  Basic Sensor  Ambient          Normal     70F/ 21C 105F/ 41C"
echo " 2  Basic Sensor  CPU (1)          $state    104F/ 40C 260F/127C"
`,
	"/usr/bin/sensors": `#!/bin/sh
now=40
case $MON_GROUP in *-down*) now=99 ;; esac
printf 'coretemp-isa-0000\nPackage id 0:\n  temp1_input: %s.000\n  temp1_max: 100.000\n  temp1_crit: 100.000\n\n' $now
`,
	"/opt/dell/srvadmin/bin/omreport": `#!/bin/sh
state=Ok
case $MON_GROUP in *-down*) state=Critical ;; esac
printf 'Index      : 0\nStatus     : %s\nProbe Name : System Board Ambient Temp\n' $state
`,
	"/usr/bin/getenforce": `#!/bin/sh
case $MON_GROUP in *-down*) echo Permissive ;; *) echo Enforcing ;; esac
`,
	"/usr/local/bin/lmstat": `#!/bin/sh
case $3 in
*good*) echo "   server1: UP" ;;
*) echo "   server1: DOWN" ;;
esac
`,
	"/usr/local/bin/ipsec": `#!/bin/sh
echo "a b 192.0.2.0/24 -> tun0x1002@192.0.2.1"
`,
	"/usr/sbin/ntpdate": `#!/bin/sh
shift
for host; do echo "server $host, stratum 2, offset 0.001234, delay 0.02563"; done
`,
	"/usr/local/bin/ssh": `#!/bin/sh
case $1 in 127.0.0.1) exit 0 ;; esac
echo "ssh: connect to host $1 port 22: Connection refused"
exit 255
`,
	"/usr/local/bin/smbclient": `#!/bin/sh
case "$*" in
-M*) printf '%s %s\n' "${0##*/}" "$*" >"$MON_LOGDIR/record$$"; exec cat >>"$MON_LOGDIR/record$$" ;;
*127.0.0.1*) echo "Domain=[D] OS=[Unix] Server=[Samba]" ;;
*) echo "session request failed"; exit 1 ;;
esac
`,
	"/usr/local/bin/qpage": recordAll,
	"/usr/bin/sendxmpp":    recordAll,
	"/usr/sbin/sendsms":    record,
	"/usr/bin/rsh": `#!/bin/sh
printf 'rsh %s\n' "$*" >"$MON_LOGDIR/record$$"
case "$*" in
*"snap list"*) printf 'Volume vol0\n\n  0%% ( 0%%)    0%% ( 0%%)  Jan 01 00:00  hourly.0\n  1%% ( 1%%)    1%% ( 1%%)  Jan 01 00:00  nightly.0\n' ;;
esac
`,
}
