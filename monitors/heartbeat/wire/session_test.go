package wire

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func keysOf(t testing.TB, active uint8, ids ...uint8) *Keys {
	t.Helper()
	secrets := map[uint8][]byte{}
	for _, id := range ids {
		secrets[id] = fmt.Appendf(nil, "the secret of key %d", id)
	}
	k, err := NewKeys(active, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// end is one end of a pair: its sealer and its session.
type end struct {
	id  Identity
	out *Sealer
	in  *Session
	now time.Duration
}

func newEnd(self, peer Node, incarnation uint64, k *Keys) *end {
	id := Identity{"shop", self, incarnation}
	return &end{id: id, out: NewSealer(id, k), in: NewSession(id, peer, k, SessionOptions{Random: &counter{n: byte(incarnation)}})}
}

// counter is a source of randomness that never repeats itself within a test.
type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n += 7
		p[i] = c.n
	}
	return len(p), nil
}

// packet seals one packet for one link.
func (e *end) packet(kind Kind, link uint8, body string) (packet []byte) {
	e.out.Seal(kind, Everyone, []byte(body), []uint8{link}, func(_ uint8, p []byte) { packet = slices.Clone(p) })
	return packet
}

// reply is what e's handshake wants sent once a challenge is due again, nil for
// nothing.
func (e *end) reply() []byte {
	e.now += HelloEvery
	return e.answer()
}

// answer is what e's handshake wants sent at once, nil for nothing.
func (e *end) answer() []byte {
	kind, body := e.in.Reply(nil, e.now)
	if kind == 0 {
		return nil
	}
	return e.packet(kind, 0, string(body))
}

// meet runs the handshake of both and says how many packets it took.
func meet(t testing.TB, a, b *end) (packets int) {
	t.Helper()
	for range 10 {
		for _, way := range [][2]*end{{a, b}, {b, a}} {
			if p := way[0].reply(); p != nil {
				packets++
				if _, r := way[1].in.Open(0, p); r != Taken {
					t.Fatalf("the handshake is refused: %v", r)
				}
			}
		}
	}
	if a.in.Proven() != b.id.Incarnation || b.in.Proven() != a.id.Incarnation {
		t.Fatalf("a believes %d, b believes %d", a.in.Proven(), b.in.Proven())
	}
	return packets
}

func pair(t testing.TB) (a, b *end) {
	k := keysOf(t, 1, 1, 2)
	a, b = newEnd(1, 2, 100, k), newEnd(2, 1, 200, k)
	meet(t, a, b)
	return a, b
}

func TestHandshake(t *testing.T) {
	k := keysOf(t, 1, 1)
	a, b := newEnd(1, 2, 100, k), newEnd(2, 1, 200, k)
	early := a.packet(KindBeat, 0, "x")
	if _, r := b.in.Open(0, early); r != Unproven {
		t.Errorf("a beat before the handshake: %v", r)
	}
	if n := meet(t, a, b); n > 4 {
		t.Errorf("it took %d packets", n)
	}
	if _, r := b.in.Open(0, early); r != Replayed {
		t.Errorf("a beat from before the handshake: %v", r)
	}
	if o, r := b.in.Open(0, a.packet(KindBeat, 0, "x")); r != Taken || string(o.Body) != "x" || o.Copy || o.Restarted {
		t.Errorf("a beat: %+v, %v", o, r)
	}
	if kind, _ := a.in.Reply(nil, time.Hour); kind != 0 {
		t.Errorf("it still sends %v", kind)
	}
}

