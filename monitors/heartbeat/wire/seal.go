package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Identity is who seals and opens.
type Identity struct {
	// Cluster is the cluster's name, the same on all nodes.
	Cluster string
	Self    Node
	// Incarnation is random and drawn when the program starts; never 0.
	Incarnation uint64
}

// Validate reports what is wrong with id.
func (id Identity) Validate() error {
	switch {
	case id.Cluster == "":
		return fmt.Errorf("the cluster has no name")
	case id.Self == Everyone:
		return fmt.Errorf("node number 0 means every node: take one from 1 to 255")
	case id.Incarnation == 0:
		return fmt.Errorf("incarnation 0 means none: draw one at random")
	}
	return nil
}

// extract is the first half of HKDF, done once for each key and cluster.
func (k *Keys) extract(cluster string) map[uint8][]byte {
	all := make(map[uint8][]byte, len(k.secrets))
	for id, secret := range k.secrets {
		prk, err := hkdf.Extract(sha256.New, secret, []byte("mond heartbeat\x00"+cluster))
		if err != nil {
			panic(err) // only where SHA-256 is not allowed
		}
		all[id] = prk
	}
	return all
}

// derive makes the AEAD for packets of one key, direction and incarnation.
func derive(prk []byte, from, to Node, incarnation uint64) cipher.AEAD {
	info := binary.BigEndian.AppendUint64([]byte{Version, byte(from), byte(to)}, incarnation)
	key, err := hkdf.Expand(sha256.New, prk, string(info), 32)
	if err != nil {
		panic(err) // only a length that SHA-256 cannot give
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only a wrong length of the key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only a block size that is not AES's
	}
	return aead
}

// nonce is unique for one key: a seq is taken once, and sealed once a link.
func nonce(dst *[12]byte, link uint8, seq uint64) []byte {
	dst[3] = link
	binary.BigEndian.PutUint64(dst[4:], seq)
	return dst[:]
}

// Sealer seals what a node sends. It is the only one that does so for its
// incarnation, and is used by one goroutine at a time.
type Sealer struct {
	id      Identity
	cluster uint32
	active  uint8
	secrets map[uint8][]byte
	seq     uint64
	// aeads holds one for each receiver.
	aeads map[Node]cipher.AEAD
	buf   []byte
	aad   []byte
	nonce [12]byte
}

// NewSealer makes the Sealer of a node. It panics if id is not valid.
func NewSealer(id Identity, keys *Keys) *Sealer {
	if err := id.Validate(); err != nil {
		panic(err)
	}
	s := &Sealer{id: id, cluster: ClusterHash(id.Cluster)}
	s.Rotate(keys)
	return s
}

// Rotate puts other keys in place.
func (s *Sealer) Rotate(keys *Keys) {
	s.active, s.secrets, s.aeads = keys.active, keys.extract(s.id.Cluster), map[Node]cipher.AEAD{}
}

// Renew begins a new incarnation, as a restart would. The Sessions that use the
// same identity are to be told too.
func (s *Sealer) Renew(incarnation uint64) {
	s.id.Incarnation, s.seq, s.aeads = incarnation, 0, map[Node]cipher.AEAD{}
	if err := s.id.Validate(); err != nil {
		panic(err)
	}
}

// Incarnation is the present one.
func (s *Sealer) Incarnation() uint64 { return s.id.Incarnation }

// Seal takes the next seq, seals body once for each of links and hands each
// packet to send. All have the same seq: the receiver takes the first that
// arrives. The packet is send's until it returns. A body longer than MaxBody is
// a mistake in the program and panics.
func (s *Sealer) Seal(kind Kind, to Node, body []byte, links []uint8, send func(link uint8, packet []byte)) {
	if len(body) > MaxBody {
		panic(fmt.Sprintf("wire: a body of %d bytes", len(body)))
	}
	s.seq++
	aead := s.aeads[to]
	if aead == nil {
		aead = derive(s.secrets[s.active], s.id.Self, to, s.id.Incarnation)
		s.aeads[to] = aead
	}
	for _, link := range links {
		h := Header{
			Kind: kind, Key: s.active, Link: link, From: s.id.Self, To: to,
			Cluster: s.cluster, Incarnation: s.id.Incarnation, Seq: s.seq,
		}
		s.buf = h.append(s.buf[:0])
		s.aad = append(append(s.aad[:0], s.buf...), s.id.Cluster...)
		s.buf = aead.Seal(s.buf, nonce(&s.nonce, link, s.seq), body, s.aad)
		send(link, s.buf)
	}
}
