package filemon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mondhq/mond/plugins/monitor"
)

// path is an option's value: the path of a file, which may hold the mark.
type path string

// String is the path.
func (p *path) String() string { return string(*p) }

// Set reads a path.
func (p *path) Set(text string) error {
	if !strings.HasPrefix(text, "/") || strings.ContainsRune(text, 0) {
		return errors.New("want an absolute path, such as /run/weights/{host}")
	}
	*p = path(text)
	return nil
}

// of is the path of a host's file. A host is a name there, and leads nowhere
// else.
func (p *path) of(host string) (string, error) {
	if !strings.Contains(string(*p), mark) {
		return string(*p), nil
	}
	if host == "" || host == "." || host == ".." || strings.ContainsAny(host, "/\x00") {
		return "", monitor.Fault(fmt.Errorf("option --file: %q cannot be a part of a path", host))
	}
	return strings.ReplaceAll(string(*p), mark, host), nil
}

// factor is an option's value: a number other than 0, 0 as long as none was
// chosen.
type factor float64

// String is the number, empty without one.
func (f *factor) String() string {
	if *f == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*f), 'f', -1, 64)
}

// Set reads a number.
func (f *factor) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v == 0 || !(v >= -maxWeight && v <= maxWeight) {
		return fmt.Errorf("want a number from -%d to %d other than 0, such as 1 or -2", maxWeight, maxWeight)
	}
	*f = factor(v)
	return nil
}

// missing is an option's value: what it means that a file is not there.
type missing string

// What it may mean.
const (
	fails missing = "fail"
	zero  missing = "zero"
	blind missing = "blind"
)

// String is the word.
func (m *missing) String() string { return string(*m) }

// Set reads a word.
func (m *missing) Set(text string) error {
	switch v := missing(text); v {
	case fails, zero, blind:
		*m = v
		return nil
	}
	return errors.New("want fail, zero or blind")
}

// verdict is what it means that a file is not there; nil if 0 is to be taken for
// what it holds.
func (m missing) verdict(name string) error {
	err := fmt.Errorf("there is no file %s", name)
	switch m {
	case zero:
		return nil
	case blind:
		return monitor.Fault(err)
	case fails:
	}
	return err
}
