package config

import (
	"net/netip"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/virtual"
)

// VirtualGroup is the hostgroup of the pools' own services.
const VirtualGroup = "virtual"

// Virtual is a virtual service that is declared whole (`virtual NAME`). What it
// checks are ordinary services of ordinary watches; it has one of its own,
// NAME of [VirtualGroup], which says how the pool is.
type Virtual struct {
	Pos  Pos
	Name string
	// Program is the keeper of its rows: lvs.alert.
	Program string
	// Pool is its policy. The names of its members are the addresses of the
	// reals as their rows have them, such as 192.168.0.1:80.
	Pool *virtual.Pool
	// Members say more of Pool.Members, in the same order.
	Members []VirtualMember
	// Rows are claims that hold as long as the virtual service is configured:
	// its own rows, one an address of its, and those that checks through the
	// director need.
	Rows []VirtualRow
	// Faults are what makes its checks mean nothing.
	Faults []LocalFault
	// MaintenanceDir holds a file for each real that is in maintenance; empty
	// is none.
	MaintenanceDir string
}

// Key is the key of the pool's own service.
func (v *Virtual) Key() opstatus.Key { return opstatus.Key{Group: VirtualGroup, Service: v.Name} }

// VirtualMember is a real of a pool.
type VirtualMember struct {
	Pos Pos
	// Name is the real's name, or its address without one: also the name of
	// its hostgroup, with - for :.
	Name string
	// Addr is where its rows lead.
	Addr netip.AddrPort
	// Checks are the services that judge it, in the order of Member.Checks.
	Checks []opstatus.Key
	// Rows are its claims, one for each address of the virtual service.
	Rows []VirtualRow
	// Maintenance is when it is out whatever its checks say.
	Maintenance []period.Spec
	// Asks is the check that speaks of its weight, an index in Checks; -1 for
	// none. Ask says how.
	Asks int
	Ask  WeightFrom
}

// VirtualRow is a claim on the keeper's table.
type VirtualRow struct {
	// Target are the words that say what the claim is about; they are the same
	// as long as that is the same.
	Target []string
	// More are the words that say how it is to be. The weight of a member is
	// added by who claims: -W N.
	More []string
}

// WeightFrom says how a check speaks of a weight. The zero value is that it
// does not.
type WeightFrom struct {
	// Exit takes it from the exit status, as keepalived's misc_dynamic: 0 and 2
	// to 255 are successes, and 2 to 255 ask for the weight less 2.
	Exit bool
	// Label is the name of a figure: of performance data, or a word LABEL=N in
	// the summary or the detail. Empty with Exit.
	Label string
	// Kind is what the figure means: AskWeight, AskPercent, AskDelta or
	// AskLoad.
	Kind virtual.AskKind
}

// FaultKind says what of this machine may be at fault.
type FaultKind uint8

// The kinds.
const (
	FaultLink    FaultKind = iota // the interface is not up or has no carrier
	FaultSource                   // the address is not on this machine
	FaultGateway                  // the neighbour does not answer ARP or NS
)

// LocalFault is something of this machine without which checks mean nothing.
type LocalFault struct {
	Kind FaultKind
	// Link is an interface; Addr an address of this machine or of a gateway.
	Link string
	Addr netip.Addr
}
