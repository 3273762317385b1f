package ftp

import (
	"cmp"
	"crypto/md5" //nolint:gosec // what lists of files hold
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"strconv"
	"strings"
)

// path is an option's value: the name of a file or directory on the server.
type path string

// String is the path.
func (p *path) String() string { return string(*p) }

// Set reads a path that fits into a command.
func (p *path) Set(text string) error {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("want a path without control characters")
	}
	*p = path(text)
	return nil
}

// digest is an option's value: the digest that a file must have, or only its
// kind.
type digest struct {
	kind string
	hash func() hash.Hash // nil: none is asked for
	want string           // with its kind; empty: any
}

// String is the digest as Set reads it.
func (d *digest) String() string { return cmp.Or(d.want, d.kind) }

// Set reads a digest such as sha256:00ff..., or only its kind.
func (d *digest) Set(text string) error {
	kind, digits, given := strings.Cut(strings.ToLower(text), ":")
	hash := map[string]func() hash.Hash{"sha256": sha256.New, "md5": md5.New}[kind]
	if hash == nil {
		return errors.New("want sha256:HEX or md5:HEX, or sha256 to have the digest shown")
	}
	*d = digest{kind: kind, hash: hash}
	if !given {
		return nil
	}
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 2*hash().Size() {
		return fmt.Errorf("want %d hexadecimal digits after %s:", 2*hash().Size(), kind)
	}
	d.want = kind + ":" + digits
	return nil
}

// extendedPort is the port in a reply to EPSV, such as "Entering Extended
// Passive Mode (|||6446|)" (RFC 2428 3).
func extendedPort(text string) (uint16, error) {
	bad := errors.New("want a port, written (|||6446|)")
	_, text, _ = strings.Cut(text, "(")
	if len(text) < 5 || text[0] < '!' || text[0] > '~' || '0' <= text[0] && text[0] <= '9' {
		return 0, bad
	}
	d := text[:1]
	text, ok := strings.CutPrefix(text, d+d+d)
	figures, _, ended := strings.Cut(text, d)
	n, err := strconv.ParseUint(figures, 10, 16)
	if !ok || !ended || err != nil || n == 0 {
		return 0, bad
	}
	return uint16(n), nil
}

// passiveAddress is the address in a reply to PASV: the first six figures with
// commas between them, wherever they stand, for servers differ (RFC 1123
// 4.1.2.6).
func passiveAddress(text string) (netip.AddrPort, error) {
	bad := errors.New("want an address and a port, written h1,h2,h3,h4,p1,p2")
	words := strings.FieldsFunc(text, func(r rune) bool { return r != ',' && (r < '0' || r > '9') })
	for _, w := range words {
		figures := strings.Split(strings.Trim(w, ","), ",")
		if len(figures) != 6 {
			continue
		}
		var b [6]byte
		for i, f := range figures {
			n, err := strconv.ParseUint(f, 10, 8)
			if err != nil {
				return netip.AddrPort{}, bad
			}
			b[i] = byte(n)
		}
		if port := uint16(b[4])<<8 | uint16(b[5]); port != 0 {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), port), nil
		}
		return netip.AddrPort{}, bad
	}
	return netip.AddrPort{}, bad
}
