package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MinSecret is the least length of a secret in bytes. A secret is meant to be
// random (head -c 24 /dev/urandom | base64), since HKDF does not slow down who
// tries words.
const MinSecret = 16

// MaxKeys is how many keys a set may have.
const MaxKeys = 16

// Keys are the shared secrets: all are accepted, one is sent with. They are
// never changed; a new set is put in place by Rotate.
type Keys struct {
	active  uint8
	secrets map[uint8][]byte
}

// NewKeys makes a set of secrets that sends with active.
func NewKeys(active uint8, secrets map[uint8][]byte) (*Keys, error) {
	if len(secrets) == 0 {
		return nil, errors.New("there is no key")
	}
	if len(secrets) > MaxKeys {
		return nil, fmt.Errorf("%d keys are more than the %d that are allowed", len(secrets), MaxKeys)
	}
	if _, ok := secrets[active]; !ok {
		return nil, fmt.Errorf("key %d is to be sent with, but is not there", active)
	}
	k := &Keys{active: active, secrets: make(map[uint8][]byte, len(secrets))}
	for id, s := range secrets {
		if len(s) < MinSecret {
			return nil, fmt.Errorf("the secret of key %d has %d bytes, it needs %d or more", id, len(s), MinSecret)
		}
		k.secrets[id] = append([]byte(nil), s...)
	}
	return k, nil
}

// ParseKeys reads a key file: empty lines and lines that begin with # are
// skipped; `auth N` says which key is sent with, `N SECRET` is a key, N from 0
// to 255, the secret anything without spaces. The methods of heartbeat's
// authkeys (`1 sha1 SECRET`) are refused by name: a beat is never sealed so.
func ParseKeys(text string) (*Keys, error) {
	active, secrets := -1, map[uint8][]byte{}
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if err := keyLine(f, &active, secrets); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if active < 0 {
		return nil, errors.New("no line `auth N` says which key is sent with")
	}
	return NewKeys(uint8(active), secrets)
}

func keyLine(f []string, active *int, secrets map[uint8][]byte) error {
	word, method := f[0], len(f) == 3 || len(f) == 2 && f[1] == "crc"
	if len(f) > 1 && method && (f[1] == "sha1" || f[1] == "md5" || f[1] == "crc") {
		return fmt.Errorf("%s is a method of heartbeat's authkeys, which is too weak here: write `%s SECRET`", f[1], word)
	}
	if len(f) != 2 {
		return errors.New("want `auth N` or `N SECRET`")
	}
	if word == "auth" {
		word = f[1]
	}
	id, err := strconv.ParseUint(word, 10, 8)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no number of a key: it goes from 0 to 255", word)
	case f[0] == "auth" && *active >= 0:
		return errors.New("a second line `auth`")
	case f[0] == "auth":
		*active = int(id)
	case secrets[uint8(id)] != nil:
		return fmt.Errorf("a second key %d", id)
	default:
		secrets[uint8(id)] = []byte(f[1])
	}
	return nil
}

// Active is the key that is sent with.
func (k *Keys) Active() uint8 { return k.active }

// String names the keys, and never a secret.
func (k *Keys) String() string {
	return fmt.Sprintf("%d keys, sending with %d", len(k.secrets), k.active)
}

// GoString is String, so that %#v shows no secret either.
func (k *Keys) GoString() string { return k.String() }