// A peer that restarts is believed after one round; its old packets are not.
func TestRestart(t *testing.T) {
	a, b := pair(t)
	recorded := a.packet(KindBeat, 0, "old")
	hello := a.packet(KindHello, 0, string(Hello{Nonce: 5}.Append(nil)))
	again := newEnd(1, 2, 101, keysOf(t, 1, 1, 2))
	if _, r := b.in.Open(0, again.packet(KindBeat, 0, "new")); r != Unproven {
		t.Errorf("a beat of an incarnation not proven: %v", r)
	}
	if b.in.Proven() != 100 {
		t.Error("an unproven incarnation replaced the proven one")
	}
	meet(t, again, b)
	for _, p := range [][]byte{recorded, hello} {
		if _, r := b.in.Open(0, p); r != OldIncarnation {
			t.Errorf("a packet of the replaced incarnation: %v", r)
		}
	}
	if _, r := b.in.Open(0, again.packet(KindBeat, 0, "new")); r != Taken {
		t.Errorf("a beat of the new incarnation: %v", r)
	}
}

// The receiver restarts: what was recorded before does not count as new.
func TestReceiverRestarts(t *testing.T) {
	a, b := pair(t)
	recorded := a.packet(KindBeat, 0, "x")
	second := a.packet(KindBeat, 1, "x")
	b = newEnd(2, 1, 201, keysOf(t, 1, 1))
	meet(t, a, b)
	if _, r := b.in.Open(0, recorded); r != Replayed {
		t.Errorf("recorded before the restart: %v", r)
	}
	if _, r := b.in.Open(1, second); r != Replayed {
		t.Errorf("recorded before the restart, on a link not heard yet: %v", r)
	}
}

// The first copy is taken, others are accounted to their link, once each.
func TestCopies(t *testing.T) {
	a, b := pair(t)
	copies := map[uint8][]byte{}
	a.out.Seal(KindBeat, Everyone, []byte("x"), []uint8{0, 1}, func(l uint8, p []byte) { copies[l] = slices.Clone(p) })
	for _, c := range []struct {
		link uint8
		of   uint8
		copy bool
		r    Reason
	}{{1, 1, false, Taken}, {1, 1, false, Replayed}, {0, 0, true, Taken}, {0, 0, false, Replayed}, {0, 1, false, Replayed}} {
		o, r := b.in.Open(c.link, copies[c.of])
		if r != c.r || r == Taken && o.Copy != c.copy {
			t.Errorf("link %d's on link %d: %v, copy %v; want %v", c.of, c.link, r, o.Copy, c)
		}
	}
	if o, r := b.in.Open(0, a.packet(KindBeat, 1, "y")); r != Taken || !o.Crossed {
		t.Errorf("on the wrong link: %+v, %v", o, r)
	}
}

// Keys are changed without a beat lost: add, send with the new one, remove.
func TestRotate(t *testing.T) {
	a, b := pair(t)
	say := func(want Reason) {
		t.Helper()
		if _, r := b.in.Open(0, a.packet(KindBeat, 0, "x")); r != want {
			t.Errorf("%v, want %v", r, want)
		}
	}
	say(Taken)
	a.out.Rotate(keysOf(t, 2, 1, 2))
	say(Taken)
	b.in.Rotate(keysOf(t, 2, 2))
	say(Taken)
	a.out.Rotate(keysOf(t, 1, 1))
	say(UnknownKey)
	other, _ := NewKeys(2, map[uint8][]byte{2: []byte("another secret, as long")})
	a.out.Rotate(other)
	say(Forged)
}

