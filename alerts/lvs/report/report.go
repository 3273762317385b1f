// Package report is what lvs.alert shows of its tables, as JSON. It holds no
// logic: lvs.alert fills it in, monctl prints it.
package report

import (
	"strings"
	"time"
)

// Report is what the owner wants, what the tables hold, and why.
type Report struct {
	// Ready is true after the first full set of claims.
	Ready  bool    `json:"ready"`
	Tables []Table `json:"tables"`
	// More is set when the report would have become too long: the topic
	// "table after MORE" goes on.
	More string `json:"more,omitempty"`
}

// Table is one table.
type Table struct {
	// Table is "kernel", "kernel, network namespace NAME" or a file.
	Table string `json:"table"`
	// NetNS is the network namespace, "" for our own.
	NetNS string `json:"netns,omitempty"`
	// Trouble is what is wrong with it.
	Trouble  string    `json:"trouble,omitempty"`
	Services []Service `json:"services,omitempty"`
	Rows     []Row     `json:"rows"`
	Timeouts *Timeouts `json:"timeouts,omitempty"`
	Sync     *Sync     `json:"sync,omitempty"`
	Counts
}

// Counts is what the owner did to a table since it was started.
type Counts struct {
	Added    uint64 `json:"added"`
	Set      uint64 `json:"set"`
	Deleted  uint64 `json:"deleted"`
	Repaired uint64 `json:"repaired"` // of these, edits by others undone
	Errors   uint64 `json:"errors"`
}

// Timeouts is what is wanted of the table's time limits, in seconds; 0 is as
// it is.
type Timeouts struct {
	TCP    uint32 `json:"tcp,omitempty"`
	TCPFin uint32 `json:"tcpfin,omitempty"`
	UDP    uint32 `json:"udp,omitempty"`
	// State is agrees or differs.
	State string `json:"state"`
}

// Sync is what is wanted of the kernel's sync daemons.
type Sync struct {
	// Desired and Actual are daemons as ipvsadm's --start-daemon takes them, the
	// master first.
	Desired []string `json:"desired"`
	Actual  []string `json:"actual"`
	// State is agrees, held (until the claim is confirmed, or the role is known)
	// or differs.
	State string `json:"state"`
	// Trouble is why connections are not copied, Warning what is unwise.
	Trouble string `json:"trouble,omitempty"`
	Warning string `json:"warning,omitempty"`
}

// Service is a virtual service: one with claims, or one that is left.
type Service struct {
	Virtual string `json:"virtual"`
	// Name is the pool's in the configuration, if it is declared there.
	Name string `json:"name,omitempty"`
	// Want is in, out or hold for one whose own row is declared.
	Want string `json:"want,omitempty"`
	// State is agrees, held, differs, blocked (it is to go and real servers of
	// others are in it), standby, left or missing; for one that is not
	// declared foreign.
	State string `json:"state"`
	// Role is active, standby or unknown with --by-role.
	Role string `json:"role,omitempty"`
	// Desired and Actual are rows as ipvsadm's options.
	Desired string `json:"desired,omitempty"`
	Actual  string `json:"actual,omitempty"`
	// Scheduler and Flags are of the actual row, else of the desired one.
	Scheduler string   `json:"scheduler,omitempty"`
	Flags     []string `json:"flags,omitempty"`
	Trouble   string   `json:"trouble,omitempty"`
	Why       []Why    `json:"why,omitempty"`
}

// Row is one real server: one that is claimed, or a row of a virtual service
// that has claimed ones.
type Row struct {
	Virtual string `json:"virtual"`
	Real    string `json:"real"`
	// Want is in, out or hold; "" when nobody claims it.
	Want string `json:"want,omitempty"`
	// State is agrees, held, differs, pending or standby; for what nobody
	// claims left (owned under an earlier config) or foreign.
	State   string `json:"state"`
	Desired *Real  `json:"desired,omitempty"`
	Actual  *Real  `json:"actual,omitempty"`
	// Why are the claims, the deciding one first.
	Why []Why `json:"why,omitempty"`
}

// Real is how a real server is.
type Real struct {
	Weight  uint32 `json:"weight"`
	Forward string `json:"forward"`
	// Tunnel is the encapsulation, "" for ipip.
	Tunnel string `json:"tunnel,omitempty"`
	Upper  uint32 `json:"upper,omitempty"`
	Lower  uint32 `json:"lower,omitempty"`
	// Active, Inactive and Persistent are connections now.
	Active     uint32 `json:"active"`
	Inactive   uint32 `json:"inactive"`
	Persistent uint32 `json:"persistent,omitempty"`
	// Since the row was made:
	Connections uint64 `json:"connections,omitempty"`
	PacketsIn   uint64 `json:"packetsIn,omitempty"`
	PacketsOut  uint64 `json:"packetsOut,omitempty"`
	BytesIn     uint64 `json:"bytesIn,omitempty"`
	BytesOut    uint64 `json:"bytesOut,omitempty"`
}

// Why is one claim on a target.
type Why struct {
	Claim       string    `json:"claim"`
	Down        bool      `json:"down"`
	Provisional bool      `json:"provisional,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Since       time.Time `json:"since,omitzero"`
}

// Agrees reports whether nothing of the table is other than it should be.
func (t Table) Agrees() bool {
	if t.Trouble != "" || t.Timeouts != nil && t.Timeouts.State == "differs" || t.Sync != nil && t.Sync.Trouble != "" {
		return false
	}
	for _, s := range t.Services {
		if Wrong(s.State) {
			return false
		}
	}
	for _, r := range t.Rows {
		if Wrong(r.State) {
			return false
		}
	}
	return true
}

// Wrong reports whether a row in that state is other than it should be.
func Wrong(state string) bool {
	switch state {
	case "differs", "pending", "blocked", "leaving", "unknown":
		return true
	}
	return false
}

// Called reports whether word means the virtual service that is called so in
// the configuration ("" for none): by that name, or by its address with or
// without port and protocol, or by its mark as fwmark:N.
func Called(word, virtual, name string) bool {
	kind, where, _ := strings.Cut(virtual, " ")
	if strings.HasPrefix(kind, "fwmark") {
		return word == virtual || word == kind+":"+where || name != "" && word == name
	}
	host := where[:max(0, strings.LastIndexByte(where, ':'))]
	return word == virtual || word == where || word == host || "["+word+"]" == host || name != "" && word == name
}
