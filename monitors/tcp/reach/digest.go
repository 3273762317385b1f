package reach

import (
	"cmp"
	"crypto/md5" //nolint:gosec // what lists of files hold
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Digest is an option's value: the digest that data must have, or only its
// kind. The zero value asks for none.
type Digest struct {
	kind string
	hash func() hash.Hash
	want string // with its kind; empty: any
}

// String is the digest as Set reads it.
func (d *Digest) String() string { return cmp.Or(d.want, d.kind) }

// Set reads a digest such as sha256:00ff..., or only its kind. md5 is for those
// who bring their digests along from elsewhere.
func (d *Digest) Set(text string) error {
	kind, figures, given := strings.Cut(strings.ToLower(text), ":")
	chosen := Digest{kind: kind}
	switch kind {
	case "sha256":
		chosen.hash = sha256.New
	case "md5":
		chosen.hash = md5.New
	default:
		return errors.New("want sha256:HEX or md5:HEX, or sha256 to have the digest shown")
	}
	if given {
		if b, err := hex.DecodeString(figures); err != nil || len(b) != chosen.hash().Size() {
			return fmt.Errorf("want %d hexadecimal figures after %s:", 2*chosen.hash().Size(), kind)
		}
		chosen.want = kind + ":" + figures
	}
	*d = chosen
	return nil
}

// Given reports whether a digest is asked for.
func (d *Digest) Given() bool { return d.hash != nil }

// New is the hash to write the data to. It is for a Digest that is given.
func (d *Digest) New() hash.Hash { return d.hash() }

// Judge is the digest of what was written to h, as the option is written, and
// an error if it is not the one that is wanted.
func (d *Digest) Judge(h hash.Hash) (got string, err error) {
	got = d.kind + ":" + hex.EncodeToString(h.Sum(nil))
	if d.want != "" && got != d.want {
		return got, fmt.Errorf("the digest is %s, want %s", got, d.want)
	}
	return got, nil
}
