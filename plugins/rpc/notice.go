package rpc

import (
	"errors"
	"fmt"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxNotice is the most of a monitor's output that a notice carries.
const maxNotice = 1 << 20

// EncodeNotice writes a notice; its output is cut at 1 MiB.
func EncodeNotice(r alert.Request) *pb.Notice {
	return &pb.Notice{
		Id: text(r.ID), Group: text(r.Group), Service: text(r.Service),
		Kind:     uint32(r.Kind),
		Repeated: r.Repeated, Late: r.Late,
		Hosts: texts(r.Hosts), Args: texts(r.Args),
		Summary: text(r.Summary), Output: Cut(r.Output, maxNotice),
		At:   stamp(r.At),
		Exit: int32(r.Exit), Status: int32(r.Status), //nolint:gosec // exit status and opstatus are small
		Env: pairs(r.Env),
	}
}

// DecodeNotice is the inverse of [EncodeNotice]. A kind that this build does
// not know is an error: an alert must not take it for another.
func DecodeNotice(p *pb.Notice) (alert.Request, error) {
	if p.GetKind() > 255 || !alert.Kind(p.GetKind()).Valid() {
		return alert.Request{}, fmt.Errorf("read a notice: kind %d is unknown (is the plugin older than mond?)", p.GetKind())
	}
	return alert.Request{
		ID: p.Id, Group: p.Group, Service: p.Service,
		Kind:     alert.Kind(p.Kind), //nolint:gosec // in range, see above
		Repeated: p.Repeated, Late: p.Late,
		Hosts: p.Hosts, Args: p.Args,
		Summary: p.Summary, Output: p.Output,
		At:   unstamp(p.At),
		Exit: int(p.Exit), Status: int(p.Status),
		Env: unpair(p.Env),
	}, nil
}

// EncodeClaims writes a keeper's claims.
func EncodeClaims(claims []alert.Claim) []*pb.Claim {
	out := make([]*pb.Claim, len(claims))
	for i, c := range claims {
		out[i] = &pb.Claim{
			Id: text(c.ID), Group: text(c.Group), Service: text(c.Service),
			Reason: Cut(c.Reason, 4<<10), Args: texts(c.Args),
			Down: c.Down, Provisional: c.Provisional, Withdrawn: c.Withdrawn,
			Since: stamp(c.Since),
		}
	}
	return out
}

// DecodeClaims is the inverse of [EncodeClaims].
func DecodeClaims(list []*pb.Claim) []alert.Claim {
	out := make([]alert.Claim, len(list))
	for i, p := range list {
		out[i] = alert.Claim{
			ID: p.Id, Group: p.Group, Service: p.Service,
			Reason: p.Reason, Args: p.Args,
			Down: p.Down, Provisional: p.Provisional, Withdrawn: p.Withdrawn,
			Since: unstamp(p.Since),
		}
	}
	return out
}

// ErrNoFullSet is what a keeper answers to changes that come before the first
// full set: nothing was done, and it is to be given the full set.
var ErrNoFullSet = errors.New("the keeper has not had its full set of claims yet")

// errNothing is an empty reply, which no version of this code sends.
var errNothing = errors.New("the plugin answered nothing")

// EncodeError writes what an alert returned.
func EncodeError(err error) *pb.SendReply {
	if err == nil {
		return &pb.SendReply{Done: true}
	}
	return &pb.SendReply{Error: Cut(err.Error(), MaxOutput), Permanent: alert.IsPermanent(err)}
}

// DecodeError is the inverse of [EncodeError]; an empty reply is an error.
func DecodeError(p *pb.SendReply) error { return outcome(p.GetDone(), p.GetError(), p.GetPermanent()) }

// DecodeKeep is what a keeper answered; a stale call is no error, since a newer
// one holds.
func DecodeKeep(p *pb.KeepReply) error {
	switch {
	case p.GetNeedFull():
		return ErrNoFullSet
	case p.GetStale():
		return nil
	}
	return outcome(p.GetDone(), p.GetError(), p.GetPermanent())
}

func outcome(done bool, text string, permanent bool) error {
	switch {
	case done:
		return nil
	case text == "":
		return errNothing
	case permanent:
		return alert.Permanent(errors.New(text))
	}
	return errors.New(text)
}
