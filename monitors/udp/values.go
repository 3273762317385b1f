package udp

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// times is an option's value: how often something is done again.
type times int

// maxTimes is more than any network needs.
const maxTimes = 10

// String is the number.
func (n *times) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number from 0 to maxTimes.
func (n *times) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < 0 || v > maxTimes {
		return errors.New("want a number from 0 to 10")
	}
	*n = times(v)
	return nil
}

// hexBytes is an option's value: bytes in hexadecimal digits.
type hexBytes []byte

// String is the value as Set reads it.
func (b *hexBytes) String() string { return hex.EncodeToString(*b) }

// Set reads digits; blanks and colons may stand between them.
func (b *hexBytes) Set(text string) error {
	v, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(text))
	if err != nil || len(v) == 0 {
		return errors.New("want an even number of hexadecimal digits, such as 0a1b or \"0a 1b\"")
	}
	*b = v
	return nil
}
