package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
)

// The languages of a configuration.
const (
	monCf = "mon.cf"
	tomL  = "toml"
)

// convertCommand writes a configuration in another language.
func convertCommand() *cobra.Command {
	c := conversion{}
	cmd := &cobra.Command{
		Use:   "convert {--to toml|mon.cf FILE | [FORMAT] FILE}",
		Short: "write a configuration in TOML, one in TOML as a mon.cf, or another director's as mond's own",
		Long: `Writes FILE in the other language, with its comments. Files that it includes and templates stay what they are.
A file whose name ends in .toml is TOML, any other a mon.cf, unless --from says so. What comes out is read again and
compared: it means the same, or nothing is written. What cannot be carried over is an error with its place; what is
written in another way is a warning.

` + foreignHelp,
		Example: `  monctl convert --to toml mon.cf
  monctl convert ldirectord /etc/ha.d/ldirectord.cf -o mon.cf
  monctl convert lvs.cf /etc/sysconfig/ha/lvs.cf --toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return wants(1, "one FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			other, err := c.foreign(cmd, args)
			switch {
			case err != nil:
				return err
			case other != nil:
				return other.run(cmd)
			}
			if err := c.languages(cmd); err != nil {
				return err
			}
			return c.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&c.to, "to", "", "language to write: toml or mon.cf")
	cmd.Flags().StringVar(&c.from, "from", "", "language of FILE, if its name or its content does not say so")
	cmd.Flags().BoolVar(&c.toml, "toml", false, "the same as --to toml")
	cmd.Flags().StringVarP(&c.out, "output", "o", "", "file to write, which must not be there; without it the terminal")
	cmd.Flags().BoolVar(&c.part, "part", false, "FILE is included by another one, which may hold what it needs: it is not judged alone")
	cmd.Flags().BoolVar(&c.force, "force", false, "replace the file of -o if it is there")
	for _, flag := range []string{"to", "from"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions([]string{tomL, monCf}, noFiles)) // the flag is there
	}
	return cmd
}

// conversion is what the command line asks for.
type conversion struct {
	path, from, to, out string
	force, part, toml   bool
}

// languages checks what is to be made of what.
func (c *conversion) languages(cmd *cobra.Command) error {
	known := []string{tomL, monCf}
	if c.toml && c.to == "" {
		c.to = tomL
	}
	if c.from == "" {
		c.from = monCf
		if filepath.Ext(c.path) == ".toml" {
			c.from = tomL
		}
	}
	switch {
	case c.to == "":
		return misused(cmd, "want --to toml or --to mon.cf")
	case !slices.Contains(known, c.to):
		return misused(cmd, "--to %s: want toml or mon.cf", c.to)
	case !slices.Contains(known, c.from):
		return misused(cmd, "--from %s: want toml or mon.cf", c.from)
	case c.to == c.from:
		return misused(cmd, "%s is %s already; monctl fmt writes it in its normal form", c.path, c.to)
	case c.force && c.out == "":
		return misused(cmd, "--force is for -o")
	}
	return nil
}

// parser is the reader of a language.
func (c *conversion) parser(language string) config.Reader {
	switch {
	case language == tomL:
		return toml.Parse
	case c.part:
		return config.ParseMond // the file that includes it says so
	}
	return config.Parse
}

// options read files by their names, but path in a language of its own.
func (c *conversion) options(path, language string) config.Options {
	o := config.Options{Now: time.Now(), PluginDir: pluginDir(), Readers: site.Readers(), Exists: func(string) bool { return true }}
	if strings.HasSuffix(path, ".m4") && language == monCf {
		return o
	}
	o.Readers[filepath.Ext(path)] = c.parser(language)
	return o
}

// run converts, or says why not.
func (c *conversion) run(ctx context.Context, stdout, stderr io.Writer) error {
	file, diags := config.Read(ctx, c.path, c.options(c.path, c.from))
	was, more := c.mean(ctx, file, c.options(c.path, c.from))
	if diags = append(diags, more...); diags.HasErrors() {
		return c.refuse(stderr, diags, "correct it first")
	}
	text, diags := c.write(file)
	if diags.HasErrors() {
		return c.refuse(stderr, diags, "nothing is written")
	}
	diags = append(diags, c.beside(file)...)
	is, err := c.again(ctx, text)
	if err != nil {
		return err
	}
	what, reordered := "", false
	if !c.part {
		what, reordered = toml.Difference(was, is)
	}
	switch {
	case reordered:
		diags = append(diags, config.Diagnostic{Pos: config.Pos{File: c.path}, Mark: -1, Message: what, Hint: "in TOML what is included, and what a template brings, comes first"})
	case what != "":
		return fmt.Errorf("%s in %s would not mean the same: %s; nothing is written", c.path, c.to, what)
	}
	if err := diags.Write(stderr); err != nil {
		return err
	}
	return c.put(stdout, text)
}

// mean is what a file means, with what it includes; of a part of another one
// that cannot be said.
func (c *conversion) mean(ctx context.Context, f *config.File, o config.Options) (*config.Config, config.Diagnostics) {
	if c.part {
		return nil, nil
	}
	whole, diags := config.Expand(ctx, f, o)
	meaning, more := config.Resolve(whole, o)
	return meaning, append(diags, more...)
}

func (c *conversion) write(f *config.File) ([]byte, config.Diagnostics) {
	if c.to == tomL {
		return toml.Format(f)
	}
	return toml.AsMonCf(f)
}

// again is what the result means, as a file in the folder of the first.
func (c *conversion) again(ctx context.Context, text []byte) (*config.Config, error) {
	f, diags := c.parser(c.to)(c.path, text)
	meaning, more := c.mean(ctx, f, c.options(c.path, c.to))
	if err := append(diags, more...).Err(); err != nil {
		return nil, fmt.Errorf("%s as it would be in %s cannot be read, which is a mistake in monctl; nothing is written: %w", c.path, c.to, err)
	}
	return meaning, nil
}

// beside are warnings about the file as a whole.
func (c *conversion) beside(f *config.File) config.Diagnostics {
	var out config.Diagnostics
	warn := func(message, hint string) {
		out = append(out, config.Diagnostic{Pos: config.Pos{File: c.path}, Mark: -1, Message: message, Hint: hint})
	}
	if f.Expanded {
		warn("m4 was run on it: its macros are not in the result, only what they gave", "")
	}
	includes := func(s config.Statement) bool { return s.Kind == config.KindInclude }
	moved := c.out != "" && filepath.Clean(filepath.Dir(c.out)) != filepath.Clean(filepath.Dir(c.path))
	if moved && slices.ContainsFunc(f.Statements, includes) {
		warn("include looks in the folder of the file that has it, and that is another one now", "move the files that it includes as well, or give their whole paths")
	}
	if c.to == monCf && f.Standalone() != f {
		warn("the result says syntax = mond: mon itself does not read it", "")
	}
	return out
}

// refuse prints what is wrong.
func (c *conversion) refuse(w io.Writer, diags config.Diagnostics, what string) error {
	diags.Sort()
	if err := diags.Write(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s: %s: %s\n", plain(c.path), count(diags.Errors(), "error"), what); err != nil {
		return err
	}
	return errSaid
}

// put writes the result, into a file by way of one beside it so that there is
// never half of it.
func (c *conversion) put(stdout io.Writer, text []byte) error {
	if c.out == "" {
		_, err := stdout.Write(text)
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(c.path); err == nil {
		mode = info.Mode().Perm() // there may be passwords in it
	}
	f, err := os.CreateTemp(filepath.Dir(c.out), ".monctl-convert-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone if all went well
	_, werr := f.Write(text)
	if err := errors.Join(werr, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if c.force {
		return os.Rename(f.Name(), c.out)
	}
	if err := os.Link(f.Name(), c.out); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: give another name, or --force", c.out)
	} else if err != nil {
		return err
	}
	return nil
}
