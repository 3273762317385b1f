package lab

import (
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// tape records all netlink requests that pass in the director, by an nlmon
// device, so that "nothing was written" is what the kernel saw.
type tape struct {
	socket int
	family uint16 // of IPVS
}

// newTape begins to record.
func newTape(t testing.TB) *tape {
	t.Helper()
	director.run(t, "ip link add tape type nlmon")
	director.run(t, "ip link set tape up")
	family, err := netlink.GenlFamilyGet("IPVS")
	must(t, err)
	p := &tape{family: family.ID}
	must(t, director.enter(func() (err error) { p.socket, err = tap("tape", unix.SOCK_RAW); return err }))
	must(t, onlyRequests(p.socket))
	t.Cleanup(func() {
		_ = unix.Close(p.socket)
		director.run(t, "ip link delete tape")
	})
	return p
}

// tap begins to listen to a device of the node that it is called in: to whole
// frames (SOCK_RAW) or to what is in them (SOCK_DGRAM). Reading does not wait.
func tap(device string, kind int) (socket int, err error) {
	at, err := net.InterfaceByName(device)
	if err != nil {
		return -1, err
	}
	socket, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	return socket, errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: at.Index}))
}

// onlyRequests leaves answers out: those that hold a table of thousands of rows,
// which is read each few seconds, would fill any buffer.
func onlyRequests(socket int) error {
	flags := uint32(6) // the low byte of nlmsg_flags
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		flags++
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.NLM_F_REQUEST, Jf: 1},
		{Code: unix.BPF_RET, K: 1 << 16},
		{Code: unix.BPF_RET},
	}
	return unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// enter calls f on a thread that is in the node. What f opens stays there.
func (n node) enter(f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		h, err := netns.GetFromName(string(n))
		if err == nil {
			defer h.Close()
			err = netns.Set(h)
		}
		if err == nil {
			err = f()
		}
		failed <- err
	}()
	return <-failed
}

func htons(n uint16) uint16 { return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n)) }

// Commands of IPVS that only read.
var reads = []byte{4, 8, 11, 13, 15} // get service, dest, daemon, config, info

// writes are the requests since the last call that write an IPVS table, as
// numbers of IPVS's commands, and how many only read one.
func (p *tape) writes(t testing.TB) (writes []byte, read int) {
	t.Helper()
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(p.socket, buf, 0)
		if err == unix.EAGAIN {
			break
		}
		must(t, err)
		for _, command := range p.requests(buf[:n]) {
			if slices.Contains(reads, command) {
				read++
			} else {
				writes = append(writes, command)
			}
		}
	}
	p.lossless(t)
	return writes, read
}

// requests are the commands of the requests to IPVS in what was recorded.
func (p *tape) requests(b []byte) (commands []byte) {
	for len(b) > unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size <= unix.NLMSG_HDRLEN || size > len(b) {
			break
		}
		kind, flags := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
		if kind == p.family && flags&unix.NLM_F_REQUEST != 0 {
			commands = append(commands, b[unix.NLMSG_HDRLEN])
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return commands
}

// lossless fails the test if messages were lost.
func (p *tape) lossless(t testing.TB) {
	t.Helper()
	stats, err := unix.GetsockoptTpacketStats(p.socket, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	must(t, err)
	if stats.Drops != 0 {
		t.Fatalf("the tape lost %d messages", stats.Drops)
	}
}

// wantWrites fails the test unless exactly these commands have written.
func (p *tape) wantWrites(t testing.TB, want ...byte) {
	t.Helper()
	if got, _ := p.writes(t); !slices.Equal(got, want) {
		t.Errorf("netlink commands that wrote: %v, want %v", got, want)
	}
}

// Commands of IPVS that write a real server.
const (
	newDest = 5
	setDest = 6
	delDest = 7
)
