package config

import (
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/alert"
)

// Scope says where a directive may stand.
type Scope uint8

// The scopes.
const (
	ScopeGlobal  Scope = iota // name = value, above the hostgroups
	ScopeTop                  // begins a record
	ScopeService              // in a service, above its periods
	ScopePeriod               // in a period
	ScopeVirtual              // in a virtual service, above its checks
	ScopeCheck                // in a check of a virtual service, beside those of a service
)

// String is a word for s.
func (s Scope) String() string {
	switch s {
	case ScopeGlobal:
		return "global"
	case ScopeTop:
		return "top"
	case ScopeService:
		return "service"
	case ScopeVirtual:
		return "virtual"
	case ScopeCheck:
		return "check"
	case ScopePeriod:
	}
	return "period"
}

// Keyword is one directive: what the reader, the hints, completion and the
// manual page know of it.
type Keyword struct {
	Name  string
	Scope Scope
	// Args is the form of what follows, such as "TIMEVAL"; empty if nothing
	// does.
	Args string
	// Default says what holds without it; empty if nothing needs saying.
	Default string
	// Since is "mon" for what the original reads, "mond" for what is new.
	Since string
	// Help is a sentence or two.
	Help string
	// Repeat is set if it may be given more than once in one place.
	Repeat bool
	// Gated is set if it is read only below a line `syntax = mond`.
	Gated bool
	// Form is what the value is made of.
	Form Form

	// yes judges the value of one whose Form is FormYes.
	yes func(text string) (yes, known bool)

	// apply gives the directive its meaning.
	apply meaning
}

// Keywords are all directives: by scope, then in the order of the manual.
func Keywords() []Keyword {
	var all []Keyword
	for scope, rows := range [][]Keyword{globalWords(), topWords(), serviceWords(), periodWords(), virtualWords(), checkWords()} {
		for _, k := range rows {
			k.Scope = Scope(scope)
			if k.Since == "" {
				k.Since = "mon"
			}
			all = append(all, k)
		}
	}
	return all
}

// index finds keywords by name.
type index struct {
	all    []Keyword
	scopes [ScopeCheck + 1]map[string]*Keyword
}

// newIndex is the index of what is read with or without `syntax = mond`.
func newIndex(mond bool) index {
	x := index{all: Keywords()}
	if !mond {
		x.all = slices.DeleteFunc(x.all, func(k Keyword) bool { return k.Gated })
	}
	for i := range x.all {
		k := &x.all[i]
		if x.scopes[k.Scope] == nil {
			x.scopes[k.Scope] = map[string]*Keyword{}
		}
		x.scopes[k.Scope][k.Name] = k
	}
	return x
}

func (x index) find(s Scope, name string) *Keyword { return x.scopes[s][name] }

// inner reports whether name is a directive of a service or period.
func (x index) inner(name string) bool {
	return x.find(ScopeService, name) != nil || x.find(ScopePeriod, name) != nil
}

// ofVirtual reports whether name is a directive of a virtual service, or of a
// check of one.
func (x index) ofVirtual(name string) bool {
	return x.find(ScopeVirtual, name) != nil || x.find(ScopeCheck, name) != nil
}

// names are those of one scope, in order.
func (x index) names(s Scope) []string {
	var names []string
	for _, k := range x.all {
		if k.Scope == s {
			names = append(names, k.Name)
		}
	}
	return names
}

const mond = "mond"

// globalWords are the variables.
func globalWords() []Keyword {
	return slices.Concat(pathWords(), serverWords(), behaviourWords(), legacyWords())
}

