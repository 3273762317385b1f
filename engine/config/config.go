// Package config turns a mon.cf into one immutable [Config]: Read gives a
// [File] of ordered statements with positions and comments, Expand puts in what
// it includes and its templates, Resolve gives its meaning. One table
// (keywords.go) names every directive once; the reader, hints, completion and
// the man page follow it. Format writes a File in its normal form.
//
// It does not look for programs and starts nothing, but for m4 when asked to.
package config

import (
	"time"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/plugins/alert"
)

// Config is a whole configuration, resolved and immutable.
type Config struct {
	// Path is the file it was read from; Files are that and those it includes.
	Path     string
	Files    []string
	Globals  Globals
	Groups   []Hostgroup // file order
	Services []*Service  // file order
	// Virtuals are the virtual services declared whole, in file order.
	Virtuals []*Virtual
	Aliases  []Alias
	Views    []View

	byKey   map[opstatus.Key]*Service
	byGroup map[string]*Hostgroup
	file    *File
}

// File is what c was resolved from; its lines serve diagnostics. It is nil
// after [Config.DropFile].
func (c *Config) File() *File { return c.file }

// DropFile lets go of the file, which takes as much memory as its meaning. It
// is for whoever loaded c, before anybody else has it.
func (c *Config) DropFile() { c.file = nil }

// Service is the service named key, or nil.
func (c *Config) Service(key opstatus.Key) *Service { return c.byKey[key] }

// Group is the hostgroup of that name, or nil.
func (c *Config) Group(name string) *Hostgroup { return c.byGroup[name] }

// IPVSTimeouts are the time limits in seconds of connections in the kernel's
// table; 0 leaves one as it is.
type IPVSTimeouts struct{ TCP, TCPFin, UDP int }

// Globals are the variables above the hostgroups. Paths are as resolved
// against basedir and cfbasedir; durations as written.
type Globals struct {
	BaseDir, CfBaseDir, LogDir, StateDir string
	// AlertDir, MonDir and PluginDir are searched in order.
	AlertDir, MonDir, PluginDir []string
	// PreferResident looks in PluginDir first ("prefer = resident").
	PreferResident bool
	AuthFile       string
	AuthType       []string
	PamService     string
	UserFile       string
	// ServerPort and TrapPort are 1 to 65535.
	ServerPort, TrapPort int
	ServerBind, TrapBind string
	// TLSPort is where clients connect with TLS; 0 is nowhere. TLSCert and
	// TLSKey are PEM files.
	TLSPort         int
	TLSCert, TLSKey string
	// AuthProgram judges passwords for authtype pam; empty is none. Its words
	// stand after it.
	AuthProgram   []string
	ClientAllow   []string
	ClientTimeout time.Duration
	// MaxProcs is how many classic monitors may run at once; 0 is no limit.
	MaxProcs int
	// HistLength is how many entries the alert and failure histories hold.
	HistLength   int
	HistoricFile string
	HistoricTime time.Duration
	// HistoryKeep and HistoryRows bound mond's own history.
	HistoryKeep time.Duration
	HistoryRows int
	DtLogFile   string
	DtLogging   bool
	MonErrFile  string
	PidFile     string
	RandStart   time.Duration
	// SyslogFacility is a name such as "daemon".
	SyslogFacility       string
	StartupAlertsOnReset bool
	DepRecurLimit        int
	// ExcludePeriod is "none" when not set.
	ExcludePeriod period.Spec
	MonRemote     string
	// ControlSocket is monctl's Unix socket.
	ControlSocket string
	// Timeout is the default time limit of a monitor; AlertTimeout that of an
	// alert.
	Timeout, AlertTimeout time.Duration
	// MaintenanceDir is that of virtual services that name none; empty is none.
	MaintenanceDir string
	// TableByRole lets the table of virtual services follow the role of this
	// director ("table = by-role").
	TableByRole  bool
	IPVSTimeouts IPVSTimeouts
	// IPVSSync is how connections are copied to the other director.
	IPVSSync IPVSSync
	// OnStop is what becomes of held addresses when the daemon ends.
	OnStop StopHow
	// RoleSource is whose word counts about held addresses.
	RoleSource RoleSource
	// Grants name the Linux capabilities a program may be given, such as
	// cap_net_raw: what it gets is what both this and its own description
	// name. An empty list is a program that is to have none; one that is not
	// named here may be given what others find right.
	Grants map[string][]string
	// Set names the globals that the file or the command line gave, by
	// directive.
	Set map[string]Pos
}

// Hostgroup is a named list of hosts.
type Hostgroup struct {
	Pos  Pos
	Name string
	// Hosts are its members in file order, without the mark of the disabled.
	Hosts []string
	// Disabled holds the members that the file marks as disabled ("*host").
	Disabled map[string]bool
	// Implied is set for a group made up for a watch that has none.
	Implied bool
}

