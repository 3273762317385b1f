package wording

import (
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"os"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

const (
	// MaxOutput bounds what a template makes, in bytes.
	MaxOutput = 512 << 10
	maxSource = 256 << 10 // of a template's own text
)

// Text is an option's value: a template in Go's syntax (text/template) over a
// [Notice], given on the line. The zero value is none.
type Text struct{ text string }

// String is the template.
func (t *Text) String() string { return t.text }

// Set reads a template.
func (t *Text) Set(text string) error {
	if text == "" {
		return errors.New("want a template that is not empty")
	}
	t.text = text
	return source{name: "text", text: text}.check()
}

// Given reports whether there is a template.
func (t *Text) Given() bool { return t.text != "" }

// Render is the text that the template makes of n.
func (t *Text) Render(ctx context.Context, n Notice) (string, error) {
	return source{name: "text", text: t.text}.render(ctx, n)
}

// Trial renders the template for a sample of every kind.
func (t *Text) Trial() error { return trial(t.Render) }

// File is an option's value: the name of a file that holds a template as
// [Text] has it. It is read anew for every notice, so that an edit needs no
// restart. The zero value is none.
type File struct{ path string }

// String is the file's name.
func (f *File) String() string { return f.path }

// Set takes the name of a file, and reads the template in it to judge it.
func (f *File) Set(path string) error {
	f.path = path
	s, err := read(path)
	if err != nil {
		return err
	}
	return s.check()
}

// Given reports whether there is a template.
func (f *File) Given() bool { return f.path != "" }

// Render is the text that the template makes of n.
func (f *File) Render(ctx context.Context, n Notice) (string, error) {
	s, err := read(f.path)
	if err != nil {
		return "", err
	}
	return s.render(ctx, n)
}

// Trial renders the template for a sample of every kind.
func (f *File) Trial() error { return trial(f.Render) }

// HTML is a File whose template makes HTML (html/template): what it inserts is
// escaped as the place needs it. The zero value is none.
type HTML struct{ path string }

// String is the file's name.
func (h *HTML) String() string { return h.path }

// Set takes the name of a file, and reads the template in it to judge it.
func (h *HTML) Set(path string) error {
	h.path = path
	s, err := read(path)
	if err != nil {
		return err
	}
	s.html = true
	return s.check()
}

// Given reports whether there is a template.
func (h *HTML) Given() bool { return h.path != "" }

// Render is the HTML that the template makes of n.
func (h *HTML) Render(ctx context.Context, n Notice) (string, error) {
	s, err := read(h.path)
	if err != nil {
		return "", err
	}
	s.html = true
	return s.render(ctx, n)
}

// Trial renders the template for a sample of every kind.
func (h *HTML) Trial() error { return trial(h.Render) }

func trial(render func(context.Context, Notice) (string, error)) error {
	for _, n := range Samples() {
		if _, err := render(context.Background(), n); err != nil {
			return fmt.Errorf("try the template with a notice of kind %s: %w", n.Kind, err)
		}
	}
	return nil
}

// source is a template's text; name stands in its errors, with the line.
type source struct {
	name, text string
	html       bool
}

func read(path string) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return source{}, fmt.Errorf("read the template: %w", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return source{}, fmt.Errorf("read the template: %s is no regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return source{}, fmt.Errorf("read the template: %w", err)
	}
	return source{name: path, text: string(text)}, nil
}

// executor is a template of either kind.
type executor interface {
	Execute(w io.Writer, data any) error
}

// parse makes a template whose loops and calls draw on b.
func (s source) parse(b *budget) (executor, error) {
	if len(s.text) > maxSource {
		return nil, fmt.Errorf("%s: the template is longer than %d KiB", s.name, maxSource>>10)
	}
	node, err := b.node()
	if err != nil {
		return nil, err
	}
	var t executor
	var trees []*parse.Tree
	if s.html {
		t, trees, err = s.asHTML(b)
	} else {
		t, trees, err = s.asText(b)
	}
	if err != nil {
		return nil, bare(err)
	}
	for _, tree := range trees {
		if err := graft(tree, node); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return t, nil
}

func (s source) asText(b *budget) (executor, []*parse.Tree, error) {
	t, err := texttemplate.New(s.name).Funcs(b.functions()).Parse(s.text)
	if err != nil {
		return nil, nil, err
	}
	var trees []*parse.Tree
	for _, each := range t.Templates() {
		trees = append(trees, each.Tree)
	}
	return t, trees, nil
}

func (s source) asHTML(b *budget) (executor, []*parse.Tree, error) {
	t, err := htmltemplate.New(s.name).Funcs(htmltemplate.FuncMap(b.functions())).Parse(s.text)
	if err != nil {
		return nil, nil, err
	}
	var trees []*parse.Tree
	for _, each := range t.Templates() {
		trees = append(trees, each.Tree)
	}
	return t, trees, nil
}

func (s source) check() error {
	_, err := s.parse(newBudget(context.Background()))
	return err
}

func (s source) render(ctx context.Context, n Notice) (string, error) {
	return s.spend(newBudget(ctx), n)
}

// spend renders with what is left of b.
func (s source) spend(b *budget, n Notice) (string, error) {
	t, err := s.parse(b)
	if err != nil {
		return "", err
	}
	var out page
	err = t.Execute(&out, n)
	if e, ok := errors.AsType[limitError](err); ok {
		return "", fmt.Errorf("%s: %w", s.name, e)
	}
	if err != nil {
		return "", bare(err)
	}
	return out.String(), nil
}

// bare is err without the word that the template packages put first.
func bare(err error) error {
	return plain{err: err, text: strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/"), "template: ")}
}

// plain is an error with another text.
type plain struct {
	err  error
	text string
}

func (p plain) Error() string { return p.text }
func (p plain) Unwrap() error { return p.err }

// page is what a template makes, up to MaxOutput.
type page struct{ strings.Builder }

func (p *page) Write(b []byte) (int, error) {
	if p.Len()+len(b) > MaxOutput {
		return 0, errTooLong
	}
	return p.Builder.Write(b)
}