func pathWords() []Keyword {
	return []Keyword{
		{Name: "alertdir", Args: "DIR[:DIR...]", Form: FormPaths, Default: "/usr/local/lib/mon/alert.d:alert.d", Help: "Where classic alert programs are looked for, in this order. A relative directory is under basedir.",
			apply: path(func(g *paths) *string { return &g.alertDir })},
		{Name: "mondir", Args: "DIR[:DIR...]", Form: FormPaths, Default: "/usr/local/lib/mon/mon.d:mon.d", Help: "Where classic monitor programs are looked for, in this order. A relative directory is under basedir.",
			apply: path(func(g *paths) *string { return &g.monDir })},
		{Name: "plugindir", Args: "DIR[:DIR...]", Form: FormPaths, Default: "plugins beside the daemon, then /usr/lib/mond/plugins", Since: mond, Help: "Where resident plugins are looked for, in this order. A relative directory is under basedir.",
			apply: path(func(g *paths) *string { return &g.pluginDir })},
		{Name: "prefer", Args: "resident|classic", Form: FormText, Default: "classic", Since: mond, Help: "Which program is taken when a name exists both as a resident plugin and as a classic program.",
			apply: prefer},
		{Name: "basedir", Args: "DIR", Form: FormText, Default: "/usr/lib/mon", Help: "What the relative paths of other variables are under.",
			apply: path(func(g *paths) *string { return &g.baseDir })},
		{Name: "cfbasedir", Args: "DIR", Form: FormText, Default: "/etc/mon", Help: "What the paths of authfile and userfile are under. Monitors and alerts get it as MON_CFBASEDIR.",
			apply: path(func(g *paths) *string { return &g.cfBaseDir })},
		{Name: "logdir", Args: "DIR", Form: FormText, Default: "/var/log/mon if it is a directory, else log.d", Help: "Where dtlogfile and historicfile are, under basedir. Monitors and alerts get it as MON_LOGDIR.",
			apply: path(func(g *paths) *string { return &g.logDir })},
		{Name: "statedir", Args: "DIR", Form: FormText, Default: "/var/state/mon or /var/lib/mon, whichever is there, else state.d", Help: "Where the state is kept, under basedir. Monitors and alerts get it as MON_STATEDIR.",
			apply: path(func(g *paths) *string { return &g.stateDir })},
		{Name: "authfile", Args: "FILE", Form: FormText, Default: "auth.cf", Help: "Who may give which command, under cfbasedir.",
			apply: path(func(g *paths) *string { return &g.authFile })},
		{Name: "userfile", Args: "FILE", Form: FormText, Default: "monusers.cf", Help: "Names and crypt(3) passwords for authtype userfile, under cfbasedir. It must be there if it is named and used.",
			apply: path(func(g *paths) *string { return &g.userFile })},
		{Name: "historicfile", Args: "[FILE]", Form: FormText, Default: "none", Help: "The file that every alert is noted in, under logdir.",
			apply: optionalPath(func(g *paths) *string { return &g.historicFile })},
		{Name: "dtlogfile", Args: "FILE", Form: FormText, Default: "downtime.log", Help: "The file that outages are noted in when they are over, under logdir. See dtlogging.",
			apply: path(func(g *paths) *string { return &g.dtLogFile })},
		{Name: "monerrfile", Args: "FILE", Form: FormText, Default: "/dev/null", Help: "Where output and errors of a daemon in the background go.",
			apply: path(func(g *paths) *string { return &g.monErrFile })},
		{Name: "pidfile", Args: "[FILE]", Form: FormText, Default: "mon.pid in /run/mon, /run or /etc, whichever is there first", Help: "The file that holds the number of the daemon's process; without a value there is none.",
			apply: optionalPath(func(g *paths) *string { return &g.pidFile })},
		{Name: "controlsocket", Args: "FILE", Form: FormText, Default: "/run/mond/control.sock", Since: mond, Help: "The Unix socket that monctl speaks to. A relative path is under statedir.",
			apply: path(func(g *paths) *string { return &g.controlSocket })},
	}
}

