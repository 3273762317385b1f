package wire

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func ms(t *rapid.T, name string) time.Duration {
	return time.Duration(rapid.IntRange(0, 65534).Draw(t, name)) * time.Millisecond
}

func drawAddress(t *rapid.T) netip.Addr {
	n := rapid.SampledFrom([]int{4, 16}).Draw(t, "family")
	a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "address"))
	return a
}

func drawGroup(t *rapid.T) Group {
	g := Group{
		Group: rapid.Uint16().Draw(t, "group"), Claim: Claim(rapid.IntRange(0, int(claims)-1).Draw(t, "claim")),
		Order: Order(rapid.IntRange(0, int(orders)-1).Draw(t, "order")), Asks: Cause(rapid.IntRange(0, int(causes)-1).Draw(t, "asks")),
		Gives: rapid.Bool().Draw(t, "gives"), Known: rapid.Bool().Draw(t, "known"), Able: rapid.Bool().Draw(t, "able"),
		Frozen: rapid.Bool().Draw(t, "frozen"), Priority: rapid.Byte().Draw(t, "priority"),
		Held: rapid.Byte().Draw(t, "held"), Total: rapid.Byte().Draw(t, "total"), Fitness: uint8(rapid.IntRange(0, 100).Draw(t, "fitness")),
		Epoch: rapid.Uint64Range(0, MaxEpoch).Draw(t, "epoch"), Digest: rapid.Uint32().Draw(t, "digest"),
		Lease: ms(t, "lease"), Traffic: rapid.Uint16().Draw(t, "traffic"),
	}
	if rapid.Bool().Draw(t, "permanent") {
		g.Lease = Permanent
	}
	if rapid.Bool().Draw(t, "grants") {
		g.Grant = Grant{Incarnation: rapid.Uint32().Draw(t, "incarnation"), Beat: rapid.Uint32Range(1, 1<<32-1).Draw(t, "beat")}
	}
	for range rapid.IntRange(0, 20).Draw(t, "addresses") {
		g.Addresses = append(g.Addresses, drawAddress(t))
	}
	return g
}

func drawBeat(t *rapid.T) Beat {
	b := Beat{
		Number: rapid.Uint32Range(1, 1<<32-1).Draw(t, "number"), Interval: ms(t, "interval"), Dead: ms(t, "dead"),
		Flags: Flags(rapid.Uint16().Draw(t, "flags")), ConfigVersion: rapid.Uint32().Draw(t, "version"),
		ConfigHash: rapid.Uint64().Draw(t, "hash"), Replica: rapid.Uint64().Draw(t, "replica"),
	}
	for i := range rapid.IntRange(0, MaxLinks).Draw(t, "links") {
		b.Links = append(b.Links, Link{
			Link: uint8(i), Hears: rapid.Bool().Draw(t, "hears"), Sent: rapid.Uint16().Draw(t, "sent"), Last: rapid.Uint32().Draw(t, "last"),
			Ago:  time.Duration(rapid.IntRange(0, 3600e6).Draw(t, "ago")) * time.Microsecond,
			Loss: uint8(rapid.IntRange(0, 100).Draw(t, "loss")),
		})
	}
	for range rapid.IntRange(0, MaxGroups).Draw(t, "groups") {
		if g := drawGroup(t); b.Group(g.Group) == nil {
			b.Groups = append(b.Groups, g)
		}
	}
	return b
}

// What a beat says arrives, but for lists of addresses that do not fit, and it
// always fits.
func TestBeatProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawBeat(t)
		body, err := want.Append(nil)
		if err != nil || len(body) > MaxBody {
			t.Fatalf("%d bytes: %v", len(body), err)
		}
		body = append(body, 200, 3, 'n', 'e', 'w')
		var got Beat
		if !got.Decode(body) {
			t.Fatal("it does not decode")
		}
		for i := range got.Groups {
			if len(got.Groups[i].Addresses) == 0 {
				want.Groups[i].Addresses = nil
			}
		}
		if d := cmp.Diff(want, got, same); d != "" {
			t.Fatalf("(-sent +received):\n%s", d)
		}
	})
}

// The largest beat fits: all links, all groups, each with a grant.
func TestLargestBeat(t *testing.T) {
	b := Beat{Number: 1}
	for i := range MaxLinks {
		b.Links = append(b.Links, Link{Link: uint8(i)})
	}
	for i := range MaxGroups {
		b.Groups = append(b.Groups, Group{Group: uint16(i), Grant: Grant{1, 1}})
	}
	body, err := b.Append(nil)
	if err != nil || len(body) > MaxBody {
		t.Fatalf("%d of %d bytes: %v", len(body), MaxBody, err)
	}
	b.Groups = append(b.Groups, Group{Group: 99})
	if _, err := b.Append(nil); err == nil {
		t.Error("one group more is taken")
	}
}

