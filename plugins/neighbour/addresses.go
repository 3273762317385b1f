package neighbour

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Addresses reads which addresses an interface has and can use: not those whose
// test for duplicates has not ended, or has failed.
func (l *Links) Addresses(index int) (map[netip.Addr]bool, error) {
	var out map[netip.Addr]bool
	body := make([]byte, unix.SizeofIfAddrmsg)
	binary.NativeEndian.PutUint32(body[4:], uint32(index)) // older kernels tell of all
	begin := func() { out = map[netip.Addr]bool{} }
	err := l.dump(unix.RTM_GETADDR, body, begin, func(m netlinkMessage) {
		if a, at, ok := parseAddress(m); ok && at == index {
			out[a] = true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the addresses of interface number %d: %w", index, err)
	}
	return out, nil
}

// parseAddress reads an address that can be used.
func parseAddress(m netlinkMessage) (a netip.Addr, index int, ok bool) {
	if m.kind != unix.RTM_NEWADDR || len(m.body) < unix.SizeofIfAddrmsg {
		return a, 0, false
	}
	flags := uint32(m.body[2])
	index = int(int32(binary.NativeEndian.Uint32(m.body[4:])))
	local := false
	attributes(m.body[unix.SizeofIfAddrmsg:], func(kind uint16, value []byte) {
		switch {
		case kind == unix.IFA_FLAGS && len(value) == 4:
			flags = binary.NativeEndian.Uint32(value)
		case kind == unix.IFA_LOCAL || kind == unix.IFA_ADDRESS && !local: // the former is this end's, with a peer's
			a, _ = netip.AddrFromSlice(value)
			local = local || kind == unix.IFA_LOCAL
		}
	})
	return a, index, a.IsValid() && flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0
}
