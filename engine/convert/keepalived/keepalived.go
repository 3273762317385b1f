// Package keepalived reads keepalived.conf as mond's configuration: its virtual
// servers, real servers and checkers, with the defaults and the inheritance that
// keepalived 2.2.7 has. What it does not carry over - VRRP first of all - is in
// the report, each with a reason and what to do instead.
//
// The language is read by package lang. Nothing is run, and no file is written.
package keepalived

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// Options say how a file is read; the zero value is as keepalived does without
// options.
type Options struct {
	lang.Options
}

// Format is keepalived.conf, read as keepalived does without options.
func Format() convert.Format { return Options{}.Format() }

// Format is keepalived.conf read in that way.
func (o Options) Format() convert.Format {
	return convert.Format{Name: "keepalived", Is: Is, Read: o.read}
}

func (o Options) read(name string, src []byte) convert.Result {
	doc := lang.Parse(name, src, o.Options)
	w := &convert.Writer{}
	for file, text := range doc.Sources {
		w.From(file, text)
	}
	for _, p := range doc.Problems {
		problem(w, p)
	}
	r := newReader(w, config.Pos{File: name})
	r.walk(doc.Nodes, inRoot)
	r.write(r.settle())
	res := w.Result(name)
	res.File.Paths = doc.Files
	sortLosses(res.Losses, doc.Files)
	return res
}

func problem(w *convert.Writer, p lang.Problem) {
	switch p.Grade {
	case lang.Lost:
		w.Lose(p.Pos, p.What, "%s", p.Message)
	case lang.Warning:
		w.Warnf(p.Pos, p.Hint, "%s", p.Message)
	case lang.Error:
		w.Errorf(p.Pos, p.Hint, "%s", p.Message)
	}
}

// sortLosses puts them in the order of the files as they were read.
func sortLosses(all []convert.Loss, files []string) {
	order := make(map[string]int, len(files))
	for i, f := range files {
		if _, ok := order[f]; !ok {
			order[f] = i
		}
	}
	slices.SortStableFunc(all, func(a, b convert.Loss) int {
		if n := order[a.Pos.File] - order[b.Pos.File]; n != 0 {
			return n
		}
		if n := a.Pos.Line - b.Pos.Line; n != 0 {
			return n
		}
		return a.Pos.Col - b.Pos.Col
	})
}

// Is reports whether src can only be a keepalived.conf: nothing but comments,
// definitions, conditions, includes and flags stands before the first block, and
// that is one of keepalived's.
func Is(src []byte) bool {
	roots := scopes()[inRoot]
	var flag string // a word that a block may follow on the next line
	goesOn := false
	for line := range strings.Lines(string(src[:min(len(src), 1<<20)])) {
		line = strings.TrimSpace(line)
		was := goesOn
		goesOn = strings.HasSuffix(line, `\`) && (was || strings.HasPrefix(line, "$"))
		if i := strings.IndexAny(line, "#!"); i >= 0 {
			line = strings.TrimSpace(line[:i])
		}
		if was || line == "" {
			continue
		}
		line = conditional(line)
		word, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		word, glued := strings.CutSuffix(word, "{")
		k, known := roots[word]
		switch block := k.in != "" || k.values; {
		case line[0] == '{':
			return flag != ""
		case line[0] == '$' || line[0] == '@' || line[0] == '~' || strings.HasPrefix(word, "include") && strings.TrimSpace(rest) != "":
			flag = ""
		case !known:
			return false
		case block && (glued || strings.Contains(rest, "{")):
			return true
		case block:
			flag = word
		case strings.Contains(rest, "="):
			return false
		default:
			flag = ""
		}
	}
	return false
}

// conditional is what stands behind @ID.
func conditional(line string) string {
	if !strings.HasPrefix(line, "@") {
		return line
	}
	if i := strings.IndexAny(line, " \t"); i > 0 {
		return strings.TrimSpace(line[i:])
	}
	return line
}
