package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/host"
	"github.com/mondhq/mond/plugins/procgroup"
)

// checkCommand judges a configuration as the daemon would, without running
// it.
func checkCommand(c *common) *cobra.Command {
	o := config.Options{Overrides: map[string]string{}}
	dirs := map[string]*string{}
	expand, format := false, ""
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "judge a configuration: exit status 0 if mond would run it, 1 if not",
		Args:  wants(1, "one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, dir := range dirs {
				if cmd.Flags().Changed(name) {
					o.Overrides[name] = *dir
				}
			}
			if err := site.Speak(&o, format); err != nil {
				return misused(cmd, "%v", err)
			}
			switch {
			case expand && c.json:
				return misused(cmd, "--json: --expand prints a mon.cf")
			case expand:
				return printExpanded(cmd, args[0], o)
			}
			v := judge(cmd.Context(), args[0], o)
			if c.json {
				return v.printJSON(cmd.OutOrStdout())
			}
			return v.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&expand, "expand", false, "print the file as a plain mon.cf, with what it includes, its templates and the services that virtual services make in place; programs are not looked up")
	formatFlag(cmd, &format)
	cmd.Flags().StringVarP(&o.M4, "m4", "M", "", "run the file through this m4 first")
	for _, name := range []string{"mondir", "alertdir", "plugindir", "basedir", "cfbasedir"} {
		dirs[name] = cmd.Flags().String(name, "", "instead of the file's")
	}
	return cmd
}

// formatFlag is the option --format.
func formatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "format", "", "language of the file, if neither its name nor its content tells: "+strings.Join(site.FormatNames(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(site.FormatNames(), noFiles)) // the flag is there
}

// printExpanded prints a configuration as one mon.cf that needs no other file
// and no template; what there is to say of it goes to the standard error.
func printExpanded(cmd *cobra.Command, path string, o config.Options) error {
	o.Now, o.PluginDir = time.Now(), pluginDir()
	cfg, diags := config.Load(cmd.Context(), path, o)
	if err := site.Unlooked(cfg, diags).Write(cmd.ErrOrStderr()); err != nil {
		return err
	}
	if cfg == nil {
		return errSaid
	}
	_, err := cmd.OutOrStdout().Write(config.Plain(cfg.File()))
	return err
}

// verdict is all there is to say of a configuration.
type verdict struct {
	path     string
	loaded   engine.Loaded
	programs []host.Program // in the order of the file
	diags    config.Diagnostics
	err      error
}

// judge loads the file with a plugin host of its own, which ends with it.
func judge(ctx context.Context, path string, o config.Options) verdict {
	v := verdict{path: path}
	o.Now, o.PluginDir = time.Now(), pluginDir()
	dir, err := os.MkdirTemp(shortTemp(), "monctl-")
	if err != nil {
		v.err = err
		return v
	}
	defer os.RemoveAll(dir)
	spawner, err := procgroup.New()
	if err != nil {
		v.err = err
		return v
	}
	defer spawner.Close()
	options := func(g config.Globals) host.Options {
		return host.Options{
			MonDirs: g.MonDir, AlertDirs: g.AlertDir, PluginDirs: g.PluginDir, PreferResident: g.PreferResident,
			RunDir: dir, Log: slog.New(slog.DiscardHandler), Spawner: spawner,
		}
	}
	h, err := host.New(options(config.Globals{}))
	if err != nil {
		v.err = err
		return v
	}
	defer stopHost(h)
	v.loaded, v.diags, v.err = site.Load(ctx, site.Options{
		Path: path, Config: o, Host: h, Reconfigure: func(g config.Globals) { h.Reconfigure(options(g)) },
		Found: func(p host.Program) { v.programs = append(v.programs, p) },
	})
	return v
}

// shortTemp is where the sockets of plugins go: the usual place, unless its
// name is so long that no socket's path fits.
func shortTemp() string {
	if dir := os.TempDir(); len(dir) <= 30 {
		return dir
	}
	return "/tmp"
}

func stopHost(h *host.Host) {
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h.Stop(limit)
}

// print says what is wrong as compilers do; of a good configuration, which
// programs were taken.
func (v verdict) print(w io.Writer) error {
	if werr := v.diags.Write(w); werr != nil {
		return werr
	}
	if v.err != nil {
		return v.refuse(w)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: good: %s\n", v.path, strings.Join(v.counts(), ", "))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range v.programs {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", p.Name, kindWord(p), p.Path)
	}
	_ = t.Flush() // into memory
	return printPlain(w, b.String())
}

// counts are the sizes of a good configuration.
func (v verdict) counts() []string {
	c := v.loaded.Config
	counts := []string{count(len(c.Groups), "hostgroup"), count(len(c.Services), "service"), count(len(v.diags), "warning")}
	if len(c.Files) > 1 {
		counts = slices.Insert(counts, 0, count(len(c.Files), "file"))
	}
	return counts
}

// refuse ends the print of a bad configuration.
func (v verdict) refuse(w io.Writer) error {
	if len(v.diags) == 0 {
		return v.err
	}
	_, err := fmt.Fprintf(w, "%s: %s, %s\n", v.path, count(v.diags.Errors(), "error"), count(len(v.diags)-v.diags.Errors(), "warning"))
	if err != nil {
		return err
	}
	return errSaid
}

func kindWord(p host.Program) string {
	if p.Resident {
		return "resident"
	}
	return "classic"
}

// finding is a diagnostic as JSON.
type finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	// Used are the places that use the template which the line stands in, the
	// nearest first.
	Used []string `json:"used,omitempty"`
}

func (v verdict) printJSON(w io.Writer) error {
	rows := []finding{}
	for _, d := range v.diags {
		row := finding{d.Pos.File, d.Pos.Line, d.Pos.Col, d.Severity.String(), d.Message, d.Hint, nil}
		for _, o := range d.Pos.Uses() {
			row.Used = append(row.Used, o.Pos.String())
		}
		rows = append(rows, row)
	}
	if err := printJSON(w, rows); err != nil {
		return err
	}
	if v.err != nil && len(v.diags) > 0 {
		return errSaid
	}
	return v.err
}

// pluginDir is where the plugins lie that were built with this program.
func pluginDir() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), "plugins")
}

func defaultSocket() string { return site.Socket() }
