package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/doctor/realserver"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// realserverCommand is the real servers' side of virtual services.
func realserverCommand(c *common) *cobra.Command {
	return holds(&cobra.Command{
		Use:   "realserver VERB",
		Short: "what real servers need: check it, make it so, undo it",
	}, c.textOnly(
		realserverCheckCommand(),
		realserverMakeCommand(realserver.Setup, "print a script that makes a real server ready, or run it here"),
		realserverMakeCommand(realserver.Undo, "print a script that takes away what setup made, or run it here"),
	)...)
}

func realserverCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "print a script for real servers whose output monctl doctor --real judges",
		Long: `Prints a script for sh that needs nothing of mond, changes nothing, and prints what there is to know of a real server:

    monctl realserver check | ssh root@rs1 sh | monctl doctor --real -`,
		Args: wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), realserver.Check())
			return err
		},
	}
}

// realserverOptions say what a real server is to be ready for.
type realserverOptions struct {
	config  string
	real    string
	vips    []string
	forward forwardFlag
	gateway string
	apply   bool
}

func realserverMakeCommand(verb realserver.Verb, short string) *cobra.Command {
	o := realserverOptions{forward: forwardFlag{Forward: ipvs.Direct}}
	cmd := &cobra.Command{
		Use:   string(verb) + " {VIRTUAL --config FILE | --vip ADDR}",
		Short: short,
		Long:  realserverLong(verb),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused(cmd, "want one VIRTUAL at most")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := o.wants(cmd, args)
			if err != nil {
				return err
			}
			script, err := realserver.Script(verb, list)
			if err != nil {
				return err
			}
			if o.apply {
				return runScript(cmd, script)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), script)
			return err
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "mond's configuration `FILE`, which declares VIRTUAL")
	cmd.Flags().StringArrayVar(&o.vips, "vip", nil, "virtual `ADDRESS`, or a range of them such as 10.0.0.3-9 or 10.0.0.0/28 (repeatable)")
	cmd.Flags().BoolVar(&o.apply, "apply", false, "run the script on this machine (as root) and print what it does")
	if verb == realserver.Undo {
		return cmd // the record says the rest
	}
	cmd.Flags().StringVar(&o.real, "real", "", "the real server's own `ADDRESS` or name; with VIRTUAL, only what that one needs")
	cmd.Flags().Var(&o.forward, "forward", "how packets come: dr, nat, tun, or tun:gue:PORT or tun:gre, or tun:gre:csum where GRE comes with checksums")
	cmd.Flags().StringVar(&o.gateway, "gateway", "", "for nat: the director's `ADDRESS` among the real servers")
	return cmd
}

func realserverLong(verb realserver.Verb) string {
	if verb == realserver.Undo {
		return `The script restores what was before monctl realserver setup, by the record that setup left on the real server in /run, and
touches nothing else. It needs sh and iproute2 and nothing of mond.`
	}
	return `The script needs sh and iproute2 and nothing of mond. For dr it sets arp_ignore and arp_announce and puts the virtual
address on lo; for tun it also brings up what takes packets out of the tunnel, loosens its rp_filter, and puts an IPv4 address there; for nat it lets the
default route lead to the director. It may be run any number of times; undo restores what was before, and touches nothing
that setup did not make. Nothing outlives a boot: the script says how to keep it. Either:

    monctl realserver setup web --config /etc/mon/mon.cf | ssh root@rs1 sh
    monctl realserver setup --vip 10.0.0.3 --forward tun --apply`
}

// forwardFlag is a forwarding method with its encapsulation.
type forwardFlag struct {
	ipvs.Forward
	tunnel ipvs.Encapsulation
}

// Type names the kind of value.
func (f *forwardFlag) Type() string { return "METHOD" }

// Set reads METHOD[:TYPE[:PORT]].
func (f *forwardFlag) Set(s string) error {
	words := strings.Split(s, ":")
	method, err := ipvs.ParseForward(words[0])
	if err != nil {
		return err
	}
	*f = forwardFlag{Forward: method}
	if len(words) > 1 && method != ipvs.Tunnel {
		return fmt.Errorf("%q: only tun has a type of encapsulation", s)
	}
	switch {
	case len(words) == 1, len(words) == 2 && words[1] == "ipip":
	case len(words) == 2 && words[1] == "gre":
		f.tunnel.Type = ipvs.GRE
	case len(words) == 3 && words[1] == "gre" && words[2] == "csum":
		f.tunnel = ipvs.Encapsulation{Type: ipvs.GRE, Checksum: ipvs.WithChecksum}
	case len(words) == 3 && words[1] == "gue":
		port, err := strconv.ParseUint(words[2], 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("%q: want a port from 1 to 65535", s)
		}
		f.tunnel = ipvs.Encapsulation{Type: ipvs.GUE, Port: uint16(port)}
	default:
		return fmt.Errorf("%q: want tun, tun:ipip, tun:gue:PORT, tun:gre or tun:gre:csum", s)
	}
	return nil
}

