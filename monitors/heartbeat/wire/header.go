package wire

import (
	"crypto/sha256"
	"encoding/binary"
)

// Sizes of a packet.
const (
	MaxPacket  = 512
	HeaderSize = 28
	TagSize    = 16
	MaxBody    = MaxPacket - HeaderSize - TagSize
)

// Version is that of the packet.
const Version = 1

const magic = "mH"

// Node is the number of a node, 1 to 255; 0 is every node.
type Node uint8

// Everyone is the address of a packet for all nodes.
const Everyone Node = 0

// Kind says what a packet is.
type Kind uint8

// The kinds.
const (
	KindHello   Kind = 1 + iota // Hello: a challenge
	KindAck                     // Hello: the answer to one
	KindBeat                    // Beat
	KindGoodbye                 // Beat: the last one, the sender ends
	KindChunk                   // Chunk
	KindNack                    // Nack
	KindAskVote                 // Questions, for the witness
	KindVote                    // Votes, its answers
	kinds
)

func (k Kind) String() string {
	switch k {
	case KindHello:
		return "HELLO"
	case KindAck:
		return "HELLO-ACK"
	case KindBeat:
		return "BEAT"
	case KindGoodbye:
		return "GOODBYE"
	case KindChunk:
		return "CHUNK"
	case KindNack:
		return "NACK"
	case KindAskVote:
		return "ASK-VOTE"
	case KindVote:
		return "VOTE"
	}
	return "unknown"
}

// Header is the part of a packet in the clear. Nothing in it is to be believed
// before the packet opened.
type Header struct {
	Kind        Kind
	Key         uint8
	Link        uint8
	From, To    Node
	Cluster     uint32
	Incarnation uint64
	Seq         uint64
}

// append writes h as the first HeaderSize bytes of a packet.
func (h *Header) append(dst []byte) []byte {
	dst = append(dst, magic...)
	dst = append(dst, Version, byte(h.Kind), h.Key, h.Link, byte(h.From), byte(h.To))
	dst = binary.BigEndian.AppendUint32(dst, h.Cluster)
	dst = binary.BigEndian.AppendUint64(dst, h.Incarnation)
	return binary.BigEndian.AppendUint64(dst, h.Seq)
}

// Peek reads the header of a packet, so that a receiver with several peers
// finds the [Session] that opens it.
func Peek(packet []byte) (Header, Reason) {
	switch {
	case len(packet) < 2 || string(packet[:2]) != magic:
		return Header{}, Foreign
	case len(packet) > MaxPacket:
		return Header{}, TooLong
	case len(packet) < HeaderSize+TagSize:
		return Header{}, Truncated
	case packet[2] != Version:
		return Header{}, OtherVersion
	}
	h := Header{
		Kind: Kind(packet[3]), Key: packet[4], Link: packet[5], From: Node(packet[6]), To: Node(packet[7]),
		Cluster:     binary.BigEndian.Uint32(packet[8:]),
		Incarnation: binary.BigEndian.Uint64(packet[12:]),
		Seq:         binary.BigEndian.Uint64(packet[20:]),
	}
	if h.Kind == 0 || h.Kind >= kinds {
		return h, UnknownKind
	}
	return h, Taken
}

// ClusterHash is how the header names a cluster.
func ClusterHash(name string) uint32 {
	sum := sha256.Sum256([]byte("mond cluster\x00" + name))
	return binary.BigEndian.Uint32(sum[:])
}

// GroupHash is how a beat names a group of addresses. The caller checks that no
// two of its groups share one (member.Config.Validate does).
func GroupHash(name string) uint16 {
	sum := sha256.Sum256([]byte("mond group\x00" + name))
	return binary.BigEndian.Uint16(sum[:])
}
