package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/plugins/python"
)

// templates are the programs that new writes: monitor and alert, in each
// language.
//
//go:embed templates/*.tmpl
var templates embed.FS

// languages are those that there are templates for.
func languages() []string { return []string{"go", "python", "sh"} }

func pluginNewCommand() *cobra.Command {
	lang := ""
	cmd := &cobra.Command{
		Use:   "new --lang go|python|sh NAME",
		Short: "write a monitor or an alert to begin with; NAME ends in .monitor or .alert",
		Long: `Writes a small plugin that works as it is: in sh the program NAME, in Python the program NAME and mond.py
beside it, in Go a folder NAME. Those in Go and Python can stay resident: put them into plugindir, with mond.py.
Nothing that exists is overwritten. monctl plugin test tries what you make of it.`,
		Args: wants(1, "one NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPlugin(args[0], lang)
			if err != nil {
				return misused(cmd, "%v", err)
			}
			if err := p.write(); err != nil {
				return err
			}
			return p.next(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "language to write it in: go, python or sh")
	return cmd
}

// newborn is a plugin that is to be written.
type newborn struct {
	path, lang string
	Name       string // the program's
	Func       string // a Go identifier after it
	kind       string // monitor or alert
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.(monitor|alert)$`)

func newPlugin(path, lang string) (newborn, error) {
	if !slices.Contains(languages(), lang) {
		return newborn{}, fmt.Errorf("want --lang %s", strings.Join(languages(), " or --lang "))
	}
	name := filepath.Base(path)
	m := goodName.FindStringSubmatch(name)
	if m == nil {
		return newborn{}, fmt.Errorf("%q: want a name of letters, digits, - and _ that ends in .monitor or .alert", name)
	}
	kind := m[len(m)-1]
	return newborn{path: path, lang: lang, Name: name, Func: identifier(strings.TrimSuffix(name, "."+kind), kind), kind: kind}, nil
}

// identifier is name as a Go function's, which must not be in the way of what
// the program uses.
func identifier(name, kind string) string {
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
	used := []string{"main", "init", "string", "error", "nil", "new", "context", "errors", "flag", "fmt", "net", "os", "filepath", "time", "alert", "monitor", "serve"}
	if !token.IsIdentifier(letters) || slices.Contains(used, letters) {
		return "new" + strings.ToUpper(kind[:1]) + kind[1:]
	}
	return letters
}

// text is the program.
func (p newborn) text() ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+p.kind+"."+p.lang+".tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("fill the template: %w", err)
	}
	return b.Bytes(), nil
}

// write writes what is not there yet.
func (p newborn) write() error {
	text, err := p.text()
	if err != nil {
		return err
	}
	switch p.lang {
	case "sh":
		return p.create(p.path, text, 0o755)
	case "python":
		return errors.Join(p.create(p.path, text, 0o755), p.library())
	}
	if err := os.Mkdir(p.path, 0o755); err != nil {
		return p.explain(err)
	}
	if !p.inModule() {
		mod := "module " + p.Name + "\n\ngo 1.26\n"
		if err := p.create(filepath.Join(p.path, "go.mod"), []byte(mod), 0o644); err != nil {
			return err
		}
	}
	return p.create(filepath.Join(p.path, "main.go"), text, 0o644)
}

// library writes what a plugin in Python stands on beside it; one that is there
// already may be newer.
func (p newborn) library() error {
	path := filepath.Join(filepath.Dir(p.path), python.FileName)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return p.create(path, python.Source(), 0o644)
}

func (p newborn) create(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return p.explain(err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func (p newborn) explain(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is: take another name, or move it away", p.path)
	}
	return fmt.Errorf("write %s: %w", p.Name, err)
}

// inModule reports whether the folder lies in a Go module.
func (p newborn) inModule() bool {
	dir, err := filepath.Abs(p.path)
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return false
}

// next says what there is and how to go on.
func (p newborn) next(w io.Writer) error {
	if p.lang != "go" {
		_, err := fmt.Fprintf(w, "wrote %s; try it:\n    monctl plugin test %s\n", p.path, at(p.path))
		return err
	}
	get := ""
	if _, err := os.Stat(filepath.Join(p.path, "go.mod")); err == nil {
		get = "    go get github.com/mondhq/mond@" + published() + "\n"
	}
	_, err := fmt.Fprintf(w, "wrote %s/main.go; build it and try it:\n    cd %s\n%s    go build -o %s .\n    monctl plugin test ./%s\n", p.path, p.path, get, p.Name, p.Name)
	return err
}

// published is the version of this program if others can get it.
func published() string {
	info, ok := debug.ReadBuildInfo()
	if v := info.Main.Version; ok && strings.HasPrefix(v, "v") && !strings.Contains(v, "+") {
		return v
	}
	return "latest"
}

// at is path as a shell takes it for a program.
func at(path string) string {
	if strings.Contains(path, "/") {
		return path
	}
	return "./" + path
}
