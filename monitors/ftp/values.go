package ftp

import (
	"errors"
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