// Alias is a free text block for clients.
type Alias struct {
	Pos   Pos
	Name  string
	Lines []string
}

// View is a named set of groups and group:service members.
type View struct {
	Pos     Pos
	Name    string
	Members []string
}

// Service is one service of a watch, with all defaults filled in.
type Service struct {
	Key opstatus.Key
	Pos Pos
	// Hosts are the group's members less those excluded, in file order; those
	// disabled by the file are still in it.
	Hosts        []string
	ExcludeHosts []string
	Description  string
	// Monitor is nil for a service that only gets traps or pushed results.
	Monitor *Command
	// Timeout is the monitor's time limit, above 0.
	Timeout         time.Duration
	Settle          opstatus.Settings
	Plan            schedule.Plan
	AllowEmptyGroup bool
	Depend          Depends
	Exclude         *period.Spec
	// Periods are in file order.
	Periods []Period
	// Env holds the service's variables.
	Env          map[string]string
	Redistribute *Command
	// UnackSummary ends an acknowledgement when the summary changes.
	UnackSummary bool
	// NotifyAlways lets a director that stands by tell of it too ("notify
	// always").
	NotifyAlways bool
	// TrapTimeout and TrapDuration are 0 when not set.
	TrapTimeout, TrapDuration time.Duration
	// Origin is empty, or names the virtual service that asked for this one
	// first.
	Origin string
	// Asks says how its results speak of a weight; a status that does so is no
	// failure.
	Asks WeightFrom
	// Faults are what makes its results mean nothing while one holds: it is
	// blind then.
	Faults []LocalFault
	// Elects is set for a service whose monitor decides about directors; Holds
	// are the groups of addresses that it decides about. See [Config.TakeRoles].
	Elects bool
	Holds  []Hold
}

// Behavior says what a `depend` line holds back.
type Behavior uint8

// The values of dep_behavior.
const (
	DependAlert   Behavior = iota // a
	DependMonitor                 // m
	DependHost                    // hm
)

// Depends are the dependencies of a service. Alert, Monitor and Host are
// effective: a `depend` line stands in the one its Behavior names.
type Depends struct {
	Alert, Monitor, Host *depend.Expr
	// Depend is the `depend` line as written, nil without one.
	Depend   *depend.Expr
	Behavior Behavior
	// Memory is how long after a dependency recovered it still counts as
	// failed.
	Memory time.Duration
}

// Period is one period of a service.
type Period struct {
	Pos Pos
	// Name is the label, or the expression itself; unique in its service.
	Name string
	When period.Spec
	// Lines are the alert lines: by kind, those of one in file order.
	Lines []Line
	Every Every
	After After
	// UpAfter holds back upalerts of outages shorter than this.
	UpAfter time.Duration
	// Limit is numalerts; 0 is no limit.
	Limit int
	// Exit is alertexitrange.
	Exit ExitRange
	// NoComp is no_comp_alerts.
	NoComp bool
	// DontCount is alerts_dont_count.
	DontCount bool
}

// Line is an alert line: alert, upalert, startupalert, ackalert or
// disablealert, told by On (Failure, Up, Startup, Ack, Disable).
type Line struct {
	On alert.Kind
	Command
}

// Spelling is how the file wrote something whose meaning stands beside it.
type Spelling string

// Command is a program with its words.
type Command struct {
	Pos     Pos
	Program string
	Args    []string
	// Text is the program and its words as the file has them.
	Text Spelling
	// ArgPos are the places of Args.
	ArgPos []Pos
	// NoHosts is set by a last word ";;" of a monitor: hosts are not appended.
	NoHosts bool
	// Exit restricts an alert line to these exit statuses ("exit=N-M").
	Exit ExitRange
}

// ExitRange is an inclusive range of exit statuses; the zero value with Any
// unset and Set false matches all.
type ExitRange struct {
	Set      bool
	Min, Max int
}

// Match reports whether exit is in r; a range that is not set matches all.
func (r ExitRange) Match(exit int) bool { return !r.Set || exit >= r.Min && exit <= r.Max }

// EveryMode says what alertevery compares.
type EveryMode uint8

// The words of alertevery.
const (
	EverySummary       EveryMode = iota // the summary (mon's default)
	EveryDetail                         // observe_detail: the whole output
	EveryIgnoreSummary                  // ignore_summary: nothing, time alone
	EveryStrict                         // strict: time alone, not reset by success
)

// Every is alertevery; For 0 is off.
type Every struct {
	For  time.Duration
	Mode EveryMode
}

// After is alertafter; forms combine as in mon.
type After struct {
	// Count is `alertafter N`: consecutive failures.
	Count int
	// For is `alertafter TV`: how long it must have failed.
	For time.Duration
	// Times failures Within this span: `alertafter N TV`.
	Times  int
	Within time.Duration
}
