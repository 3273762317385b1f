package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/alerts/lvs"
	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
)

// mover is the program that moves addresses between directors.
const mover = "fake.alert"

// configured reads a configuration for what it says of the table; what there
// is to say of the file goes to w. Programs are not looked up: a doctor may be
// asked before all is installed.
func configured(ctx context.Context, w io.Writer, path string) (*config.Config, error) {
	o := config.Options{Now: time.Now(), PluginDir: pluginDir()}
	if err := site.Speak(&o, ""); err != nil {
		return nil, err
	}
	cfg, diags := config.Load(ctx, path, o)
	if cfg != nil {
		return cfg, nil // its warnings are the business of monctl check
	}
	if err := diags.Write(w); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s: mond would not run it (monctl check %s)", path, path)
}

// siteIn is what the configuration in a file makes of the director.
func siteIn(cmd *cobra.Command, path string) (doctor.Site, error) {
	cfg, err := configured(cmd.Context(), cmd.ErrOrStderr(), path)
	if err != nil {
		return doctor.Site{}, err
	}
	return siteOf(cfg)
}

// siteOf is what a configuration makes of the director.
func siteOf(cfg *config.Config) (doctor.Site, error) {
	var s doctor.Site
	for _, v := range cfg.Virtuals {
		if err := addVirtual(&s, cfg, v); err != nil {
			return s, fmt.Errorf("%s: virtual %s: %w", v.Pos, v.Name, err)
		}
	}
	for _, service := range cfg.Services {
		for _, p := range service.Periods {
			for _, line := range p.Lines {
				if err := addLine(&s, line); err != nil {
					return s, fmt.Errorf("%s: %w", line.Pos, err)
				}
			}
		}
	}
	return s, nil
}

// addLine adds what a single alert line says.
func addLine(s *doctor.Site, line config.Line) error {
	switch line.Program {
	case mover:
		s.Holds = append(s.Holds, addressesIn(line.Args)...)
	case lvs.Name:
		before := len(s.Virtuals)
		if err := s.AddClaim("", line.Args); err != nil {
			return err
		}
		for i := before; i < len(s.Virtuals); i++ {
			s.Virtuals[i].Removes = true
		}
	}
	return nil
}

// addressesIn are the words that are addresses, with or without a mask.
func addressesIn(words []string) []netip.Addr {
	var out []netip.Addr
	for _, w := range words {
		host, _, _ := strings.Cut(w, "/")
		if a, err := netip.ParseAddr(host); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// addVirtual adds a virtual service that is declared whole.
func addVirtual(s *doctor.Site, cfg *config.Config, v *config.Virtual) error {
	before := len(s.Virtuals)
	through := false
	rows := slices.Clone(v.Rows)
	for _, m := range v.Members {
		rows = append(rows, m.Rows...)
		through = through || slices.ContainsFunc(m.Checks, func(key opstatus.Key) bool { return marked(cfg.Service(key)) })
	}
	for _, row := range rows {
		words := slices.Concat(row.Target, row.More)
		if isPrivate(words) {
			continue
		}
		if err := s.AddClaim(v.Name, words); err != nil {
			return err
		}
	}
	quiesces, removes := leaving(v.Pool)
	for i := before; i < len(s.Virtuals); i++ {
		have := &s.Virtuals[i]
		have.Through, have.Quiesces, have.Removes = through, quiesces, removes
		nameReals(have, v)
	}
	return nil
}

// marked reports whether a check goes through the director.
func marked(s *config.Service) bool {
	return s != nil && s.Monitor != nil && slices.Contains(s.Monitor.Args, "--mark")
}

// isPrivate reports whether a row is of a check's own firewall mark.
func isPrivate(words []string) bool {
	for _, w := range words {
		kind, figures, _ := strings.Cut(w, ":")
		if mark, err := strconv.ParseUint(figures, 10, 32); err == nil && (kind == "fwmark" || kind == "fwmark6") {
			return config.IsPrivateMark(uint32(mark))
		}
	}
	return false
}

// leaving says what becomes of members of a pool: whether some are kept at
// weight 0, and whether some are removed at once.
func leaving(p *virtual.Pool) (quiesces, removes bool) {
	if p == nil {
		return false, false
	}
	for _, m := range p.Members {
		switch m.OnFail {
		case virtual.Quiesce, virtual.Leave:
			quiesces = true
		case virtual.Remove:
			removes = true
		case virtual.Ignore:
		}
	}
	return quiesces, removes
}

// nameReals gives the reals the names that the configuration has for them.
func nameReals(have *doctor.Virtual, v *config.Virtual) {
	for i := range have.Reals {
		for _, m := range v.Members {
			if m.Addr.Addr() == have.Reals[i].Addr.Addr() {
				have.Reals[i].Name = m.Name
			}
		}
	}
}