// A longer value, as a later release may send it, is read as far as it is known.
func TestLaterRelease(t *testing.T) {
	b := Beat{Number: 7, Groups: []Group{{Group: 1, Claim: Holding, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.3")}}}}
	body, _ := b.Append(nil)
	var longer []byte
	values(body, func(kind byte, v []byte) bool {
		if kind != tlvAddresses {
			v = append(slices.Clone(v), 1, 2, 3)
		}
		longer = append(append(longer, kind, byte(len(v))), v...)
		return true
	})
	var got Beat
	if !got.Decode(longer) {
		t.Fatal("it does not decode")
	}
	if d := cmp.Diff(b, got, same); d != "" {
		t.Error(d)
	}
	longer[32+2+3+2+2] = 0xf0
	if !got.Decode(longer) || got.Groups[0].Claim != Holding {
		t.Errorf("a claim of a later release reads as %v", got.Groups)
	}
}

func TestHelloProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Hello{rapid.Uint64().Draw(t, "nonce"), rapid.Uint64().Draw(t, "echo")}
		if got, ok := DecodeHello(want.Append(nil)); !ok || got != want {
			t.Fatalf("%v reads as %v, %v", want, got, ok)
		}
	})
}

func TestChunkProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Uint16Range(1, 1<<16-1).Draw(t, "of")
		want := Chunk{
			Number: rapid.Uint32Range(1, 1<<32-1).Draw(t, "number"), Of: of, Index: rapid.Uint16Range(0, of-1).Draw(t, "index"),
			Type: rapid.Byte().Draw(t, "type"), Data: rapid.SliceOfN(rapid.Byte(), 0, MaxData).Draw(t, "data"),
		}
		body := want.Append(nil)
		var got Chunk
		if len(body) > MaxBody || !got.Decode(body) {
			t.Fatalf("%d bytes do not decode", len(body))
		}
		if d := cmp.Diff(want, got, same); d != "" {
			t.Fatal(d)
		}
		n := Nack{rapid.Uint64().Draw(t, "incarnation"), rapid.Uint32().Draw(t, "acked"), rapid.SliceOfN(rapid.Byte(), 0, MaxMissing/8).Draw(t, "missing")}
		var back Nack
		if !back.Decode(n.Append(nil)) {
			t.Fatal("a nack does not decode")
		}
		if d := cmp.Diff(n, back, same); d != "" {
			t.Fatal(d)
		}
	})
}

// A window takes each number once, as a plain set would, and nothing behind it.
func TestWindowProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{64, 128, 256, 1024}).Draw(t, "size")
		base := rapid.Uint64Range(0, 5000).Draw(t, "base")
		w, seen, top := NewWindow(size, base), map[uint64]bool{}, base
		for range 200 {
			far := rapid.SampledFrom([]uint64{1, 3, 70, 3000}).Draw(t, "far")
			n := rapid.Uint64Range(top-min(top, 2*far), top+far).Draw(t, "n")
			want := Taken
			switch {
			case n <= top && top-n >= uint64(size):
				want = TooOld
			case seen[n] || n <= base:
				want = Replayed
			}
			if got := w.Check(n); got != want {
				t.Fatalf("%d (top %d): %v, want %v", n, top, got, want)
			}
			w.Mark(n)
			if want == Taken {
				seen[n], top = true, max(top, n)
			}
		}
	})
}

func TestParseKeys(t *testing.T) {
	const long = "correct-horse-battery"
	for _, c := range []struct{ name, text, err string }{
		{"two", "# ours\nauth 2\n1 " + long + "\n2 " + long + "x\n", ""},
		{"none", "", "no line `auth N` says which key is sent with"},
		{"not there", "auth 3\n1 " + long, "key 3 is to be sent with, but is not there"},
		{"short", "auth 1\n1 secret", "the secret of key 1 has 6 bytes, it needs 16 or more"},
		{"twice", "auth 1\n1 " + long + "\n1 " + long, "line 3: a second key 1"},
		{"auth twice", "auth 1\nauth 2", "line 2: a second line `auth`"},
		{"number", "auth 1\n256 " + long, `line 2: "256" is no number of a key: it goes from 0 to 255`},
		{"heartbeat's", "auth 1\n1 sha1 " + long, "line 2: sha1 is a method of heartbeat's authkeys, which is too weak here: write `1 SECRET`"},
		{"heartbeat's crc", "auth 1\n1 crc", "line 2: crc is a method of heartbeat's authkeys, which is too weak here: write `1 SECRET`"},
		{"words", "auth 1\n1 two words more", "line 2: want `auth N` or `N SECRET`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := ParseKeys(c.text)
			if got := ""; err != nil {
				got = err.Error()
				if got != c.err {
					t.Errorf("%q, want %q", got, c.err)
				}
			} else if c.err != "" || k.Active() != 2 || bytes.Contains([]byte(k.String()), []byte("horse")) {
				t.Errorf("%v, want %q", k, c.err)
			}
		})
	}
}
