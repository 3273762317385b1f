package crypt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/openwall/yescrypt-go"
	library "golang.org/x/crypto/bcrypt"
)

// bcryptAlphabet is that of bcrypt's own base 64.
const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// bcrypt is $2b$cost$ with 22 digits of salt and 31 of sum. It looks at 72 bytes
// of a password. $2x$, of the years with the sign bug, is not computed; nor is
// what libxcrypt does to $2a$ hashes of the few passwords that bug made equal.
func (l limits) bcrypt(hash string) (parsed, error) {
	if len(hash) != 60 || hash[6] != '$' || strings.Trim(hash[7:], bcryptAlphabet) != "" {
		return parsed{}, garbled("bcrypt ($2b$)")
	}
	cost, err := strconv.ParseUint(hash[4:6], 10, 8)
	if err != nil {
		return parsed{}, garbled("bcrypt ($2b$)")
	}
	if int(cost) < library.MinCost || int(cost) > l.cost {
		return parsed{}, fmt.Errorf("bcrypt hash of cost %d: from %d to %d are computed", cost, library.MinCost, l.cost)
	}
	return parsed{"", func(password []byte) (string, error) {
		// it compares by itself, in constant time
		err := library.CompareHashAndPassword([]byte(hash), password)
		if errors.Is(err, library.ErrMismatchedHashAndPassword) {
			return "", ErrMismatch
		}
		return "", err
	}}, nil
}

// yescrypt is $y$parameters$salt$sum. The parameters that the library knows are
// those that libxcrypt makes: a digit for the flags, which is j, one for the
// logarithm of N and one for r.
func (l limits) yescrypt(hash string) (parsed, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 || !digits(parts[4], 43) || parts[3] == "" || strings.Trim(parts[2]+parts[3], alphabet) != "" {
		return parsed{}, garbled("yescrypt ($y$)")
	}
	params := parts[2]
	unusual := errors.New("yescrypt hash with parameters that mkpasswd does not make: make a new one with mkpasswd -m yescrypt")
	if len(params) != 3 || params[0] != 'j' {
		return parsed{}, unusual
	}
	logN, r := strings.IndexByte(alphabet, params[1])+1, strings.IndexByte(alphabet, params[2])+1
	switch {
	case logN < 10 || logN > 18 || r > 32: // libxcrypt's cost factors are from 10, 8 to 18, 32
		return parsed{}, unusual
	case r<<(7+logN) > l.memory:
		return parsed{}, fmt.Errorf("yescrypt hash that takes more than %d MiB to compute: make one with a lower cost factor", l.memory>>20)
	}
	return parsed{hash, func(password []byte) (string, error) {
		sum, err := yescrypt.Hash(password, []byte(hash))
		return string(sum), err
	}}, nil
}
