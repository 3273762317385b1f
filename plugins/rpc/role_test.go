package rpc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

func drawLine(t *rapid.T) role.Line {
	return role.Line{Group: rapid.String().Draw(t, "group"), Args: rapid.SliceOfN(rapid.String(), 0, 5).Draw(t, "args")}
}

func drawToken(t *rapid.T) role.Token {
	return role.Token{
		Group: rapid.String().Draw(t, "group"), Hold: rapid.Bool().Draw(t, "hold"), Epoch: rapid.Uint64().Draw(t, "epoch"),
		Until: time.Duration(rapid.Int64().Draw(t, "until")), Lease: time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "lease")),
		Announce: rapid.Bool().Draw(t, "announce"), Reason: rapid.String().Draw(t, "reason"),
	}
}

func drawOrder(t *rapid.T) role.Order {
	return role.Order{
		Group: rapid.String().Draw(t, "group"), Verb: rapid.SampledFrom(role.Verbs()).Draw(t, "verb"), Serial: rapid.Uint64().Draw(t, "serial"),
	}
}

func TestSiteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := role.Site{
			Lines:  rapid.SliceOfN(rapid.Custom(drawLine), 0, 4).Draw(t, "lines"),
			Loaded: rapid.Bool().Draw(t, "loaded"), Results: rapid.Bool().Draw(t, "results"), Synced: rapid.Bool().Draw(t, "synced"),
			Reals: rapid.IntRange(0, 100).Draw(t, "reals"), Replica: rapid.Uint64().Draw(t, "replica"),
			Version: rapid.Uint32().Draw(t, "version"), Hash: rapid.Uint64().Draw(t, "hash"),
			Orders:  rapid.SliceOfN(rapid.Custom(drawOrder), 0, 4).Draw(t, "orders"),
			Leaving: rapid.Bool().Draw(t, "leaving"), Keep: rapid.Bool().Draw(t, "keep"),
		}
		if rapid.Bool().Draw(t, "shares") {
			in.Share = &role.Share{Parcels: rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 4).Draw(t, "parcels")}
		}
		got := DecodeSite(wire(t, EncodeSite(in), &pb.Site{}))
		if diff := cmp.Diff(in, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("site changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

func TestWorkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := role.Work{
			Full: rapid.Bool().Draw(t, "full"), Lines: rapid.SliceOfN(rapid.Custom(drawLine), 0, 4).Draw(t, "lines"),
			Tokens: rapid.SliceOfN(rapid.Custom(drawToken), 0, 4).Draw(t, "tokens"),
		}
		p := EncodeWork(in)
		got := DecodeWork(wire(t, p, &pb.Work{}))
		if diff := cmp.Diff(in, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("work changed on the wire (-sent +got):\n%s", diff)
		}
		for _, tok := range p.Tokens {
			if proto.Size(tok) > TokenSize(tok)+16 {
				t.Fatalf("a token of %d bytes is taken for %d", proto.Size(tok), TokenSize(tok))
			}
		}
	})
}

func TestSharedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := role.Shared{
			Node: rapid.Uint8Min(1).Draw(t, "node"), Name: rapid.StringN(0, 60, maxName).Draw(t, "name"), Parcel: rapid.SliceOf(rapid.Byte()).Draw(t, "parcel"),
		}
		p := EncodeShared(in)
		got, ok := DecodeShared(wire(t, p, &pb.Shared{}))
		if diff := cmp.Diff(in, got, cmpopts.EquateEmpty()); diff != "" || !ok {
			t.Fatalf("it changed on the wire (-sent +got):\n%s", diff)
		}
		if proto.Size(p) > SharedSize(p)+16 {
			t.Fatalf("%d bytes are taken for %d", proto.Size(p), SharedSize(p))
		}
	})
	for name, p := range map[string]*pb.Shared{
		"no node": {Name: "lvs1"}, "no such node": {Node: 257}, "too long": {Node: 1, Parcel: make([]byte, role.MaxParcel+1)},
	} {
		if _, ok := DecodeShared(p); ok {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestStandRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := role.Stand{
			Group: rapid.String().Draw(t, "group"), Epoch: rapid.Uint64().Draw(t, "epoch"),
			Held: rapid.IntRange(0, 300).Draw(t, "held"), Total: rapid.IntRange(0, 300).Draw(t, "total"),
			Until: time.Duration(rapid.Int64Range(-1, 1<<62).Draw(t, "until")),
			Error: rapid.String().Draw(t, "error"), Detail: rapid.String().Draw(t, "detail"),
		}
		if diff := cmp.Diff(in, DecodeStand(wire(t, EncodeStand(in), &pb.Stand{}))); diff != "" {
			t.Fatalf("stand changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

// What makes no sense, or nothing at all, permits nothing.
func TestRolesOfNonsense(t *testing.T) {
	if tok := DecodeToken(&pb.Token{}); tok.Hold || !(role.Token{Hold: true}).Late(1) {
		t.Errorf("an empty token: %+v", tok)
	}
	if tok := DecodeToken(&pb.Token{Hold: true, Lease: -5}); tok.Lease <= 0 {
		t.Errorf("a lease below 0 became %v", tok.Lease)
	}
	if w := DecodeWork(nil); w.Full || len(w.Tokens) > 0 {
		t.Errorf("no work: %+v", w)
	}
	if s := DecodeSite(&pb.Site{Reals: 1 << 30, Orders: []*pb.Order{{Verb: "explode"}, nil}}); s.Reals != 100 || len(s.Orders) != 0 || s.Loaded {
		t.Errorf("site: %+v", s)
	}
	if s := DecodeStand(&pb.Stand{Until: -1 << 60}); s.Until != role.Forever {
		t.Errorf("until %v", s.Until)
	}
	if p := EncodeToken(role.Token{Reason: strings.Repeat("x", 1<<20)}); len(p.Reason) > maxReason {
		t.Errorf("a reason of %d bytes", len(p.Reason))
	}
}
