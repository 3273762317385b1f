package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mondhq/mond/engine/difference"
)

// manHead is mond(8) up to its options.
const manHead = `.TH MOND 8 "" mond "System Administration"
.SH NAME
mond \- watch services and act on what is seen
.SH SYNOPSIS
.B mond
[\fB\-c\fR \fIFILE\fR] [\fIoptions\fR]
.SH DESCRIPTION
.B mond
reads
.BR mon.cf (5),
runs the monitors it names, each when it is due, and calls its alerts by the rules of mon 1.3.
It stays in the foreground unless
.B \-f
is given.
.PP
What a monitor says is a verdict only if it ended with an exit status or did not answer within its time.
Otherwise the service is blind: its status, its counters and what was claimed for it stay as they are.
.PP
Alerts that tell people are notices: they are written to disk first, in order, and told at least once.
Alerts that keep a state, such as
.BR lvs.alert ,
are given claims: what should hold now, at once and never queued.
A failure raises a claim by mon's gates; the next success clears it, whatever is disabled, acknowledged or out of its period by then.
.PP
The daemon's own condition is the watch
.BR mond ,
with the services
.BR plugins ,
.BR store ,
.BR lateness ,
.BR outbox ,
.B config
and
.BR local ,
and with
.B ipvs_sync
in the file
.BR sync ;
declare it in mon.cf to be told of it.
Where a monitor decides which director holds addresses, as
.B heartbeat.monitor
does, there are
.BR peer ,
.BR redundancy ,
.BI link\- NAME
for each link and
.BI role\- GROUP
for each group of addresses, too, and
.B witness
where there is one; on the witness,
.BI director\- N
for each of the two.
.SH OPTIONS
`

// manTail is what stands between the options and the differences.
const manTail = `.SH PRIVILEGE
.B mond
needs no privilege itself; programs that do are given theirs by
.B grant
in
.BR mon.cf (5),
a resident one only what it also asks for.
.TP
.B "Started as root with \-\-user"
It makes the folders for state, logs and sockets, the pidfile and the control socket, gives the user what is its own among them, and becomes that user before it starts any program.
Of the capabilities it keeps cap_net_admin, cap_net_raw and cap_net_bind_service, to pass them on; none is effective.
Folders that exist and are named in mon.cf or on the command line stay as they are, and nothing inside a folder changes its owner.
That user must be able to read mon.cf, which a reload reads again, and to run the plugins.
.TP
.B "Started as another user"
What the user was given, such as by AmbientCapabilities in systemd's unit, is kept to pass on; none is effective, and no program gets it without a grant.
Without any, everything works that needs none.
.TP
.B "Started as root without \-\-user"
It stays root, its programs too, and says so once.
.PP
By default
.B lvs.alert
has the grant cap_net_admin, to edit the kernel's IPVS table, and
.B fping.monitor
and
.B ping.monitor
have cap_net_raw, to send ICMP where net.ipv4.ping_group_range does not let them;
.B fake.alert
has cap_net_admin and cap_net_raw, to hold addresses and to tell the network of them;
.B heartbeat.monitor
has cap_net_raw, to see whether this director is on the network, cap_sys_nice, to come before programs that work all the time, and cap_ipc_lock, which beats below 50 ms want too;
.B "grant = lvs.alert none"
and the like take it away.
Only what mond has itself can be passed on.
For beats below 50 ms add CAP_SYS_NICE and CAP_IPC_LOCK to AmbientCapabilities and CapabilityBoundingSet of systemd's unit; a start as root with \-\-user keeps neither.
Nobody misses them at 50 ms and above.
mond's user must also own the file of \-\-keys, whose mode is 0600, and belong to the group of a serial line, mostly dialout.
.SH SIGNALS
.TP
.B HUP
Read the configuration again. A file with errors changes nothing, and \fBmond:config\fR fails.
.TP
.BR TERM ", " INT
Stop cleanly: state is saved, running alerts get ten seconds, tables stay as they are. Exit status 0.
.SH FILES
.TP
.I STATEDIR/mond.db
Statuses, counters, claims and the outbox.
.TP
.I STATEDIR/fake.record
Which groups of addresses fake.alert was given, to clean up after a crash.
.TP
.I STATEDIR/lvs.owned
What lvs.alert has added to tables.
.TP
.I /var/lib/mond/heartbeat.epoch
The epochs that heartbeat.monitor has used: its folder must be one that mond's user writes to, or \-\-epochs name another.
.TP
.I /run/mond/control.sock
.BR monctl (1)'s
socket. It is open to root, to mond's user and to its group.
.SH "EXIT STATUS"
0 after a clean stop, 1 after a failure, 2 for a command line that makes no sense.
.SH "DIFFERENCES FROM MON"
`

// writeMan writes mond(8) from what the program itself knows.
func writeMan(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(manHead)
	new(options).define().VisitAll(func(f *pflag.Flag) { manOption(b, f) })
	b.WriteString(manTail)
	for _, d := range difference.All() {
		fmt.Fprintf(b, ".TP\n.B %s\nmon: %s\nmond: %s\n%s\n", roff(d.Name), roff(d.Mon), roff(d.Ours), roff(d.Why))
	}
	b.WriteString(".SH \"SEE ALSO\"\n.BR mon.cf (5),\n.BR monctl (1)\n")
	return b.Flush()
}

func manOption(w io.Writer, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	value, help := pflag.UnquoteUsage(f)
	name := `\fB\-\-` + roff(f.Name) + `\fR`
	if f.Shorthand != "" {
		name = `\fB\-` + f.Shorthand + `\fR, ` + name
	}
	if value != "" && f.Value.Type() != "count" {
		name += ` \fI` + roff(value) + `\fR`
	}
	fmt.Fprintf(w, ".TP\n%s\n%s.\n", name, roff(help))
}

// roff escapes what roff would take for its own.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
