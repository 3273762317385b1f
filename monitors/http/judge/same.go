package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest tells the compared parts of two answers apart.
type Digest [sha256.Size]byte

// String is the beginning of the digest, enough for people.
func (d Digest) String() string { return hex.EncodeToString(d[:6]) }

// compares takes the digest of what is compared with other hosts.
func (j *judging) compares() (string, error) {
	if !j.o.same {
		return "", nil
	}
	if err := j.whole("--same-as-others"); err != nil {
		return "", err
	}
	if j.o.part.Regexp != nil {
		return "", j.captured()
	}
	var chosen []any
	for i, q := range j.o.json {
		if !q.exact {
			chosen = append(chosen, j.nodes[i])
		}
	}
	if chosen != nil {
		j.part = sha256.Sum256(encode(chosen))
	} else {
		j.part = sha256.Sum256(j.a.Body)
	}
	return "", nil
}

// captured takes the digest of what --same-part captures: its groups, or the
// whole match if it has none.
func (j *judging) captured() error {
	re := j.o.part.Regexp
	found := re.FindSubmatch(j.a.Body)
	if found == nil {
		return fmt.Errorf("the body has nothing to compare: it does not match %q", re.String())
	}
	if len(found) > 1 {
		found = found[1:]
	}
	h := sha256.New()
	for _, group := range found {
		fmt.Fprintf(h, "%d:%s", len(group), group)
	}
	h.Sum(j.part[:0])
	return nil
}