func serverWords() []Keyword {
	return []Keyword{
		{Name: "authtype", Args: "TYPE...", Form: FormWords, Default: "getpwnam", Help: "How a login is checked: getpwnam, userfile, pam or trustlocal (any name from this machine); the first that succeeds wins.",
			apply: authType},
		{Name: "pamservice", Args: "NAME", Form: FormText, Default: "passwd", Help: "The PAM service of authtype pam.",
			apply: text(func(g *Globals) *string { return &g.PamService })},
		{Name: "authprogram", Args: "PROGRAM [ARGS]", Form: FormText, Default: "/usr/sbin/pwauth", Since: mond, Help: "The program that judges passwords for authtype pam: it reads the name and the password as two lines and exits with 0 if they are right. It gets pamservice as MON_PAMSERVICE.",
			apply: authProgram},
		{Name: "serverport", Args: "PORT", Form: FormNumber, Default: "mon in the services database, else 2583", Help: "The TCP port for clients.",
			apply: number(1, 65535, func(g *Globals) *int { return &g.ServerPort })},
		{Name: "tlsport", Args: "PORT", Form: FormNumber, Default: "none", Since: mond, Help: "A second TCP port, where clients speak the same protocol in TLS. It needs tlscert.",
			apply: number(1, 65535, func(g *Globals) *int { return &g.TLSPort })},
		{Name: "tlscert", Args: "FILE", Form: FormText, Default: "none", Since: mond, Help: "The certificate of tlsport, with its chain, in PEM, under cfbasedir. It is read again when it changes.",
			apply: path(func(g *paths) *string { return &g.tlsCert })},
		{Name: "tlskey", Args: "FILE", Form: FormText, Default: "tlscert", Since: mond, Help: "The key of tlscert, in PEM, under cfbasedir.",
			apply: path(func(g *paths) *string { return &g.tlsKey })},
		{Name: "trapport", Args: "PORT", Form: FormNumber, Default: "mon in the services database, else 2583", Help: "The UDP port for traps.",
			apply: number(1, 65535, func(g *Globals) *int { return &g.TrapPort })},
		{Name: "serverbind", Args: "ADDRESS", Form: FormText, Default: "every address", Help: "The address, or host name, that clients connect to.",
			apply: text(func(g *Globals) *string { return &g.ServerBind })},
		{Name: "trapbind", Args: "ADDRESS", Form: FormText, Default: "every address", Help: "The address, or host name, that traps are sent to.",
			apply: text(func(g *Globals) *string { return &g.TrapBind })},
		{Name: "clientallow", Args: "PATTERN...", Form: FormWords, Default: `\d+.\d+.\d+.\d+`, Help: "Regular expressions; a client whose whole address matches none is turned away. A dot stands for itself unless it follows [ or a backslash.",
			apply: clientAllow},
		{Name: "cltimeout", Args: "TIMEVAL", Form: FormTime, Default: "30s", Help: "How long a client may be silent.",
			apply: globalTime(0, func(g *Globals) *time.Duration { return &g.ClientTimeout })},
		{Name: "monremote", Args: "PROGRAM", Form: FormText, Default: "none", Help: "A shell command that is told of every disable, enable and test that a client asks for.",
			apply: text(func(g *Globals) *string { return &g.MonRemote })},
		{Name: "grant", Args: "PROGRAM CAPABILITY[,CAPABILITY...]|none", Form: FormGrant, Default: "lvs.alert cap_net_admin, fping.monitor and ping.monitor cap_net_raw, fake.alert cap_net_admin and cap_net_raw, heartbeat.monitor cap_net_raw, cap_sys_nice and cap_ipc_lock", Since: mond, Repeat: true, Help: "Linux capabilities, such as cap_net_raw, that a program may be given. It gets those that its own description asks for as well; a program named here loses its default, with none it gets nothing.",
			apply: grant},
	}
}

