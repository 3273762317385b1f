package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// mostRight bounds how many right passwords are remembered.
const mostRight = 1024

// memory remembers which password was right for which hash, so that a burst of
// traps costs one computation and not one each. It holds neither: what it holds
// tells nothing without a key that is made at random and never leaves it. It is
// for concurrent use.
type memory struct {
	macs sync.Pool

	mu    sync.RWMutex
	right map[[sha256.Size]byte]struct{}
}

// mac is the means to compute one, and room for what goes in and out.
type mac struct {
	hash.Hash
	in  []byte
	sum [sha256.Size]byte
}

func newMemory() *memory {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails
	m := &memory{right: map[[sha256.Size]byte]struct{}{}}
	m.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, key)} }
	return m
}

// of is the code of a hash with a password.
func (m *memory) of(crypted, password string) [sha256.Size]byte {
	c := m.macs.Get().(*mac)
	defer m.macs.Put(c)
	c.in = binary.BigEndian.AppendUint32(c.in[:0], uint32(len(crypted)))
	c.in = append(append(c.in, crypted...), password...)
	c.Reset()
	c.Write(c.in)
	c.Sum(c.sum[:0])
	clear(c.in)
	return c.sum
}

// knows reports whether password is remembered as right for a hash.
func (m *memory) knows(crypted, password string) bool {
	code := m.of(crypted, password)
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.right[code]
	return ok
}

// remember takes password to be right for a hash.
func (m *memory) remember(crypted, password string) {
	code := m.of(crypted, password)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.right) >= mostRight {
		clear(m.right)
	}
	m.right[code] = struct{}{}
}

func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.right)
}

// gate lets as many in at a time as its capacity. The order is that of arrival.
type gate chan struct{}

// enter waits for a turn; leave ends it.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }
