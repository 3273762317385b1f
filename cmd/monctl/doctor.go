package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/doctor/examine"
	"github.com/mondhq/mond/alerts/lvs/doctor/probe"
	"github.com/mondhq/mond/alerts/lvs/doctor/realserver"
)

// doctorCommand examines this director, and real servers by what they say of
// themselves.
func doctorCommand(c *common) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "examine this director: exit status 0 if nothing is worse than advice, 1 if something is",
		Long: `Examines what IPVS needs of this machine: kernel modules, forwarding, ARP and reverse path filtering, addresses,
routes to real servers, the MTU of tunnels, connection settings, other programs that keep the table. Every finding says what to
do, with a command to copy. What is judged is what --config says the director is for, else the kernel's own table.
Nothing is changed, mond need not run, and what only root may read is named and passed over.
Real servers are judged by what their script prints:

    monctl realserver check | ssh root@rs1 sh | monctl doctor --real -`,
		Args: wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := o.examine(cmd)
			if err != nil {
				return err
			}
			if c.json {
				err = printJSON(cmd.OutOrStdout(), list)
			} else {
				err = printPlain(cmd.OutOrStdout(), findingsText(list, o.all))
			}
			if err == nil && doctor.Worst(list) > doctor.Advice {
				return errSaid
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "mond's configuration `FILE` (default: judge the kernel's table)")
	cmd.Flags().StringVar(&o.netns, "netns", "", "examine the network namespace of this `NAME`")
	cmd.Flags().BoolVar(&o.probe, "probe", false, "ask the network, too: who answers ARP for the virtual addresses, what packets reach real servers by tun")
	cmd.Flags().StringArrayVar(&o.reals, "real", nil, "judge a real server by the output of its script in `FILE`, - for standard input (repeatable)")
	cmd.Flags().BoolVarP(&o.all, "all", "a", false, "also show what is well")
	return cmd
}

// doctorOptions are what is to be examined.
type doctorOptions struct {
	config, netns string
	probe, all    bool
	reals         []string
}

// examine reads and judges: each network namespace that the configuration
// names by itself.
func (o *doctorOptions) examine(cmd *cobra.Command) ([]doctor.Finding, error) {
	told, err := o.told(cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	if o.config == "" {
		fromTable := func(f *doctor.Facts) doctor.Site { return doctor.FromTable(f.Table) }
		return o.examineIn(cmd, o.netns, fromTable, told)
	}
	s, err := siteIn(cmd, o.config)
	if err != nil {
		return nil, err
	}
	if o.netns != "" {
		return o.examineIn(cmd, o.netns, filled(s.In("", o.netns)), told)
	}
	list := []doctor.Finding{}
	for _, name := range s.Namespaces() {
		part, err := o.examineIn(cmd, name, filled(s.In(name)), told)
		if err != nil {
			return nil, err
		}
		for _, f := range part {
			if name != "" {
				f.Subject = "namespace " + name + ": " + f.Subject
			}
			list = append(list, f)
		}
	}
	return list, nil
}

// filled makes a site of the configuration's and of the facts.
func filled(s doctor.Site) func(*doctor.Facts) doctor.Site {
	return func(f *doctor.Facts) doctor.Site {
		s.FillFrom(f.Table)
		return s
	}
}

// examineIn reads and judges one network namespace.
func (o *doctorOptions) examineIn(cmd *cobra.Command, netns string, site func(*doctor.Facts) doctor.Site, told []*realserver.Facts) ([]doctor.Finding, error) {
	facts, s, err := examine.Read(cmd.Context(), examine.Options{Netns: netns}, site)
	if err != nil {
		return nil, err
	}
	if o.probe {
		if err := ask(cmd, netns, facts, s); err != nil {
			return nil, err
		}
	}
	list := doctor.Judge(s, facts)
	for _, f := range told {
		list = append(list, realserver.Judge(s, facts, f)...)
	}
	return list, nil
}

// told are the facts of real servers.
func (o *doctorOptions) told(stdin io.Reader) ([]*realserver.Facts, error) {
	var out []*realserver.Facts
	for _, path := range o.reals {
		f, err := readReal(path, stdin)
		if err != nil {
			return nil, fmt.Errorf("--real %s: %w", path, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func readReal(path string, stdin io.Reader) (*realserver.Facts, error) {
	if path == "-" {
		return realserver.Parse(stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return realserver.Parse(f)
}

// ask adds what the network answers; what could not be asked stands in the
// facts.
func ask(cmd *cobra.Command, netns string, facts *doctor.Facts, s doctor.Site) error {
	p := newProgress(cmd.ErrOrStderr())
	p.now("asking the network")
	defer p.end()
	return examine.Inside(netns, func() (err error) {
		facts.Probes, err = probe.Ask(cmd.Context(), s, facts)
		return err
	})
}

// findingsText is the findings by subject, those that are well only if all are
// wanted.
func findingsText(list []doctor.Finding, all bool) string {
	var b strings.Builder
	subject := ""
	counts := map[doctor.Level]int{}
	for _, f := range list {
		counts[f.Level]++
		if f.Level == doctor.OK && !all {
			continue
		}
		if f.Subject != subject {
			if subject != "" {
				b.WriteString("\n")
			}
			subject = f.Subject
			fmt.Fprintf(&b, "%s\n", oneLine(subject))
		}
		writeFinding(&b, f)
	}
	if subject != "" {
		b.WriteString("\n")
	}
	b.WriteString(summary(counts, all) + "\n")
	return b.String()
}

func writeFinding(w io.Writer, f doctor.Finding) {
	fmt.Fprintf(w, "  %-8s %s\n", f.Level, oneLine(f.What))
	if f.Why != "" {
		fmt.Fprintf(w, "           why: %s\n", oneLine(f.Why))
	}
	if f.Do != "" {
		fmt.Fprintf(w, "           do:  %s\n", oneLine(f.Do))
	}
	for _, command := range f.Run {
		fmt.Fprintf(w, "                # %s\n", oneLine(command))
	}
}

// summary counts the findings.
func summary(counts map[doctor.Level]int, all bool) string {
	var parts []string
	for _, l := range []struct {
		level doctor.Level
		noun  string
	}{{doctor.Error, "error"}, {doctor.Warning, "warning"}, {doctor.Advice, "piece of advice"}} {
		n := counts[l.level]
		switch {
		case n == 0:
		case l.level == doctor.Advice && n > 1:
			parts = append(parts, fmt.Sprintf("%d pieces of advice", n))
		default:
			parts = append(parts, count(n, l.noun))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing is wrong")
	}
	text := strings.Join(parts, ", ")
	if n := counts[doctor.OK]; n > 0 {
		text += fmt.Sprintf("; %s well", map[bool]string{true: "1 thing is", false: fmt.Sprintf("%d things are", n)}[n == 1])
		if !all {
			text += " (--all shows them)"
		}
	}
	return text
}
