// Package heartbeat is heartbeat.monitor: it speaks with the other director of
// a pair over several links at once, decides by monitors/heartbeat/member which
// of the two holds each group of addresses, and tells mond by tokens, which
// mond hands to fake.alert. How the pair stands it reports as services of group
// mond: peer, redundancy, link-NAME and role-GROUP.
//
// It moves no address and runs no program. Nothing that it decides waits for a
// disk, for mond, or for anything but the peer and the networks themselves.
//
// Without --peer and --link there is no other director: the addresses are held
// for good once their networks have carrier and a neighbour that answers.
//
// With --director it is a witness on a third machine: it holds nothing, and gives
// each group to one of the two directors at a time (monitors/heartbeat/witness).
// Directors that have one are told by --witness.
//
// As a classic program, or on an interval, it is a plain check: that of each
// link a beat of the peer is heard within the dead time.
package heartbeat

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "heartbeat.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "speaks with the other director and decides which of the two holds each group of addresses"
	// cluster is the name of a pair that has none of its own.
	cluster = "mond"
	// epochFile is where epochs are reserved.
	epochFile = "/var/lib/mond/heartbeat.epoch"
)

// New declares the options.
func New(fs *flag.FlagSet) monitor.Monitor {
	h := &heart{
		turn: make(chan struct{}, 1), cluster: cluster, interval: span{member.DefaultInterval, member.MinInterval, member.MaxInterval},
		dead:     span{0, member.MinDead, member.MaxDead},
		initDead: span{member.DefaultInitDead, member.MinDead, time.Hour},
		lease:    span{member.DefaultLease, time.Second, time.Minute}, leaseAlone: span{0, time.Second, time.Minute},
		lossy: count{member.DefaultLossy, 1, 24}, changes: count{member.DefaultChanges, 1, 1000},
	}
	fs.Var(&h.self, "node", "`number` of this director, 1 to 255; of two that are equally good the lower one is preferred")
	fs.Var(&h.peer, "peer", "`number` of the other director; without there is none")
	fs.StringVar(&h.name, "name", "", "`name` of this director, for people (default \"node N\")")
	fs.StringVar(&h.peerName, "peer-name", "", "`name` of the other director, for people (default \"node N\")")
	fs.StringVar(&h.cluster, "cluster", h.cluster, "`name` of the pair, the same on both: it tells pairs on one network apart")
	fs.StringVar(&h.keys, "keys", "", "`file` with the secrets that both share, mode 0600: lines \"N SECRET\" and one \"auth N\" that says which is sent with; read again when it changes")
	fs.Var(&h.links, "link", "one `way` to the other director: NAME=udp:LOCAL[:PORT],PEER[:PORT], NAME=mcast:INTERFACE,GROUP[:PORT], NAME=bcast:INTERFACE[:PORT] or NAME=serial:FILE[,BAUD]; may be repeated, in the same order on both")
	fs.Var(&h.witness, "witness", "one `way` to a witness, a third machine that decides when the two lose each other: NODE=udp:LOCAL[:PORT],WITNESS[:PORT] with its node number, UDP port 6695; may be repeated for more ways to the same")
	fs.Var(&h.directors, "director", "makes this the witness of a pair: one `way` to a director, NODE=udp:LOCAL[:PORT],DIRECTOR[:PORT], one or more for each of the two; takes --node, --keys and --cluster as well, and --dead as the time after which a silent director is reported (default 3s); started by hand it serves until it is told to end")
	fs.Var(&h.interval, "interval", "`time` between beats, from 10ms; below 50ms it asks for real-time priority and locked memory")
	fs.Var(&h.dead, "dead", "`time` of silence after which this director is to be taken for dead, from 3 intervals (default 5 intervals)")
	fs.Var(&h.initDead, "initdead", "`time` to wait for the other director's first word")
	fs.Var(&h.lease, "lease", "`time` for which the kernel keeps an address without renewal while the other director could take it, in whole seconds")
	fs.Var(&h.leaseAlone, "lease-alone", "the same `time` while it could not; 0 for ever")
	fs.Var(&h.lossy, "lossy", "`number` of the last 24 beats on a link that may be missing before it is reported")
	fs.Var(&h.changes, "max-changes", "`number` of times that a group may change hands within 10 minutes before it stays where it is")
	fs.Var(&h.neighbours, "neighbour", "`address` of a station that is asked, beside the gateways, whether this director is on the network; may be repeated")
	fs.StringVar(&h.epochs, "epochs", epochFile, "`file` in which epochs are reserved ahead; nothing waits for it")
	return h
}

