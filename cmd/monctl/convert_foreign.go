package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
	"github.com/mondhq/mond/engine/convert"
)

// foreignHelp says what else convert reads.
const foreignHelp = `With the name of a FORMAT before FILE, or a FILE that can only be in one, it reads the configuration of another
director: ldirectord (ldirectord.cf), lvs.cf (Piranha), keepalived (keepalived.conf), ha.cf and haresources (heartbeat; the two are read together
from one folder, and the result is for the director it is made on). What comes out is a mon.cf, or
TOML with --toml, in which a comment behind each line says where it comes from; defaults are written out. What is not
carried over is told on the standard error, with the reason, and stands at the end of the result as comments: it is no
error. Names of hosts are looked up here and now. mond itself and monctl check read such files as they are.`

// maxForeign is the largest file that is read, in bytes.
const maxForeign = 64 << 20

// foreign is the conversion of another director's file.
type foreign struct {
	*conversion
	format convert.Format
	src    []byte
}

// foreign says whether the command line asks for one, by the name of a format
// or by the content of the file.
func (c *conversion) foreign(cmd *cobra.Command, args []string) (*foreign, error) {
	c.path = args[len(args)-1]
	name := c.from
	if len(args) == 2 {
		if name != "" && name != args[0] {
			return nil, misused(cmd, "--from %s beside %s", name, args[0])
		}
		name = args[0]
	}
	format, named := site.Format(name)
	switch {
	case len(args) == 2 && !named:
		return nil, misused(cmd, "no format %s: want one of %s", name, strings.Join(foreignNames(), ", "))
	case name != "" && !named:
		return nil, nil // toml, mon.cf, or a mistake that languages tells
	}
	src, err := readForeign(c.path)
	if err != nil {
		return nil, err
	}
	found, is := site.Detect(src)
	switch {
	case !named && !is:
		return nil, nil
	case named && is && found.Name != name:
		return nil, fmt.Errorf("%s is not in the format %s but in that of %s", c.path, name, found.Name)
	case !named:
		format = found
	}
	return &foreign{c, format, src}, c.target(cmd)
}

func foreignNames() []string {
	var names []string
	for _, f := range site.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// target judges what is to come out.
func (c *conversion) target(cmd *cobra.Command) error {
	switch {
	case c.toml && c.to != "" && c.to != tomL:
		return misused(cmd, "--toml beside --to %s", c.to)
	case c.toml:
		c.to = tomL
	case c.to == "":
		c.to = monCf
	case c.to != monCf && c.to != tomL:
		return misused(cmd, "--to %s: want toml or mon.cf", c.to)
	}
	switch {
	case c.part:
		return misused(cmd, "--part is for a mon.cf or TOML")
	case c.force && c.out == "":
		return misused(cmd, "--force is for -o")
	}
	return nil
}

func readForeign(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, maxForeign+1))
	if err == nil && n > maxForeign {
		err = fmt.Errorf("%s is larger than %d MB", path, maxForeign>>20)
	}
	return b.Bytes(), err
}

// run converts, or says why not.
func (f *foreign) run(cmd *cobra.Command) error {
	stderr := cmd.ErrOrStderr()
	r := f.format.Read(f.path, f.src)
	diags := r.Diagnostics
	meaning, more := f.meaning(cmd.Context(), r.File)
	more = site.Unlooked(meaning, more)
	if diags = append(diags, more...); diags.HasErrors() {
		return f.refuse(stderr, diags, "correct it first")
	}
	text, more := f.text(r)
	if diags = append(diags, more...); diags.HasErrors() {
		return f.refuse(stderr, diags, "nothing is written")
	}
	if err := f.same(cmd.Context(), meaning, text); err != nil {
		return err
	}
	diags.Sort()
	if err := diags.Write(stderr); err != nil {
		return err
	}
	if err := f.put(cmd.OutOrStdout(), text); err != nil {
		return err
	}
	return writeLosses(stderr, r.Losses)
}

// meaning is what mond makes of the file.
func (f *foreign) meaning(ctx context.Context, file *config.File) (*config.Config, config.Diagnostics) {
	return f.mean(ctx, file, f.options(f.path, f.to))
}

// text is the result in the language that is asked for.
func (f *foreign) text(r convert.Result) ([]byte, config.Diagnostics) {
	file := r.WithReport()
	if f.to == tomL {
		return toml.Format(file)
	}
	return config.Format(file.Standalone()), nil
}

// same reads the result again: mond must make of it what it makes of the file.
func (f *foreign) same(ctx context.Context, meaning *config.Config, text []byte) error {
	is, err := f.again(ctx, text)
	if err != nil {
		return err
	}
	if what, _ := toml.Difference(meaning, is); what != "" {
		return fmt.Errorf("%s in %s would not mean the same: %s, which is a mistake in monctl; nothing is written", f.path, f.to, what)
	}
	return nil
}

// writeLosses tells what was not carried over.
func writeLosses(w io.Writer, losses []convert.Loss) error {
	var b strings.Builder
	for i, l := range losses {
		fmt.Fprintf(&b, "%s: not carried over: %s\n", l.Pos, l.What)
		if i+1 == len(losses) || losses[i+1].Why != l.Why { // one reason for a row of lines is told once
			fmt.Fprintf(&b, "    %s\n", l.Why)
		}
	}
	if len(losses) > 0 {
		fmt.Fprintf(&b, "%s not carried over\n", count(len(losses), "line"))
	}
	return printPlain(w, b.String())
}
