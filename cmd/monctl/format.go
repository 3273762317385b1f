package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
)

// formatting are the options of fmt.
type formatting struct{ write, diff, list bool }

// formatCommand puts configurations into the normal form.
func formatCommand() *cobra.Command {
	o := formatting{}
	cmd := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "print configurations in the normal form, or write it back",
		Long: `Prints each FILE, - for the standard input, in the normal form of a mon.cf: one blank line between records, four blanks for
each level; or of TOML, if its name ends in .toml. Every comment is kept, and the file means what it meant. Included files and templates stay what they are; an included
file is formatted by its own name. A file with errors is left as it is, its errors are shown, and the exit status is 1.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misused(cmd, "want a FILE, or - for the standard input")
			}
			return o.all(cmd, args)
		},
	}
	cmd.Flags().BoolVarP(&o.write, "write", "w", false, "write the file, if its normal form differs, and print nothing")
	cmd.Flags().BoolVarP(&o.diff, "diff", "d", false, "print the difference and not the normal form")
	cmd.Flags().BoolVarP(&o.list, "list", "l", false, "print the names of files whose normal form differs, and not the form")
	return cmd
}

// all formats every file; what is wrong with one does not keep the others from
// it.
func (o formatting) all(cmd *cobra.Command, names []string) error {
	var failed error
	for _, name := range names {
		if name == "-" && o.write {
			return misused(cmd, "-w: the standard input cannot be written")
		}
		err := o.one(cmd, name)
		if err != nil && !errors.Is(err, errSaid) {
			if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "monctl: %s\n", plain(err.Error())); err != nil {
				return err
			}
		}
		if err != nil {
			failed = errSaid
		}
	}
	return failed
}

// one formats one file.
func (o formatting) one(cmd *cobra.Command, name string) error {
	src, err := source(cmd, name)
	if err != nil {
		return err
	}
	if name == "-" {
		name = "standard input"
	}
	normal := config.FormatSource
	if filepath.Ext(name) == ".toml" {
		normal = toml.FormatSource
	}
	text, diags := normal(name, src)
	if diags.HasErrors() {
		if err := diags.Write(cmd.ErrOrStderr()); err != nil {
			return err
		}
		return errSaid
	}
	return o.put(cmd.OutOrStdout(), name, src, text)
}

// source reads what is to be formatted.
func source(cmd *cobra.Command, name string) ([]byte, error) {
	if filepath.Ext(name) == ".m4" {
		return nil, fmt.Errorf("format %s: the form of a file for m4 may matter to its macros, so it is left alone", name)
	}
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// put does with the normal form what the options say.
func (o formatting) put(w io.Writer, name string, src, text []byte) error {
	same := bytes.Equal(src, text)
	if o.list && !same {
		if _, err := fmt.Fprintln(w, plain(name)); err != nil {
			return err
		}
	}
	if o.diff && !same {
		if _, err := w.Write(diff.Diff(name+".orig", src, name, text)); err != nil {
			return err
		}
	}
	if o.write && !same {
		return replaceFile(name, text)
	}
	if o.list || o.diff || o.write {
		return nil
	}
	_, err := w.Write(text)
	return err
}

// replaceFile puts text in place of a file, whole or not at all. The file keeps
// its mode and, as far as one may, its owner; a link keeps pointing at it.
func replaceFile(path string, text []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // if it still has that name
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = tmp.Chown(int(owner.Uid), int(owner.Gid)) // who may not give files away keeps them
	}
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
