package rpc

import (
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxReason is the most of a sentence about a role that is sent.
const maxReason = 4 << 10

// maxName is the most of a director's name that is sent.
const maxName = 256

// EncodeSite writes what an elector is told of its machine.
func EncodeSite(s role.Site) *pb.Site {
	p := &pb.Site{
		Lines: encodeLines(s.Lines), Loaded: s.Loaded, Results: s.Results, Synced: s.Synced,
		Reals: uint32(min(max(s.Reals, 0), 100)), Replica: s.Replica, //nolint:gosec // in range by min and max
		Version: s.Version, Hash: s.Hash, Leaving: s.Leaving, Keep: s.Keep,
	}
	if s.Share != nil {
		p.Share = &pb.Share{Parcels: s.Share.Parcels}
	}
	for _, o := range s.Orders {
		p.Orders = append(p.Orders, &pb.Order{Group: text(o.Group), Verb: text(string(o.Verb)), Serial: o.Serial})
	}
	return p
}

// DecodeSite is the inverse of [EncodeSite]. An order whose verb this build does
// not know is left out.
func DecodeSite(p *pb.Site) role.Site {
	s := role.Site{
		Lines: decodeLines(p.GetLines()), Loaded: p.GetLoaded(), Results: p.GetResults(), Synced: p.GetSynced(),
		Reals: int(min(p.GetReals(), 100)), Replica: p.GetReplica(),
		Version: p.GetVersion(), Hash: p.GetHash(), Leaving: p.GetLeaving(), Keep: p.GetKeep(),
	}
	if p.Share != nil {
		s.Share = &role.Share{Parcels: p.Share.GetParcels()}
	}
	for _, o := range p.GetOrders() {
		if slices.Contains(role.Verbs(), role.Verb(o.GetVerb())) {
			s.Orders = append(s.Orders, role.Order{Group: o.GetGroup(), Verb: role.Verb(o.GetVerb()), Serial: o.GetSerial()})
		}
	}
	return s
}

func encodeLines(list []role.Line) []*pb.Line {
	out := make([]*pb.Line, len(list))
	for i, l := range list {
		out[i] = &pb.Line{Group: text(l.Group), Args: texts(l.Args)}
	}
	return out
}

func decodeLines(list []*pb.Line) []role.Line {
	out := make([]role.Line, len(list))
	for i, p := range list {
		out[i] = role.Line{Group: p.GetGroup(), Args: p.GetArgs()}
	}
	return out
}

// EncodeToken writes a token.
func EncodeToken(t role.Token) *pb.Token {
	return &pb.Token{
		Group: text(t.Group), Hold: t.Hold, Epoch: t.Epoch, Until: int64(t.Until), Lease: int64(t.Lease),
		Announce: t.Announce, Reason: Cut(t.Reason, maxReason),
	}
}

// DecodeToken is the inverse of [EncodeToken]. A lease below 0, which means
// nothing, makes it the shortest there is: nobody asked for a permanent address.
func DecodeToken(p *pb.Token) role.Token {
	t := role.Token{
		Group: p.GetGroup(), Hold: p.GetHold(), Epoch: p.GetEpoch(),
		Until: time.Duration(p.GetUntil()), Lease: time.Duration(p.GetLease()),
		Announce: p.GetAnnounce(), Reason: p.GetReason(),
	}
	if t.Lease < 0 {
		t.Lease = time.Second
	}
	return t
}

// TokenSize is about the size of p on the wire.
func TokenSize(p *pb.Token) int { return 48 + len(p.Group) + len(p.Reason) }

// EncodeWork writes what a holder is told.
func EncodeWork(w role.Work) *pb.Work {
	p := &pb.Work{Full: w.Full, Lines: encodeLines(w.Lines), Tokens: make([]*pb.Token, len(w.Tokens))}
	for i, t := range w.Tokens {
		p.Tokens[i] = EncodeToken(t)
	}
	return p
}

// DecodeWork is the inverse of [EncodeWork].
func DecodeWork(p *pb.Work) role.Work {
	w := role.Work{Full: p.GetFull(), Lines: decodeLines(p.GetLines())}
	for _, t := range p.GetTokens() {
		w.Tokens = append(w.Tokens, DecodeToken(t))
	}
	return w
}

// EncodeStand writes how a group stands.
func EncodeStand(s role.Stand) *pb.Stand {
	return &pb.Stand{
		Group: text(s.Group), Epoch: s.Epoch, Held: count(s.Held), Total: count(s.Total), Until: int64(s.Until),
		Error: Cut(s.Error, maxReason), Detail: Cut(s.Detail, maxReason),
	}
}

// DecodeStand is the inverse of [EncodeStand].
func DecodeStand(p *pb.Stand) role.Stand {
	return role.Stand{
		Group: p.GetGroup(), Epoch: p.GetEpoch(), Held: int(p.GetHeld()), Total: int(p.GetTotal()),
		Until: max(time.Duration(p.GetUntil()), role.Forever), Error: p.GetError(), Detail: p.GetDetail(),
	}
}

// StandSize is about the size of p on the wire.
func StandSize(p *pb.Stand) int { return 48 + len(p.Group) + len(p.Error) + len(p.Detail) }

// EncodeShared writes what an elector says of sharing.
func EncodeShared(s role.Shared) *pb.Shared {
	return &pb.Shared{Node: uint32(s.Node), Name: Cut(s.Name, maxName), Parcel: s.Parcel}
}

// DecodeShared is the inverse of [EncodeShared]; ok is false for one that says
// nothing, or too much.
func DecodeShared(p *pb.Shared) (s role.Shared, ok bool) {
	s = role.Shared{Node: uint8(min(p.GetNode(), 255)), Name: p.GetName(), Parcel: p.GetParcel()} //nolint:gosec // in range by min
	return s, s.Node > 0 && uint32(s.Node) == p.GetNode() && len(s.Parcel) <= role.MaxParcel
}

// SharedSize is about the size of p on the wire.
func SharedSize(p *pb.Shared) int { return 16 + len(p.Name) + len(p.Parcel) }

// count is a number of addresses.
func count(n int) uint32 { return uint32(min(max(n, 0), 1<<31-1)) } //nolint:gosec // in range by min and max
