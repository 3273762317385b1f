package dnsmon

import (
	"errors"
	"strconv"
)

// tries is an option's value: how often a question is sent, 1 to 10.
type tries int

// String is the number.
func (n *tries) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number.
func (n *tries) Set(text string) error { return figure(n, text, 1, 10) }

// least is an option's value: how many records are wanted.
type least int

// String is the number.
func (n *least) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number. No message holds more than 5,461 records.
func (n *least) Set(text string) error { return figure(n, text, 0, 5461) }

// size is an option's value: the size of a UDP answer in bytes, 0 for no EDNS.
type size int

// String is the number.
func (n *size) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number.
func (n *size) Set(text string) error { return figure(n, text, 512, 65535) }

// seconds is an option's value: a time to live.
type seconds int

// String is the number.
func (n *seconds) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number; a time to live has 31 bits (RFC 2181, section 8).
func (n *seconds) Set(text string) error { return figure(n, text, 0, 1<<31-1) }

// serials is an option's value: a difference of serials.
type serials int

// String is the number.
func (n *serials) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number; a greater difference has no sign (RFC 1982).
func (n *serials) Set(text string) error { return figure(n, text, 0, 1<<31-1) }

// figure reads a number within bounds.
func figure[T ~int](n *T, text string, least, most int) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		return errors.New("want a number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	*n = T(v)
	return nil
}