func TestRefused(t *testing.T) {
	a, b := pair(t)
	edit := func(at int, v byte) []byte {
		p := a.packet(KindBeat, 0, "x")
		p[at] = v
		return p
	}
	foreign := newEnd(1, 2, 100, keysOf(t, 1, 1, 2))
	foreign.out = NewSealer(Identity{"other", 1, 100}, keysOf(t, 1, 1))
	for _, c := range []struct {
		name   string
		packet []byte
		want   Reason
	}{
		{"nothing", nil, Foreign},
		{"noise", []byte("GET / HTTP/1.1\r\n\r\nHost: everybody and nobody"), Foreign},
		{"a header only", a.packet(KindBeat, 0, "x")[:HeaderSize], Truncated},
		{"long", append(a.packet(KindBeat, 0, "x"), make([]byte, MaxPacket)...), TooLong},
		{"version", edit(2, 9), OtherVersion},
		{"kind", edit(3, 99), UnknownKind},
		{"kind changed", edit(3, byte(KindGoodbye)), Forged},
		{"key", edit(4, 7), UnknownKey},
		{"the other key", edit(4, 2), Forged},
		{"link changed", edit(5, 3), Forged},
		{"ourselves", edit(6, 2), Own},
		{"a third", edit(6, 3), UnknownSender},
		{"not for us", edit(7, 9), NotForUs},
		{"cluster", foreign.packet(KindBeat, 0, "x"), OtherCluster},
		{"incarnation", edit(19, 1), Forged},
		{"cut", a.packet(KindBeat, 0, "some more")[:HeaderSize+TagSize+3], Forged},
		{"no handshake", a.packet(KindHello, 0, "x"), Garbled},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, r := b.in.Open(0, c.packet); r != c.want {
				t.Errorf("%v, want %v", r, c.want)
			}
		})
	}
	if n := b.in.Counts(); n.Refused() != 17 || n.Of(Forged) != 5 {
		t.Errorf("counted %v", n)
	}
}

// The same hash of another cluster's name does not open either.
func TestClusterIsBound(t *testing.T) {
	a, b := pair(t)
	a.out = NewSealer(Identity{"other", 1, 100}, keysOf(t, 1, 1))
	a.out.cluster, a.out.seq = ClusterHash("shop"), 1000
	if _, r := b.in.Open(0, a.packet(KindBeat, 0, "x")); r != Forged {
		t.Errorf("%v", r)
	}
}

// An adversary records all that two nodes say, over restarts of both, and sends
// it again in any order, cut, changed, and on other links. Nothing but what is
// said for the first time is ever taken, and it never keeps them from talking:
// as Open asks for it, they answer a packet before they open the next.
func TestAdversary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, _ := NewKeys(1, map[uint8][]byte{1: []byte("the secret of key 1")})
		incarnation, said := uint64(100), 0
		a, b := newEnd(1, 2, incarnation, k), newEnd(2, 1, incarnation+1, k)
		var tape [][]byte
		// talk sends what from wants sent, and all that this is answered with.
		talk := func(from, to *end) {
			for p := from.answer(); p != nil; p = from.answer() {
				if _, r := to.in.Open(0, p); r != Taken && r != WrongEcho {
					t.Fatalf("a handshake is refused: %v", r)
				}
				tape = append(tape, p)
				from, to = to, from
			}
		}
		hear := func(e *end, link uint8, p []byte) {
			before, was := e.in.Proven(), bytes.Clone(p)
			o, r := e.in.Open(link, p)
			if !bytes.Equal(was, p) {
				t.Fatal("it changed the packet")
			}
			if r == Taken && (o.Kind == KindBeat || o.Kind == KindGoodbye) && !o.Copy {
				t.Fatalf("it took %q again", o.Body)
			}
			if e.in.Proven() != before {
				t.Fatalf("it believes %d for %d", e.in.Proven(), before)
			}
			if e == a {
				talk(a, b)
			} else {
				talk(b, a)
			}
		}
		attack := func() {
			for range rapid.IntRange(0, 8).Draw(t, "attacks") {
				if len(tape) == 0 {
					return
				}
				p := bytes.Clone(rapid.SampledFrom(tape).Draw(t, "recorded"))
				switch rapid.IntRange(0, 3).Draw(t, "how") {
				case 0:
					p = p[:rapid.IntRange(0, len(p)).Draw(t, "cut")]
				case 1:
					p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
				}
				hear(rapid.SampledFrom([]*end{a, b}).Draw(t, "to"), uint8(rapid.IntRange(0, 2).Draw(t, "link")), p)
			}
		}
		shake := func() {
			for range 6 {
				for _, way := range [][2]*end{{a, b}, {b, a}} {
					way[0].now += HelloEvery
					talk(way[0], way[1])
				}
				attack()
			}
			if a.in.Proven() != a.peerOf(b) || b.in.Proven() != b.peerOf(a) {
				t.Fatal("they do not know each other")
			}
		}
		shake()
		for range 12 {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				incarnation += 2
				a = newEnd(1, 2, incarnation, k)
				shake()
			case 1:
				incarnation += 2
				b = newEnd(2, 1, incarnation+1, k)
				shake()
			default:
				from, to := a, b
				if rapid.Bool().Draw(t, "from b") {
					from, to = b, a
				}
				said++
				p := from.packet(KindBeat, uint8(rapid.IntRange(0, 1).Draw(t, "on")), fmt.Sprint(said))
				if o, r := to.in.Open(p[5], p); r != Taken || string(o.Body) != fmt.Sprint(said) {
					t.Fatalf("a beat is refused: %v", r)
				}
				tape = append(tape, p)
				attack()
			}
		}
	})
}