func behaviourWords() []Keyword {
	return []Keyword{
		{Name: "syntax", Args: "mond", Form: FormText, Default: "that of mon", Since: mond, Repeat: true, Help: "Below this line comments may stand behind other words, and include, template, use and virtual are read. See SYNTAX OF MOND.",
			apply: syntax},
		{Name: "maxprocs", Args: "NUMBER", Form: FormNumber, Default: "0, no limit", Help: "How many classic monitors may run at once.",
			apply: number(0, maxCount, func(g *Globals) *int { return &g.MaxProcs })},
		{Name: "timeout", Args: "TIMEVAL", Form: FormTime, Default: "60s", Since: mond, Help: "How long a monitor may run before it is ended and the service counts as failed. The original waits for ever.",
			apply: globalTime(tick, func(g *Globals) *time.Duration { return &g.Timeout })},
		{Name: "alerttimeout", Args: "TIMEVAL", Form: FormTime, Default: "60s", Since: mond, Help: "How long an alert may run before it is ended and tried again.",
			apply: globalTime(tick, func(g *Globals) *time.Duration { return &g.AlertTimeout })},
		{Name: "randstart", Args: "TIMEVAL", Form: FormTime, Default: "not set", Help: "Spreads the first checks at random over this time.",
			apply: globalTime(0, func(g *Globals) *time.Duration { return &g.RandStart })},
		{Name: "histlength", Args: "NUMBER", Form: FormNumber, Default: "100", Help: "How many alerts, and how many failures, are kept to be listed.",
			apply: number(0, maxCount, func(g *Globals) *int { return &g.HistLength })},
		{Name: "historictime", Args: "TIMEVAL", Form: FormTime, Default: "0s, all", Help: "Entries of historicfile that are older are not read back at start.",
			apply: globalTime(0, func(g *Globals) *time.Duration { return &g.HistoricTime })},
		{Name: "historykeep", Args: "TIMEVAL", Form: FormTime, Default: "30d", Since: mond, Help: "How long mond keeps its own history, which monctl history and monctl report read. See historyrows.",
			apply: globalTime(time.Minute, func(g *Globals) *time.Duration { return &g.HistoryKeep })},
		{Name: "historyrows", Args: "NUMBER", Form: FormNumber, Default: "200000", Since: mond, Help: "How many rows of its own history mond keeps at most, whatever historykeep says: some 250 bytes each. What a report needs of before is told as not watched.",
			apply: number(1000, 100*maxCount, func(g *Globals) *int { return &g.HistoryRows })},
		{Name: "dtlogging", Args: "yes|no", Form: FormYes, Default: "no", Help: "Whether outages are noted in dtlogfile. 1, yes and true mean yes.",
			yes: yesNo, apply: dtLogging},
		{Name: "syslog_facility", Args: "FACILITY", Form: FormText, Default: "daemon", Help: "The facility of what is logged.",
			apply: facility},
		{Name: "startupalerts_on_reset", Args: "yes|no", Form: FormYes, Default: "no", Help: "Whether startupalert lines are called after a reset too, not only when the daemon starts.",
			yes: yesSomewhere, apply: startupOnReset},
		{Name: "dep_recur_limit", Args: "NUMBER", Form: FormNumber, Default: "10", Help: "How far dependencies of dependencies are followed.",
			apply: number(1, maxCount, func(g *Globals) *int { return &g.DepRecurLimit })},
		{Name: "dep_behavior", Args: "a|m|hm", Form: FormText, Default: "a", Repeat: true, Help: "The dep_behavior of the services below this line.",
			apply: depBehavior},
		{Name: "dep_memory", Args: "TIMEVAL", Form: FormTime, Default: "0s", Repeat: true, Help: "The dep_memory of the services below this line.",
			apply: globalDepMemory},
		{Name: "unack_summary", Args: "[yes|no]", Form: FormYes, Default: "no", Repeat: true, Help: "The unack_summary of the services below this line.",
			yes: yesByLetter, apply: unackSummary},
		{Name: "notify", Args: "active|always", Form: FormText, Default: "active", Repeat: true, Since: mond, Help: "The notify of the services below this line.",
			apply: notify},
		{Name: "exclude_period", Args: "PERIOD", Form: FormText, Default: "none", Help: "While the time is in this period nothing is checked at all.",
			apply: globalExclude},
		{Name: "maintenance_dir", Args: "DIR", Form: FormText, Default: "none", Since: mond, Help: "The maintenance_dir of virtual services, under cfbasedir.",
			apply: path(func(g *paths) *string { return &g.maintenanceDir })},
		{Name: "table", Args: "warm|by-role", Form: FormText, Default: "warm", Since: mond, Help: "Whether the table holds the virtual services of the file always (warm), or only while this director has their addresses (by-role): for directors that are real servers too, or whose addresses another program moves with a script that clears the table.",
			apply: tableRole},
		{Name: "ipvs_timeouts", Args: "tcp=N,tcpfin=N,udp=N", Form: FormText, Default: "those that the kernel has", Since: mond, Help: "Time limits of the kernel's table in seconds, for all its connections: established TCP, TCP after a FIN, and UDP. Those that are not named stay as they are. They are set and kept while a virtual service is declared, and never set back.",
			apply: ipvsTimeouts},
		{Name: "ipvs_sync", Args: "interface=NAME,syncid=N[,mode=both|by-role][,maxlen=N][,group=ADDRESS][,port=N][,ttl=N]", Form: FormText, Default: "not at all", Since: mond, Help: "Connections are copied to the other director, so that they survive a takeover: the kernel's sync daemons are started on this interface and kept running while a virtual service is declared; mond leaves them running when it ends. Copies are neither signed nor encrypted, so the interface should be a cable from director to director. syncid (1) tells clusters on one network apart. With mode=both (the default) each director sends and takes in always; with by-role the one that has the addresses sends and the other takes in: for directors that are real servers too, with the sysctl net.ipv4.vs.backup_only. The others are as ipvsadm has them. The service mond:sync fails while connections are not copied, and failback waits for the copy.",
			apply: ipvsSync},
		{Name: "on_stop", Args: "handover|release|keep", Form: FormText, Default: "handover", Since: mond, Help: "What becomes of addresses that this director holds when mond ends: handover gives them to the other director and waits a little for that, release gives them up whoever is there, keep leaves them as they are for as long as their lease lasts, for a restart that clients do not notice.",
			apply: onStop},
		{Name: "role_source", Args: "mond|heartbeat|pacemaker|keepalived", Form: FormText, Default: "mond", Since: mond, Help: "Who decides which director holds which addresses, for only one may. With mond it is a service whose monitor is heartbeat.monitor. With another, that program moves them, and calls the fake command or its own for it: no such service may have fake.alert lines then. Those of other services are alerts like any other: they add their addresses for good when the service fails and remove them when it recovers, and remove nothing of others.",
			apply: roleSource},
	}
}

