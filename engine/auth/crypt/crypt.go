// Package crypt says whether a password is the one of a crypt(3) hash, as they
// stand in /etc/shadow, in mon's userfile and in the trap section of its
// auth.cf. It knows DES, BSDi's DES (_), MD5 ($1$), bcrypt ($2a$, $2b$, $2y$),
// SHA-256 ($5$), SHA-512 ($6$) and yescrypt ($y$).
//
// It makes no hashes: openssl passwd -6 and mkpasswd do. No error of it
// contains a hash or a password.
package crypt

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrMismatch is that of a wrong password.
	ErrMismatch = errors.New("wrong password")
	// ErrLocked is that of a hash which no password has, on purpose: none, or
	// one that begins with ! or *.
	ErrLocked = errors.New("locked: no password is right")
)

// LongestPassword is how many bytes a password may have: as many as crypt(3) of
// libxcrypt takes.
const LongestPassword = 511

// limits are what a hash may ask for. Whoever writes it may be trusted; a slip
// of the finger must still not stop the daemon for an hour or take its memory.
type limits struct {
	// rounds are those of SHA-256, SHA-512 and BSDi's DES.
	rounds int
	// cost is bcrypt's: the binary logarithm of its rounds.
	cost int
	// memory is yescrypt's, in bytes.
	memory int
}

// usual are the limits, each some seconds of work at most: passlib's habit of
// 656,000 rounds of SHA-512 is within, and yescrypt's cost factor 8 of 11 (5 is
// usual).
func usual() limits { return limits{rounds: 1 << 20, cost: 15, memory: 128 << 20} }

// parsed is a hash taken apart.
type parsed struct {
	// sum is what must come out of compute.
	sum     string
	compute func(password []byte) (string, error)
}

// Verify is nil if hash is one of password, [ErrMismatch] if it is not; other
// errors say why nobody can tell.
func Verify(hash, password string) error { return usual().verify(hash, password) }

// Check is nil if there is a password that [Verify] accepts for hash, as far as
// can be seen. It costs nothing.
func Check(hash string) error {
	_, err := usual().parse(hash)
	return err
}

func (l limits) verify(hash, password string) error {
	p, err := l.parse(hash)
	if err != nil {
		return err
	}
	if len(password) > LongestPassword || strings.IndexByte(password, 0) >= 0 {
		return ErrMismatch // crypt(3) has no hash of it
	}
	sum, err := p.compute([]byte(password))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(sum), []byte(p.sum)) != 1 {
		return ErrMismatch
	}
	return nil
}

// parse finds the scheme of a hash.
func (l limits) parse(hash string) (parsed, error) {
	switch {
	case hash == "" || hash[0] == '!' || hash[0] == '*':
		return parsed{}, ErrLocked
	case hash[0] == '_':
		return l.bsdi(hash)
	case hash[0] != '$':
		return des(hash)
	}
	id, rest, _ := strings.Cut(hash[1:], "$")
	switch id {
	case "1":
		return md5(rest)
	case "2a", "2b", "2y":
		return l.bcrypt(hash)
	case "5":
		return l.sha2(rest, sha256())
	case "6":
		return l.sha2(rest, sha512())
	case "y":
		return l.yescrypt(hash)
	}
	return parsed{}, fmt.Errorf("unknown scheme %s of a crypt(3) hash: make a new one with openssl passwd -6", scheme(id))
}

// scheme is the $id$ of a hash for an error. One that is no id at all may be
// part of a password in the clear, and is not shown.
func scheme(id string) string {
	if len(id) > 12 || id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "$...$"
	}
	return "$" + id + "$"
}

// alphabet is that of crypt(3)'s base 64, in the order of its digits.
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// digits reports whether s are n digits of crypt(3).
func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, alphabet) == ""
}

// garbled is the error of a hash that is none.
func garbled(what string) error {
	return fmt.Errorf("not a %s hash: it is damaged, or a password in the clear; make one with openssl passwd -6", what)
}
