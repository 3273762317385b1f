package wire

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"io"
	"slices"
	"time"
)

// HelloEvery is the least time between two challenges. Answers are not limited:
// there is at most one for each HELLO that opens.
const HelloEvery = 20 * time.Millisecond

// rememberOld is how many replaced incarnations a session knows by number.
const rememberOld = 16

// Session opens what one peer sends. It is used by one goroutine at a time.
type Session struct {
	id      Identity
	peer    Node
	cluster uint32
	secrets map[uint8][]byte
	size    int
	random  io.Reader

	// proven is the incarnation that answered our challenge, 0 before one did;
	// old are those that it replaced.
	proven uint64
	old    []uint64
	// window is shared by all links, links are each link's own; none takes a
	// packet up to base, which were sent before the incarnation was proven.
	window Window
	links  map[uint8]*Window
	base   uint64

	// challenge is ours, outstanding while it is not 0; answer is the peer's.
	challenge, answer uint64
	asked             time.Duration
	asks              bool

	aeads  map[direction]cipher.AEAD
	counts Counts
	plain  []byte
	aad    []byte
	nonce  [12]byte
}

type direction struct {
	key         uint8
	to          Node
	incarnation uint64
}

// SessionOptions are what few sessions set.
type SessionOptions struct {
	// Window is the size of the replay window, 0 for DefaultWindow.
	Window int
	// Random gives challenges, nil for crypto/rand.
	Random io.Reader
}