// wants are the addresses that the real server is to serve, and how.
func (o *realserverOptions) wants(cmd *cobra.Command, args []string) ([]realserver.Want, error) {
	var gateway netip.Addr
	if o.gateway != "" {
		a, err := netip.ParseAddr(o.gateway)
		if err != nil {
			return nil, misused(cmd, "--gateway: %q is no address", o.gateway)
		}
		gateway = a
	}
	switch {
	case len(args) == 1 && len(o.vips) > 0, len(args) == 0 && len(o.vips) == 0:
		return nil, misused(cmd, "say either VIRTUAL or --vip")
	case len(args) == 1 && o.config == "":
		return nil, misused(cmd, "VIRTUAL is declared in a configuration: say --config FILE")
	case len(args) == 1 && cmd.Flags().Changed("forward"):
		return nil, misused(cmd, "--forward: the configuration says how packets come to the reals of %s", args[0])
	case len(args) == 1:
		return o.ofVirtual(cmd, args[0], gateway)
	case o.config != "":
		return nil, misused(cmd, "--config: of --vip nothing is looked up")
	}
	return o.ofAddresses(cmd, gateway)
}

func (o *realserverOptions) ofAddresses(cmd *cobra.Command, gateway netip.Addr) ([]realserver.Want, error) {
	var own netip.Addr
	if o.real != "" {
		a, err := netip.ParseAddr(o.real)
		if err != nil {
			return nil, misused(cmd, "--real: %q is no address", o.real)
		}
		own = a
	}
	var out []realserver.Want
	for _, text := range o.vips {
		vips, err := words.Addresses(text)
		if err != nil {
			return nil, misused(cmd, "--vip %s: %v", text, err)
		}
		for _, vip := range vips {
			w := realserver.Want{VIP: vip, Forward: o.forward.Forward, Tunnel: o.forward.tunnel, Real: own, Gateway: gateway}
			if err := w.Validate(); err != nil {
				return nil, misused(cmd, "%v", err)
			}
			out = append(out, w)
		}
	}
	return out, nil
}

// ofVirtual takes the addresses of a virtual service of the configuration.
func (o *realserverOptions) ofVirtual(cmd *cobra.Command, name string, gateway netip.Addr) ([]realserver.Want, error) {
	s, err := siteIn(cmd, o.config)
	if err != nil {
		return nil, err
	}
	var out []realserver.Want
	var names []string
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		names = append(names, wordFor(v))
		if v.Mark != 0 && name == v.Virtual.String() {
			return nil, fmt.Errorf("%s is a firewall mark: say the addresses that it stands for (--vip)", name)
		}
		if v.Mark != 0 || name != v.Name && name != v.Virtual.String() && name != v.Addr.String() {
			continue
		}
		for _, real := range v.Reals {
			if o.real != "" && o.real != real.Name && o.real != real.Addr.Addr().String() {
				continue
			}
			w := realserver.Want{Forward: real.Forward, Tunnel: real.Tunnel, Real: real.Addr.Addr()}
			if real.Forward == ipvs.NAT {
				w.Gateway = gateway
			}
			for w.VIP = range v.Addrs() {
				out = append(out, w)
			}
		}
	}
	if len(out) == 0 {
		return nil, o.noneOf(name, names)
	}
	return out, nil
}

func wordFor(v *doctor.Virtual) string {
	if v.Name != "" {
		return v.Name
	}
	return v.Addr.String()
}

func (o *realserverOptions) noneOf(name string, names []string) error {
	switch {
	case len(names) == 0:
		return fmt.Errorf("%s names no virtual service", o.config)
	case o.real != "":
		return fmt.Errorf("no virtual service %q of %s has a real server %q", name, o.config, o.real)
	}
	return fmt.Errorf("%s has no virtual service %q: it has %s", o.config, name, strings.Join(names, ", "))
}

// runScript runs a script on this machine.
func runScript(cmd *cobra.Command, script string) error {
	sh := exec.CommandContext(cmd.Context(), "sh", "-s")
	sh.Stdin, sh.Stdout, sh.Stderr = strings.NewReader(script), cmd.OutOrStdout(), cmd.ErrOrStderr()
	err := sh.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return errSaid // it has said why
	}
	return err
}