// legacyWords are variables of older versions, which mon 1.3 refuses.
func legacyWords() []Keyword {
	const help = "Read for the sake of old files, with a warning; it has no meaning."
	return []Keyword{
		{Name: "snmp", Args: "VALUE", Form: FormText, Help: help, Since: "mon 0.99", apply: legacy},
		{Name: "snmpport", Args: "VALUE", Form: FormText, Help: help, Since: "mon 0.99", apply: legacy},
		{Name: "ocfile", Args: "VALUE", Form: FormText, Help: help, Since: "mon 0.99", apply: legacy},
	}
}

// topWords begin records.
func topWords() []Keyword {
	return []Keyword{
		{Name: "hostgroup", Args: "NAME HOST...", Form: FormRecord, Repeat: true, Help: "A list of hosts. Every line up to the next blank one holds more of them. A host with a * before it is disabled from the start.",
			apply: hostgroup},
		{Name: "watch", Args: "NAME", Form: FormRecord, Repeat: true, Help: "The services of the hostgroup of that name, up to the next blank line. Without such a hostgroup, one with the single host NAME is made. Below syntax = mond several hostgroups may be named.",
			apply: watch},
		{Name: "view", Args: "NAME MEMBER...", Form: FormRecord, Repeat: true, Help: "A set of groups, and of group:service, that clients may restrict their lists to.",
			apply: view},
		{Name: "alias", Args: "NAME", Form: FormRecord, Repeat: true, Help: "Free text for clients: every line up to the next blank one.",
			apply: alias},
		{Name: "virtual", Args: "NAME", Form: FormRecord, Since: mond, Repeat: true, Gated: true, Help: "A virtual service of the kernel's table, its real servers and what checks them, up to the next blank line. See VIRTUAL SERVICES.",
			apply: virtualService},
		{Name: "template", Args: "NAME [PARAM|PARAM=DEFAULT]...", Form: FormRecord, Since: mond, Repeat: true, Gated: true, Help: "Lines of services and periods, up to the next blank line, that use puts elsewhere. See TEMPLATES.",
			apply: unexpanded},
		{Name: "include", Args: "PATTERN...", Form: FormQuoted, Since: mond, Repeat: true, Gated: true, Help: "Puts the lines of other files here. See INCLUDED FILES.",
			apply: unexpanded},
	}
}