// NewSession makes the Session with one peer. It panics if id is not valid or
// peer is no other node.
func NewSession(id Identity, peer Node, keys *Keys, o SessionOptions) *Session {
	if err := id.Validate(); err != nil {
		panic(err)
	}
	if peer == Everyone || peer == id.Self {
		panic("wire: a session with nobody")
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	s := &Session{
		id: id, peer: peer, cluster: ClusterHash(id.Cluster), size: o.Window, random: o.Random,
		asked: -HelloEvery, asks: true,
	}
	s.Rotate(keys)
	return s
}

// Rotate puts other keys in place. What was proven stays so.
func (s *Session) Rotate(keys *Keys) {
	s.secrets, s.aeads = keys.extract(s.id.Cluster), map[direction]cipher.AEAD{}
}

// Proven is the peer's incarnation that answered our challenge, 0 for none.
func (s *Session) Proven() uint64 { return s.proven }

// Counts are the packets so far, by what became of them.
func (s *Session) Counts() Counts { return s.counts }

// Opened is a packet that was taken.
type Opened struct {
	Header
	// Body is the Session's until its next Open.
	Body []byte
	// Copy says that this packet came already, on another link: it is only
	// accounted to its link.
	Copy bool
	// Crossed says that it was sent on another link than the one it came on
	// (Header.Link): cables are swapped, or somebody carries packets over. It is
	// accounted to neither link.
	Crossed bool
	// Restarted says that this packet proved another incarnation: all that was
	// known of the peer's last one is void.
	Restarted bool
}

// Open opens a packet that came on a link. A Reason other than Taken says why
// it was refused; the Opened then means nothing. HELLO and ACK are dealt with
// within; ask Reply after each Open, and before each beat.
func (s *Session) Open(link uint8, packet []byte) (Opened, Reason) {
	o, r := s.open(link, packet)
	s.counts[r]++
	return o, r
}

func (s *Session) open(link uint8, packet []byte) (Opened, Reason) {
	h, r := s.admit(packet)
	if r != Taken {
		return Opened{}, r
	}
	o := Opened{Header: h, Crossed: h.Link != link}
	current := h.Incarnation == s.proven
	if current {
		if o.Copy, r = s.fresh(link, &o); r != Taken {
			return Opened{}, r
		}
	}
	if o.Body, r = s.decrypt(&h, packet); r != Taken {
		return Opened{}, r
	}
	if h.Kind == KindHello || h.Kind == KindAck {
		if r = s.handshake(&o); r != Taken {
			return Opened{}, r
		}
	} else if !current {
		s.asks = true
		return Opened{}, Unproven
	}
	if h.Incarnation == s.proven {
		s.mark(link, &o)
	}
	return o, Taken
}

// admit judges what is in the clear.
func (s *Session) admit(packet []byte) (Header, Reason) {
	h, r := Peek(packet)
	switch {
	case r == UnknownKind && h.Cluster != s.cluster:
		return h, OtherCluster
	case r != Taken:
		return h, r
	case h.Cluster != s.cluster:
		return h, OtherCluster
	case h.From == s.id.Self:
		return h, Own
	case h.From != s.peer:
		return h, UnknownSender
	case h.To != Everyone && h.To != s.id.Self:
		return h, NotForUs
	case s.secrets[h.Key] == nil:
		return h, UnknownKey
	case slices.Contains(s.old, h.Incarnation):
		return h, OldIncarnation
	}
	return h, Taken
}

// fresh says whether a packet of the proven incarnation is new: to all links,
// or as a copy to its own.
func (s *Session) fresh(link uint8, o *Opened) (again bool, r Reason) {
	if r = s.window.Check(o.Seq); r == Taken || o.Crossed {
		return false, r
	}
	own := s.link(link).Check(o.Seq)
	return own == Taken, own
}

// link is the window of a link of ours: there are at most as many as links.
func (s *Session) link(link uint8) *Window {
	w := s.links[link]
	if w == nil {
		w = new(NewWindow(s.size, s.base))
		s.links[link] = w
	}
	return w
}

func (s *Session) mark(link uint8, o *Opened) {
	s.window.Mark(o.Seq)
	if o.Crossed {
		return
	}
	s.link(link).Mark(o.Seq)
}

// decrypt opens the body with the key that the header names.
func (s *Session) decrypt(h *Header, packet []byte) ([]byte, Reason) {
	at := direction{h.Key, h.To, h.Incarnation}
	aead := s.aeads[at]
	if aead == nil {
		aead = derive(s.secrets[h.Key], h.From, h.To, h.Incarnation)
	}
	s.aad = append(append(s.aad[:0], packet[:HeaderSize]...), s.id.Cluster...)
	plain, err := aead.Open(s.plain[:0], nonce(&s.nonce, h.Link, h.Seq), packet[HeaderSize:], s.aad)
	if err != nil {
		return nil, Forged
	}
	s.plain = plain
	// What did not open is not remembered: nobody fills our memory.
	if h.Incarnation == s.proven {
		s.aeads[at] = aead
	}
	return plain, Taken
}

// handshake takes a challenge or the answer to ours.
func (s *Session) handshake(o *Opened) Reason {
	m, ok := DecodeHello(o.Body)
	if !ok {
		return Garbled
	}
	s.answer = nonZero(m.Nonce, s.answer)
	switch {
	case o.Kind == KindAck && s.challenge != 0 && m.Echo == s.challenge:
		o.Restarted = s.prove(o)
	case o.Incarnation == s.proven:
		// Such as a second copy of an answer that was taken.
	case m.Nonce == 0:
		return WrongEcho
	default:
		s.asks = true
	}
	return Taken
}

func nonZero(n, otherwise uint64) uint64 {
	if n != 0 {
		return n
	}
	return otherwise
}

// prove believes the incarnation that answered; packets up to its answer are
// old.
func (s *Session) prove(o *Opened) (restarted bool) {
	s.challenge, s.asks = 0, false
	if o.Incarnation == s.proven {
		return false
	}
	if s.proven != 0 {
		s.old = append(s.old, s.proven)
		s.old = s.old[max(0, len(s.old)-rememberOld):]
	}
	s.proven = o.Incarnation
	s.base = o.Seq - 1
	s.window = NewWindow(s.size, s.base)
	s.links = map[uint8]*Window{}
	s.aeads = map[direction]cipher.AEAD{}
	return true
}

// Challenge makes the session challenge the peer again, although it believes
// it. Packets are still taken meanwhile.
func (s *Session) Challenge() { s.asks = true }

// Renew follows a Sealer's Renew.
func (s *Session) Renew(incarnation uint64) { s.id.Incarnation = incarnation }

// Reply appends to dst the body of what the handshake wants sent to the peer
// now, on all links: a challenge, or the answer to one. kind is 0 if there is
// nothing to send. now is any clock that does not go back.
func (s *Session) Reply(dst []byte, now time.Duration) (kind Kind, body []byte) {
	if s.answer != 0 {
		m := Hello{Echo: s.answer}
		s.answer = 0
		if s.asks {
			m.Nonce, s.asked = s.draw(), now
		}
		return KindAck, m.Append(dst)
	}
	if s.asks && now-s.asked >= HelloEvery {
		s.asked = now
		return KindHello, Hello{Nonce: s.draw()}.Append(dst)
	}
	return 0, dst
}

// draw is the outstanding challenge, a new one if there is none. It stays the
// same until it is answered, so that an answer that is slower than HelloEvery
// still counts; an answer is of no use a second time.
func (s *Session) draw() uint64 {
	for s.challenge == 0 {
		var b [8]byte
		if _, err := io.ReadFull(s.random, b[:]); err != nil {
			panic(err) // crypto/rand does not fail
		}
		s.challenge = binary.BigEndian.Uint64(b[:])
	}
	return s.challenge
}
