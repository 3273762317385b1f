package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/spelling"
)

// Kind tells a monitor from an alert.
type Kind = rpc.Kind

// The kinds of programs.
const (
	Monitor = rpc.Monitor
	Alert   = rpc.Alert
)

// Manifest is what a resident plugin says of itself.
type Manifest = rpc.Manifest

// Problem is what is wrong with one argument.
type Problem = rpc.Problem

// Program is a monitor or an alert that was found.
type Program struct {
	// Name is what mon.cf calls it.
	Name string
	// Path is its file.
	Path string
	Kind Kind
	// Resident programs speak go-plugin; the others are run once for each
	// check or notice, as mon does.
	Resident bool
}

// NotFoundError says where a program was looked for.
type NotFoundError struct {
	Kind Kind
	Name string
	// Looked are the directories, in order.
	Looked []string
	// NotExecutable are files of that name that may not be executed.
	NotExecutable []string
	// Near is the program that was probably meant, "" for none.
	Near string
}

// Error names the directories, or the file that only lacks a permission.
func (e *NotFoundError) Error() string {
	if len(e.NotExecutable) > 0 {
		file := e.NotExecutable[0]
		return fmt.Sprintf("find %s %q: %s is not executable (chmod +x %s)", e.Kind, e.Name, file, file)
	}
	if len(e.Looked) == 0 {
		return fmt.Sprintf("find %s %q: no directory is configured for it", e.Kind, e.Name)
	}
	text := fmt.Sprintf("find %s %q: it is in none of %s", e.Kind, e.Name, strings.Join(e.Looked, ", "))
	if e.Near != "" {
		text += "; did you mean " + e.Near + "?"
	}
	return text
}

// place is a directory with what its programs are.
type place struct {
	dir      string
	resident bool
}

// places are where programs of a kind are looked for, in order.
func (o Options) places(k Kind) []place {
	dirs := o.MonDirs
	if k == Alert {
		dirs = o.AlertDirs
	}
	var classic, resident []place
	for _, d := range dirs {
		classic = append(classic, place{dir: d})
	}
	for _, d := range o.PluginDirs {
		resident = append(resident, place{dir: d, resident: true})
	}
	if o.PreferResident {
		return append(resident, classic...)
	}
	return append(classic, resident...)
}

// find looks a program up. It runs nothing: what a program is follows from
// where it lies.
func (o Options) find(k Kind, name string) (Program, error) {
	if err := goodName(name); err != nil {
		return Program{}, fmt.Errorf("find %s %q: %w", k, name, err)
	}
	missing := &NotFoundError{Kind: k, Name: name}
	for _, p := range o.places(k) {
		missing.Looked = append(missing.Looked, p.dir)
		path := filepath.Join(p.dir, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
		case err != nil:
			return Program{}, fmt.Errorf("find %s %q: %w", k, name, err)
		case info.Mode()&0o111 == 0:
			missing.NotExecutable = append(missing.NotExecutable, path)
		default:
			return Program{Name: name, Path: path, Kind: k, Resident: p.resident}, nil
		}
	}
	missing.Near = near(k, name, missing.Looked)
	return Program{}, missing
}

// near is the program in dirs that is spelt nearly like name, "" for none. What
// all programs of a kind end in says nothing.
func near(k Kind, name string, dirs []string) string {
	end := "." + k.String()
	var stems []string
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // one that cannot be read has no hint
		for _, e := range entries {
			if stem, ok := strings.CutSuffix(e.Name(), end); ok && !e.IsDir() {
				stems = append(stems, stem)
			}
		}
	}
	if stem := spelling.Nearest(strings.TrimSuffix(name, end), stems); stem != "" {
		return stem + end
	}
	return ""
}

func goodName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return errors.New("this is no name of a program")
	case strings.ContainsAny(name, "/\x00"):
		return errors.New("a name is wanted, not a path: put the directory into mondir, alertdir or plugindir")
	}
	return nil
}

// identity tells one version of a program's file from another.
type identity struct {
	size  int64
	mtime int64
}

func identify(path string) identity {
	info, err := os.Stat(path)
	if err != nil {
		return identity{}
	}
	return identity{info.Size(), info.ModTime().UnixNano()}
}