// serviceWords stand in a service, above its periods.
func serviceWords() []Keyword {
	return []Keyword{
		{Name: "service", Args: "NAME", Form: FormRecord, Repeat: true, Help: "Begins a service of the watch.",
			apply: service},
		{Name: "description", Args: "TEXT", Form: FormText, Help: "What people are told the service is.",
			apply: description},
		{Name: "interval", Args: "TIMEVAL", Form: FormTime, Default: "none: never checked", Help: "The time from one check to the next, 10ms at least.",
			apply: serviceTime(tick, func(s *Service) *time.Duration { return &s.Plan.Up })},
		{Name: "failure_interval", Args: "TIMEVAL", Form: FormTime, Default: "the interval", Help: "The interval while the service fails.",
			apply: serviceTime(tick, func(s *Service) *time.Duration { return &s.Plan.Down })},
		{Name: "suspect_interval", Args: "TIMEVAL", Form: FormTime, Default: "the interval", Since: mond, Help: "The interval while results are against the status but not yet enough to change it; see rise and fall.",
			apply: serviceTime(tick, func(s *Service) *time.Duration { return &s.Plan.Suspect })},
		{Name: "schedule", Args: `"MINUTE HOUR DAY MONTH WEEKDAY"`, Form: FormPhrase, Default: "none", Since: mond, Help: "Times of checks as in crontab(5), or @hourly, @daily, @every 90s and the like, instead of an interval. CRON_TZ=ZONE before it chooses a time zone.",
			apply: cronSchedule},
		{Name: "randskew", Args: "TIMEVAL", Form: FormTime, Default: "none", Help: "Moves each check at random by up to this time, either way.",
			apply: serviceTime(1, func(s *Service) *time.Duration { return &s.Plan.Skew })},
		{Name: "timeout", Args: "TIMEVAL", Form: FormTime, Default: "the variable timeout", Since: mond, Help: "How long the monitor may run before it is ended and the service counts as failed.",
			apply: serviceTime(tick, func(s *Service) *time.Duration { return &s.Timeout })},
		{Name: "rise", Args: "NUMBER", Form: FormNumber, Default: "1", Since: mond, Help: "How many successes in a row make a failing service good.",
			apply: serviceNumber(func(s *Service) *int { return &s.Settle.Rise })},
		{Name: "fall", Args: "NUMBER", Form: FormNumber, Default: "1", Since: mond, Help: "How many failures in a row make a good service fail.",
			apply: serviceNumber(func(s *Service) *int { return &s.Settle.Fall })},
		{Name: "monitor", Args: "PROGRAM [ARG...] [;;]", Form: FormCommand, Default: "none: only traps", Help: "The program that checks. The hosts of the group are its last arguments, unless the line ends in ;;.",
			apply: monitor},
		{Name: "allow_empty_group", Form: FormFlag, Help: "Check even if no host is left.",
			apply: serviceFlag(func(s *Service) *bool { return &s.AllowEmptyGroup })},
		{Name: "exclude_hosts", Args: "HOST...", Form: FormWords, Repeat: true, Help: "Hosts of the group that this service does not check.",
			apply: excludeHosts},
		{Name: "exclude_period", Args: "PERIOD", Form: FormText, Default: "none", Help: "While the time is in this period the service is not checked.",
			apply: serviceExclude},
		{Name: "depend", Args: "EXPRESSION", Form: FormText, Help: "The services that must be good for this one to matter: GROUP:SERVICE or SELF:SERVICE, with &&, ||, ! and brackets. What it holds back is said by dep_behavior.",
			apply: depends(func(d *draft) **Statement { return &d.depend })},
		{Name: "alertdepend", Args: "EXPRESSION", Form: FormText, Help: "As depend with dep_behavior a: no alerts while it is false.",
			apply: depends(func(d *draft) **Statement { return &d.alertDepend })},
		{Name: "monitordepend", Args: "EXPRESSION", Form: FormText, Help: "As depend with dep_behavior m: no checks while it is false.",
			apply: depends(func(d *draft) **Statement { return &d.monitorDepend })},
		{Name: "hostdepend", Args: "EXPRESSION", Form: FormText, Help: "As depend with dep_behavior hm: hosts that fail there are not checked here.",
			apply: depends(func(d *draft) **Statement { return &d.hostDepend })},
		{Name: "dep_behavior", Args: "a|m|hm", Form: FormText, Default: "the variable dep_behavior", Help: "What depend holds back: alerts (a), checks (m), or hosts (hm).",
			apply: depBehavior},
		{Name: "dep_memory", Args: "TIMEVAL", Form: FormTime, Default: "the variable dep_memory", Help: "How long after a dependency recovered it still counts as failed.",
			apply: serviceTime(1, func(s *Service) *time.Duration { return &s.Depend.Memory })},
		{Name: "local_fault", Args: "link INTERFACE | source ADDRESS | gateway ADDRESS", Form: FormText, Default: "none", Since: mond, Repeat: true, Help: "Something of this machine without which the check means nothing: an interface that is up, an address that is here, a neighbour that answers. While it is not so the status stays as it was.",
			apply: serviceFault},
		{Name: "weight_from", Args: "exit | perf LABEL [as weight|percent|delta|load]", Form: FormText, Default: "none", Since: mond, Help: "The check says what weight its real server is to have: by its exit status (0, or 2 to 255 for a weight of 0 to 253; 1 is a failure), or by a figure LABEL of its performance data or output. A label with blanks stands in quotes: perf \"free space\"; the unit of the figure is no part of it. What the figure means is said by as; without it, it is the weight. load is a load average.",
			apply: weightFrom},
		{Name: "redistribute", Args: "ALERT [ARG...]", Form: FormCommand, Default: "none", Help: "An alert that is called at every event, whatever the periods say.",
			apply: redistribute},
		{Name: "traptimeout", Args: "TIMEVAL", Form: FormTime, Default: "none", Help: "The service fails if no trap comes for this long.",
			apply: serviceTime(1, func(s *Service) *time.Duration { return &s.TrapTimeout })},
		{Name: "trapduration", Args: "TIMEVAL", Form: FormTime, Default: "none", Help: "A failure that a trap reported is over after this time.",
			apply: serviceTime(1, func(s *Service) *time.Duration { return &s.TrapDuration })},
		{Name: "unack_summary", Args: "[yes|no]", Form: FormYes, Default: "the variable unack_summary", Help: "Whether an acknowledgement ends when the summary of the failure changes. Without a value: yes.",
			yes: yesByLetter, apply: unackSummary},
		{Name: "notify", Args: "active|always", Form: FormText, Default: "the variable notify", Since: mond, Help: "Which of two directors tells of the service. With active it is the one that serves: one that holds no group of addresses, while another that does is alive and well, calls no alerts of the service, but keeps them for 10 s, or for the service's interval if that is longer, and calls them if it must take over meanwhile. With always both call theirs: for alerts that are about this machine. Without a service whose monitor decides about directors both are the same; the services of group mond, and that service itself, are always told of.",
			apply: notify},
		{Name: "period", Args: "[LABEL:] [PERIOD]", Form: FormRecord, Repeat: true, Help: "Begins a period: when the alerts below it are called. Without an expression: always.",
			apply: beginPeriod},
		{Name: "use", Args: "NAME [PARAM=VALUE]...", Form: FormCommand, Since: mond, Repeat: true, Gated: true, Help: "Puts the lines of a template here; it may also stand in a watch above its services, and in a period. See TEMPLATES.",
			apply: unexpanded},
	}
}

