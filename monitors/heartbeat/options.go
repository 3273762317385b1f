package heartbeat

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// node is an option's value: the number of a director, 0 for none.
type node wire.Node

func (n *node) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// Set reads a number.
func (n *node) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 8)
	if err != nil || v == 0 {
		return fmt.Errorf("want a number from 1 to 255, another one on each director")
	}
	*n = node(v)
	return nil
}

// span is an option's value: a time within limits. One whose value is 0 to begin
// with may be set to 0.
type span struct{ value, least, most time.Duration }

func (s *span) String() string {
	if s.value == 0 {
		return ""
	}
	return s.value.String()
}

// Set reads a time.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, seconds := strconv.ParseFloat(text, 64); err != nil && seconds == nil && n >= 0 && n < 1e6 {
		d, err = time.Duration(n*float64(time.Second)), nil
	}
	if err != nil || (d < s.least || d > s.most) && (d != 0 || s.value != 0) {
		return fmt.Errorf("want a time from %v to %v, such as 100ms or 3s", s.least, s.most)
	}
	s.value = d
	return nil
}

// count is an option's value: a number within limits.
type count struct{ value, least, most int }

func (c *count) String() string { return strconv.Itoa(c.value) }

// Set reads a number.
func (c *count) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < c.least || n > c.most {
		return fmt.Errorf("want a number from %d to %d", c.least, c.most)
	}
	c.value = n
	return nil
}

// links is an option's value: ways to the peer.
type links []link.Spec

func (l *links) String() string {
	var words []string
	for _, s := range *l {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

// Set adds one.
func (l *links) Set(text string) error {
	s, err := link.Parse(text)
	if err != nil {
		return err
	}
	for _, other := range *l {
		if other.Name == s.Name {
			return fmt.Errorf("a second link %s", s.Name)
		}
	}
	if len(*l) == wire.MaxLinks {
		return fmt.Errorf("more than %d links", wire.MaxLinks)
	}
	*l = append(*l, s)
	return nil
}

// thirds is an option's value: ways to a witness, or from one to directors. Their
// names are the numbers of the nodes.
type thirds []link.Spec

func (t *thirds) String() string { return (*links)(t).String() }

// Set adds one.
func (t *thirds) Set(text string) error {
	s, err := link.ParseWitness(text)
	if err != nil {
		return err
	}
	if len(*t) == wire.MaxLinks {
		return fmt.Errorf("more than %d ways", wire.MaxLinks)
	}
	*t = append(*t, s)
	return nil
}

// nodes are the nodes at the other ends, each once.
func (t thirds) nodes() (all []wire.Node) {
	for _, s := range t {
		n, _ := strconv.Atoi(s.Name) // it was parsed
		if !slices.Contains(all, wire.Node(n)) {
			all = append(all, wire.Node(n))
		}
	}
	return all
}

// addresses is an option's value: stations.
type addresses []netip.Addr

func (a *addresses) String() string {
	var words []string
	for _, ip := range *a {
		words = append(words, ip.String())
	}
	return strings.Join(words, " ")
}

// Set adds one.
func (a *addresses) Set(text string) error {
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
		return fmt.Errorf("want the IP address of a station")
	}
	*a = append(*a, ip.Unmap())
	return nil
}