func (e *end) peerOf(peer *end) uint64 { return peer.id.Incarnation }

func FuzzOpen(f *testing.F) {
	a, _ := pair(f)
	f.Add(a.packet(KindBeat, 0, "x"))
	f.Add(a.packet(KindHello, 0, string(Hello{Nonce: 5}.Append(nil))))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, p []byte) {
		_, b := pair(t)
		if o, r := b.in.Open(0, p); r == Taken && o.Seq == 0 {
			t.Errorf("it took %v", o)
		}
		if b.in.Proven() != 100 {
			t.Error("it believes another")
		}
	})
}

// FuzzDecode: whatever is decoded is bounded and encodes again to the same.
func FuzzDecode(f *testing.F) {
	b := Beat{Number: 3, Links: []Link{{Link: 1}}, Groups: []Group{{Group: 5, Grant: Grant{1, 2}}}}
	body, _ := b.Append(nil)
	f.Add(body)
	f.Add(Hello{1, 2}.Append(nil))
	f.Add((&Chunk{Number: 1, Of: 2, Data: make([]byte, 300)}).Append(nil))
	f.Add((&Nack{Acked: 9, Missing: []byte{1, 2}}).Append(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, again Beat
		if got.Decode(body) {
			out, err := got.Append(nil)
			if err != nil || len(out) > MaxBody || !again.Decode(out) {
				t.Fatalf("%+v does not encode: %v", got, err)
			}
		}
		var c, c2 Chunk
		if c.Decode(body) && !c2.Decode(c.Append(nil)) {
			t.Fatalf("%+v does not encode", c)
		}
		var n, n2 Nack
		if n.Decode(body) && !n2.Decode(n.Append(nil)) {
			t.Fatalf("%+v does not encode", n)
		}
		DecodeHello(body)
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add("auth 1\n1 0123456789abcdef\n")
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := ParseKeys(text); err == nil && k.secrets[k.Active()] == nil {
			t.Error("it sends with a key that is not there")
		}
	})
}

// BenchmarkBeat is what a beat costs: encoded, sealed for two links, opened on
// both and decoded.
func BenchmarkBeat(b *testing.B) {
	from, to := pair(b)
	beat := Beat{Number: 1, Links: make([]Link, 2), Groups: []Group{{Group: 1, Claim: Holding}, {Group: 2}}}
	beat.Links[1].Link = 1
	var body []byte
	var got Beat
	links := []uint8{0, 1}
	b.ReportAllocs()
	for b.Loop() {
		body, _ = beat.Append(body[:0])
		from.out.Seal(KindBeat, Everyone, body, links, func(link uint8, p []byte) {
			if o, r := to.in.Open(link, p); r != Taken || !got.Decode(o.Body) {
				b.Fatal(r)
			}
		})
	}
}

// BenchmarkForged is what a forged packet costs.
func BenchmarkForged(b *testing.B) {
	from, to := pair(b)
	p := from.packet(KindBeat, 0, "x")
	p[19] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		if _, r := to.in.Open(0, p); r != Forged {
			b.Fatal(r)
		}
	}
}