// periodWords stand in a period.
func periodWords() []Keyword {
	const form = "[exit=N[-M]] PROGRAM [ARG...]"
	return []Keyword{
		{Name: "alert", Args: form, Form: FormCommand, Repeat: true, Help: "An alert that is called when the service fails. With exit= only for these exit statuses of the monitor.",
			apply: alertLine(alert.Failure)},
		{Name: "upalert", Args: form, Form: FormCommand, Repeat: true, Help: "An alert that is called when the service is good again, if an alert was sent.",
			apply: alertLine(alert.Up)},
		{Name: "startupalert", Args: form, Form: FormCommand, Repeat: true, Help: "An alert that is called when the daemon starts.",
			apply: alertLine(alert.Startup)},
		{Name: "ackalert", Args: form, Form: FormCommand, Repeat: true, Help: "An alert that is called when a failure is acknowledged.",
			apply: alertLine(alert.Ack)},
		{Name: "disablealert", Args: form, Form: FormCommand, Repeat: true, Help: "An alert that is called when the service is disabled.",
			apply: alertLine(alert.Disable)},
		{Name: "alertevery", Args: "TIMEVAL [observe_detail|ignore_summary|strict]", Form: FormTimeWord, Default: "at every failure", Help: "How long an equal failure is not told again: one of equal summary; of equal output (observe_detail); any (ignore_summary); any, also after a success (strict).",
			apply: alertEvery},
		{Name: "alertafter", Args: "NUMBER | TIMEVAL | NUMBER TIMEVAL", Form: FormCounts, Default: "at once", Repeat: true, Help: "Alerts begin after so many failures in a row, after the service has failed for so long, or after so many failures within a time. Here a time is a whole number of h, m, s or ms.",
			apply: alertAfter},
		{Name: "upalertafter", Args: "TIMEVAL", Form: FormTime, Default: "at once", Help: "No upalert for an outage that was shorter. The original reads it and does nothing.",
			apply: periodTime(func(p *Period) *time.Duration { return &p.UpAfter })},
		{Name: "numalerts", Args: "NUMBER", Form: FormNumber, Default: "0, no limit", Help: "How many alerts are sent in one outage.",
			apply: numAlerts},
		{Name: "alertexitrange", Args: "N[-M]", Form: FormCounts, Default: "all", Help: "Alerts only for these exit statuses of the monitor.",
			apply: alertExitRange},
		{Name: "no_comp_alerts", Form: FormFlag, Help: "Upalerts are called even if no alert was.",
			apply: periodFlag(func(p *Period) *bool { return &p.NoComp })},
		{Name: "alerts_dont_count", Form: FormFlag, Help: "Alerts of this period are not counted in the status that clients see.",
			apply: periodFlag(func(p *Period) *bool { return &p.DontCount })},
	}
}
