package crypt

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/sergeymakinen/go-crypt/des/descrypt"
	encode "github.com/sergeymakinen/go-crypt/hash"
	"github.com/sergeymakinen/go-crypt/md5/md5crypt"
)

// The schemes of old. The library's packages that read hashes register
// themselves, and refuse passwords that crypt(3) cuts: only what computes is
// taken from it.

// desRounds is how often traditional DES is applied.
const desRounds = 25

// des is the traditional scheme: two digits of salt, eleven of sum. It looks at
// eight bytes of a password, and at seven bits of each.
func des(hash string) (parsed, error) {
	if !digits(hash, 13) {
		return parsed{}, garbled("crypt(3)")
	}
	salt := descrypt.DecodeInt([]byte(hash[:2]))
	return parsed{hash[2:], func(password []byte) (string, error) {
		key := descrypt.Key(password)
		return desSum(descrypt.Encrypt(key, 0, salt, desRounds)), nil
	}}, nil
}

// bsdi is DES with a count of rounds and a larger salt, four digits each, for
// passwords of any length.
func (l limits) bsdi(hash string) (parsed, error) {
	if !digits(hash[1:], 19) {
		return parsed{}, garbled("BSDi DES")
	}
	rounds, salt := descrypt.DecodeInt([]byte(hash[1:5])), descrypt.DecodeInt([]byte(hash[5:9]))
	if rounds == 0 || int(rounds) > l.rounds {
		return parsed{}, fmt.Errorf("BSDi DES hash with %d rounds: at most %d are computed", rounds, l.rounds)
	}
	return parsed{hash[9:], func(password []byte) (string, error) {
		return desSum(descrypt.Encrypt(bsdiKey(password), 0, salt, rounds)), nil
	}}, nil
}

// bsdiKey folds a password into a key, eight bytes at a time.
func bsdiKey(password []byte) uint64 {
	key := descrypt.Key(password)
	for len(password) > 8 {
		password = password[8:]
		key = descrypt.Encrypt(key, key, 0, 1) ^ descrypt.Key(password)
	}
	return key
}

func desSum(sum uint64) string {
	return encode.BigEndianEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}

// md5 is $1$salt$sum.
func md5(rest string) (parsed, error) {
	salt, sum, ok := strings.Cut(rest, "$")
	if !ok || len(salt) > 8 || !digits(sum, 22) {
		return parsed{}, garbled("MD5 ($1$)")
	}
	return parsed{sum, func(password []byte) (string, error) {
		return encode.LittleEndianEncoding.EncodeToString(md5crypt.Encrypt(password, []byte(salt), []byte("$1$"))), nil
	}}, nil
}
