// Package way is what the monitors that ping share: which of a host's addresses
// is meant, where it is asked from, and the values of their options.
//
// It sends nothing; monitors/fping/echo and monitors/ping do.
package way

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"time"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

// Way says how to find hosts. Names is to be set before it is used.
type Way struct {
	Names  *resolve.Resolver
	V4, V6 bool
	// Origin is where pings come from.
	origin.Origin
	// To is where they go instead of to the host, if it is given.
	To reach.To
}

// Declare declares -4, -6, --to and the options of [origin.Origin].
func (w *Way) Declare(fs *flag.FlagSet) {
	fs.BoolVar(&w.V4, "4", false, "use the host's IPv4 address")
	fs.BoolVar(&w.V6, "6", false, "use the host's IPv6 address (default: IPv4 if it has one)")
	w.Origin.Declare(fs)
	fs.Var(&w.To, "to", "`address` to ask instead of the host, which is still who is reported")
}

// Validate judges the options together.
func (w *Way) Validate() error {
	switch {
	case w.V4 && w.V6:
		return errors.New("options -4 and -6: only one of them can be given")
	case w.Source.IsValid() && !w.asked().Has(w.Source.Addr):
		return fmt.Errorf("option --source: %s is no %s address", w.Source.Addr, w.asked())
	case w.Source.Toward.IsValid():
		return errors.New("option --source: to: is for monitors that connect; name the address itself")
	case w.To.Given() && w.To.Port() != 0:
		return errors.New("option --to: a ping has no port. To look at a host through a director is the matter of tcp.monitor and others: a ping to a virtual address is answered by the director itself")
	case w.To.Given() && !w.family().Has(w.To.Addr()):
		return fmt.Errorf("option --to: %s is no %s address, as -4, -6 or --source want it", w.To.Addr(), w.family())
	}
	return nil
}

// asked is the family that -4 or -6 asks for.
func (w *Way) asked() resolve.Family {
	switch {
	case w.V4:
		return resolve.IPv4
	case w.V6:
		return resolve.IPv6
	}
	return resolve.Any
}

// family is the family of addresses to use; a source address decides it too.
func (w *Way) family() resolve.Family {
	f := w.asked()
	if f != resolve.Any || !w.Source.IsValid() {
		return f
	}
	if w.Source.Is4() {
		return resolve.IPv4
	}
	return resolve.IPv6
}

// Addr is the address of host that is to be asked.
func (w *Way) Addr(ctx context.Context, host string) (netip.Addr, error) {
	if w.To.Given() {
		return w.To.Addr(), nil
	}
	return w.Names.Addr(ctx, host, w.family())
}

// Figures reports whether host is an address rather than a name.
func Figures(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Kept is a remark about the address of host if it is only kept from earlier,
// because the resolver does not give one any more; else it is empty.
func (w *Way) Kept(host string) string {
	if Figures(host) || w.To.Given() {
		return ""
	}
	err := w.Names.LastError(host)
	age, ok := w.Names.Age(host)
	if err == nil || !ok {
		return ""
	}
	return fmt.Sprintf("; its address is %s old, for the resolver says: %v", monitor.Span(age.Round(time.Second)), err)
}
