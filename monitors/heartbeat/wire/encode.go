package wire

import (
	"errors"
	"time"
)

// ErrTooLarge says that a beat has more links or groups than fit.
var ErrTooLarge = errors.New("more links or groups than fit into a beat")

// permanent is how a lease without end is sent.
const permanent = 0xffff

// Append adds b to a body. Lists of addresses that do not fit are left out.
func (b *Beat) Append(dst []byte) ([]byte, error) {
	if len(b.Links) > MaxLinks || len(b.Groups) > MaxGroups {
		return dst, ErrTooLarge
	}
	begin := len(dst)
	dst = b.appendNode(dst)
	for i := range b.Links {
		dst = b.Links[i].append(dst)
	}
	for i := range b.Groups {
		dst = b.Groups[i].append(dst)
	}
	for i := range b.Groups {
		dst = b.Groups[i].appendAddresses(dst, MaxBody-(len(dst)-begin))
	}
	return dst, nil
}

func (b *Beat) appendNode(dst []byte) []byte {
	dst, at := open(dst, tlvNode)
	dst = be.AppendUint32(dst, b.Number)
	dst = be.AppendUint16(dst, milli(b.Interval))
	dst = be.AppendUint16(dst, milli(b.Dead))
	dst = be.AppendUint16(dst, uint16(b.Flags))
	dst = be.AppendUint32(dst, b.ConfigVersion)
	dst = be.AppendUint64(dst, b.ConfigHash)
	dst = be.AppendUint64(dst, b.Replica)
	return closed(dst, at)
}

// milli is d in milliseconds, less than permanent.
func milli(d time.Duration) uint16 {
	return uint16(min(max(d.Milliseconds(), 0), permanent-1))
}

func (l *Link) append(dst []byte) []byte {
	dst, at := open(dst, tlvLink)
	dst = append(dst, l.Link, bit(l.Hears, 0))
	dst = be.AppendUint16(dst, l.Sent)
	dst = be.AppendUint32(dst, l.Last)
	dst = be.AppendUint32(dst, uint32(min(max(l.Ago.Microseconds(), 0), time.Hour.Microseconds())))
	dst = append(dst, min(l.Loss, 100))
	return closed(dst, at)
}

func bit(set bool, n uint) byte {
	if set {
		return 1 << n
	}
	return 0
}

func (g *Group) append(dst []byte) []byte {
	dst, at := open(dst, tlvGroup)
	dst = be.AppendUint16(dst, g.Group)
	dst = append(dst,
		byte(min(g.Claim, claims-1))<<4|byte(min(g.Order, orders-1)),
		byte(min(g.Asks, causes-1))<<4|bit(g.Gives, 0)|bit(g.Known, 1)|bit(g.Able, 2)|bit(g.Frozen, 3),
		g.Priority, g.Held, g.Total, min(g.Fitness, 100))
	epoch := min(g.Epoch, MaxEpoch)
	dst = be.AppendUint16(dst, uint16(epoch>>32))
	dst = be.AppendUint32(dst, uint32(epoch))
	dst = be.AppendUint32(dst, g.Digest)
	lease := milli(g.Lease)
	if g.Lease == Permanent {
		lease = permanent
	}
	dst = be.AppendUint16(dst, lease)
	dst = be.AppendUint16(dst, g.Traffic)
	dst = closed(dst, at)
	if g.Grant == (Grant{}) {
		return dst
	}
	dst, at = open(dst, tlvGrant)
	dst = be.AppendUint16(dst, g.Group)
	dst = be.AppendUint32(dst, g.Grant.Incarnation)
	dst = be.AppendUint32(dst, g.Grant.Beat)
	return closed(dst, at)
}

// appendAddresses adds the list if it takes at most room bytes.
func (g *Group) appendAddresses(dst []byte, room int) []byte {
	if len(g.Addresses) == 0 {
		return dst
	}
	begin := len(dst)
	dst, at := open(dst, tlvAddresses)
	dst = be.AppendUint16(dst, g.Group)
	for _, a := range g.Addresses {
		raw := a.AsSlice()
		dst = append(append(dst, byte(len(raw))), raw...)
		if n := len(dst) - begin; n > room || n > maxValue {
			return dst[:begin]
		}
	}
	return closed(dst, at)
}
