package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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
			loaded, diags, err := judge(cmd.Context(), args[0], o)
			if c.json {
				return reportJSON(cmd.OutOrStdout(), diags, err)
			}
			return reportText(cmd.OutOrStdout(), args[0], loaded, diags, err)
		},
	}
	cmd.Flags().StringVarP(&o.M4, "m4", "M", "", "run the file through this m4 first")
	for _, name := range []string{"mondir", "alertdir", "plugindir", "basedir", "cfbasedir"} {
		dirs[name] = cmd.Flags().String(name, "", "instead of the file's")
	}
	return cmd
}

// judge loads the file with a plugin host of its own, which ends with it.
func judge(ctx context.Context, path string, o config.Options) (engine.Loaded, config.Diagnostics, error) {
	o.Now, o.PluginDir = time.Now(), pluginDir()
	dir, err := os.MkdirTemp("", "monctl-")
	if err != nil {
		return engine.Loaded{}, nil, err
	}
	defer os.RemoveAll(dir)
	spawner, err := procgroup.New()
	if err != nil {
		return engine.Loaded{}, nil, err
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
		return engine.Loaded{}, nil, err
	}
	defer stopHost(h)
	return site.Load(ctx, site.Options{
		Path: path, Config: o, Host: h, Reconfigure: func(g config.Globals) { h.Reconfigure(options(g)) },
	})
}

func stopHost(h *host.Host) {
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h.Stop(limit)
}

func reportText(w io.Writer, path string, loaded engine.Loaded, diags config.Diagnostics, err error) error {
	if werr := diags.Write(w); werr != nil {
		return werr
	}
	if err != nil {
		if len(diags) == 0 {
			return err
		}
		if _, werr := fmt.Fprintf(w, "%s: %s, %s\n", path, count(diags.Errors(), "error"), count(len(diags)-diags.Errors(), "warning")); werr != nil {
			return werr
		}
		return errSaid
	}
	_, werr := fmt.Fprintf(w, "%s: good: %s, %s, %s\n", path, count(len(loaded.Config.Groups), "hostgroup"), count(len(loaded.Config.Services), "service"), count(len(diags), "warning"))
	return werr
}

// finding is a diagnostic as JSON.
type finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func reportJSON(w io.Writer, diags config.Diagnostics, err error) error {
	rows := []finding{}
	for _, d := range diags {
		rows = append(rows, finding{d.Pos.File, d.Pos.Line, d.Pos.Col, d.Severity.String(), d.Message, d.Hint})
	}
	if werr := printJSON(w, rows); werr != nil {
		return werr
	}
	if err != nil && len(diags) > 0 {
		return errSaid
	}
	return err
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
