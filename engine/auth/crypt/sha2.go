package crypt

import (
	hash256 "crypto/sha256"
	hash512 "crypto/sha512"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// Drepper, Unix crypt using SHA-256 and SHA-512, 0.6 (2016), in the public
// domain. go-crypt has it too, and panics at passwords that are as long as a
// sum (v1.0.1).

// shaRounds is how many rounds there are without rounds=, leastRounds how many
// crypt(3) makes at least.
const (
	shaRounds   = 5000
	leastRounds = 1000
)

// sha is one of the two.
type sha struct {
	name string
	make func() hash.Hash
	// digits is how many a sum has.
	digits int
	// order is the order in which the bytes of a sum are written, three to a
	// group of four digits, the last first; -1 is a byte of zero.
	order []int
}

func sha256() sha {
	return sha{"SHA-256 ($5$)", hash256.New, 43, append(turned(10, [3]int{0, 10, 20}, 2), -1, 31, 30)}
}

func sha512() sha {
	return sha{"SHA-512 ($6$)", hash512.New, 86, append(turned(21, [3]int{0, 21, 42}, 1), -1, -1, 63)}
}

// turned are n groups of three bytes: each the one before, turned by one place
// or two, and one further.
func turned(n int, group [3]int, by int) []int {
	var all []int
	for range n {
		all = append(all, group[:]...)
		group = [3]int{group[by%3] + 1, group[(by+1)%3] + 1, group[(by+2)%3] + 1}
	}
	return all
}

// sha2 is what follows $5$ or $6$: salt$sum, or rounds=N$salt$sum.
func (l limits) sha2(rest string, s sha) (parsed, error) {
	rounds := shaRounds
	if given, ok := strings.CutPrefix(rest, "rounds="); ok {
		number, after, _ := strings.Cut(given, "$")
		n, err := strconv.Atoi(number)
		if err != nil || strconv.Itoa(n) != number {
			return parsed{}, garbled(s.name)
		}
		if n < leastRounds || n > l.rounds {
			return parsed{}, fmt.Errorf("%s hash with %d rounds: from %d to %d are computed", s.name, n, leastRounds, l.rounds)
		}
		rounds, rest = n, after
	}
	salt, sum, ok := strings.Cut(rest, "$")
	if !ok || len(salt) > 16 || !digits(sum, s.digits) {
		return parsed{}, garbled(s.name)
	}
	return parsed{sum, func(password []byte) (string, error) {
		return s.written(s.sum(password, []byte(salt), rounds)), nil
	}}, nil
}

// sum computes. The names of the parts are those of the specification.
func (s sha) sum(password, salt []byte, rounds int) []byte {
	h := s.make()
	a := s.first(h, password, salt)
	h.Reset()
	for range password {
		h.Write(password)
	}
	p := repeated(h.Sum(nil), len(password))
	h.Reset()
	for range 16 + int(a[0]) {
		h.Write(salt)
	}
	ds := repeated(h.Sum(nil), len(salt))
	for i := range rounds {
		h.Reset()
		if i%2 == 1 {
			h.Write(p)
		} else {
			h.Write(a)
		}
		if i%3 != 0 {
			h.Write(ds)
		}
		if i%7 != 0 {
			h.Write(p)
		}
		if i%2 == 1 {
			h.Write(a)
		} else {
			h.Write(p)
		}
		a = h.Sum(a[:0])
	}
	return a
}

// first is sum A, made with the help of sum B.
func (s sha) first(h hash.Hash, password, salt []byte) []byte {
	h.Write(password)
	h.Write(salt)
	h.Write(password)
	b := h.Sum(nil)
	h.Reset()
	h.Write(password)
	h.Write(salt)
	h.Write(repeated(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write(b)
		} else {
			h.Write(password)
		}
	}
	return h.Sum(nil)
}

// repeated is n bytes of sum after sum.
func repeated(sum []byte, n int) []byte {
	all := make([]byte, n)
	for rest := all; len(rest) > 0; {
		rest = rest[copy(rest, sum):]
	}
	return all
}

// written is a sum in digits.
func (s sha) written(sum []byte) string {
	at := func(i int) uint {
		if i < 0 {
			return 0
		}
		return uint(sum[i])
	}
	text := make([]byte, 0, s.digits+3)
	for i := 0; i < len(s.order); i += 3 {
		group := at(s.order[i])<<16 | at(s.order[i+1])<<8 | at(s.order[i+2])
		for range 4 {
			text = append(text, alphabet[group&63])
			group >>= 6
		}
	}
	return string(text[:s.digits])
}