// heart is the monitor with its options.
type heart struct {
	self, peer                            node
	name, peerName, cluster, keys, epochs string
	links                                 links
	witness, directors                    thirds
	interval, dead, initDead              span
	lease, leaseAlone                     span
	lossy, changes                        count
	neighbours                            addresses
	status                                atomic.Pointer[Status] // of the Elect that runs
	turn                                  chan struct{}          // capacity 1: the check that listens
}

// alone: there is no other director.
func (h *heart) alone() bool { return h.peer == 0 && len(h.links) == 0 && len(h.directors) == 0 }

// Validate judges the options together.
func (h *heart) Validate() error {
	switch {
	case len(h.directors) > 0:
		return h.validWitness()
	case h.alone() && len(h.witness) > 0:
		return errors.New("option --witness: a single director needs no witness; give --peer and --link, or leave it out")
	case h.alone():
		return nil
	}
	var errs []error
	switch third := h.witness.nodes(); {
	case len(third) > 1:
		errs = append(errs, errors.New("option --witness: the ways go to different nodes: there is one witness for a pair"))
	case len(third) == 1 && (third[0] == wire.Node(h.self) || third[0] == wire.Node(h.peer)):
		errs = append(errs, fmt.Errorf("option --witness: node %d is one of the two directors: the witness is a third machine with a number of its own", third[0]))
	}
	for _, o := range []struct {
		name    string
		missing bool
	}{{"--node", h.self == 0}, {"--peer", h.peer == 0}, {"--link", len(h.links) == 0}, {"--keys", h.keys == ""}, {"--cluster", h.cluster == ""}} {
		if o.missing {
			errs = append(errs, fmt.Errorf("option %s is missing: a pair of directors needs --node, --peer, --keys and at least one --link", o.name))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return h.config(1, 1).Validate()
}

// config is what the options say, without groups.
func (h *heart) config(incarnation, epoch uint64) member.Config {
	c := member.Config{
		Self: wire.Node(h.self), Peer: wire.Node(h.peer), SelfName: h.name, PeerName: h.peerName, Incarnation: incarnation, Epoch: epoch,
		Interval: h.interval.value, Dead: h.dead.value, InitDead: h.initDead.value, Lease: h.lease.value, LeaseAlone: h.leaseAlone.value,
		Lossy: h.lossy.value, MaxChanges: h.changes.value, Witness: len(h.witness) > 0,
	}
	for _, l := range h.links {
		c.Links = append(c.Links, member.Link{Name: l.Name})
	}
	return c
}

// deadTime is after how much silence a peer with our options is dead.
func (h *heart) deadTime() time.Duration {
	if h.dead.value != 0 {
		return h.dead.value
	}
	return max(5*h.interval.value, member.MinDead)
}

// peers are the peer's own addresses.
func (h *heart) peers() (all []netip.Addr) {
	for _, l := range h.links {
		if l.Kind == link.Unicast {
			all = append(all, l.Peer.Addr().WithZone(""))
		}
	}
	return all
}

// draw makes an incarnation.
func draw() uint64 {
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // it does not fail
		if n := binary.BigEndian.Uint64(b[:]); n != 0 {
			return n
		}
	}
}

// Elect decides until ctx ends, or mond leaves and the peer knows.
func (h *heart) Elect(ctx context.Context, _ monitor.Request, site <-chan role.Site, say monitor.Election) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	select {
	case <-ctx.Done():
		return nil
	case s := <-site: // its lines say which groups there are: before them a beat would say that we have none
		defer h.status.Store(nil)
		switch {
		case len(h.directors) > 0:
			return h.serveWitness(ctx, s, site, say)
		case h.alone():
			return h.electAlone(ctx, s, site, say)
		}
		return h.electPair(ctx, s, site, say)
	}
}

// loadKeys reads the key file.
func loadKeys(path string) (*wire.Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w; both directors want the same file of the lines \"auth 1\" and \"1 SECRET\", readable by mond's user alone", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the keys: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read the keys: %s is no ordinary file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("read the keys: %s can be read by others (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	case info.Size() > maxKeyFile:
		return nil, fmt.Errorf("read the keys: %s has %d bytes, which is no key file", path, info.Size())
	}
	text := make([]byte, info.Size())
	n, err := f.Read(text)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %s: %w", path, err)
	}
	keys, err := wire.ParseKeys(string(text[:n]))
	if err != nil {
		return nil, fmt.Errorf("read the keys: %s: %w", path, err)
	}
	return keys, nil
}

// maxKeyFile is how large a key file may be.
const maxKeyFile = 64 << 10
