package config

import (
	"slices"
	"strings"
)

// Kind says what a [Statement] is.
type Kind uint8

// The kinds of statement.
const (
	KindBlank   Kind = iota // an empty line
	KindComment             // a line that begins with "#"
	KindGlobal              // a variable: name = value
	KindTop                 // hostgroup, watch, virtual, view, alias or template: begins a record
	KindMember              // a further line of a hostgroup, view or alias
	KindService             // "service", "period" or a directive of a service
	KindPeriod              // a directive of a period
	KindEnv                 // a variable of a service: NAME=value
	KindUse                 // use NAME [PARAM=VALUE]...: the lines of a template
	KindInclude             // include PATTERN...: other files
	KindVirtual             // a directive of a virtual service, or a real of it
	KindBad                 // not understood; an error says why
)

// String is a word for k.
func (k Kind) String() string {
	switch k {
	case KindBlank:
		return "blank"
	case KindComment:
		return "comment"
	case KindGlobal:
		return "global"
	case KindTop:
		return "top"
	case KindMember:
		return "member"
	case KindService:
		return "service"
	case KindPeriod:
		return "period"
	case KindEnv:
		return "env"
	case KindUse:
		return "use"
	case KindInclude:
		return "include"
	case KindVirtual:
		return "virtual"
	case KindBad:
	}
	return "bad"
}

// File is a configuration as it was written: every line of it, in order, with
// its place and its comments. Nothing in it but Raw and Bytes is particular to
// mon.cf.
type File struct {
	// Name is the path it was read from.
	Name string
	// Expanded is set when m4 made the text: positions are those of the
	// source, but [File.Bytes] gives what m4 wrote, not the source.
	Expanded bool
	// Mond is set if `syntax = mond` holds from the first line on, though no
	// line says so: in a file that another one includes, and in any that is no
	// mon.cf.
	Mond bool
	// Paths are the files it was read from: its own and, after [Expand], those
	// it includes.
	Paths      []string
	Statements []Statement

	// virtuals are what Expand read of the virtual services, in order.
	virtuals []*virtualDraft
}

// Statement is one logical line.
type Statement struct {
	Kind Kind
	// Pos is where Name begins; for a blank line its start.
	Pos Pos
	// Name is the directive or variable, empty for members, comments and
	// blank lines.
	Name string
	// Text is what follows, on one line, without blanks around it. For a
	// comment it is the whole comment.
	Text string
	// Comment is the comment behind the other words of the line, with its #;
	// no part of Text.
	Comment string
	// Inner are the comments inside a continued line, but for the last one
	// that stands behind other words.
	Inner []string
	// Raw is the statement as it stands in the file, with its line ends and
	// with the comments inside a continued line. It is empty for a statement
	// that did not come from a mon.cf: [File.Bytes] then writes it anew.
	Raw string

	// source are the lines that it stands on, if Raw does not hold them.
	source string
	// pieces say where the parts of a continued line stand, and indent where
	// one that is not continued does; text is where Text begins in that.
	pieces []piece
	indent int
	text   int
	// mond is set if `syntax = mond` held there; moved if Raw says where it
	// comes from, but not how it is written: see [Expand].
	mond, moved bool
	// made is set for a line that a virtual service made, each for one of a check,
	// which is there for each real server.
	made, each bool
}

// piece is a part of a logical line, from its byte at on: it stands at raw in
// the source, and at that line and column of the file. All bytes of a fixed
// one stand there; it is what took the place of a parameter.
type piece struct {
	at, raw, line, col int
	fixed              bool
}

// past is how far after the begin of p the byte at of the logical line is.
func (p piece) past(at int) int {
	if p.fixed {
		return 0
	}
	return at - p.at
}

// plain reports whether a "#" in the text of s is meant to be one.
func (s *Statement) plain() bool { return s.mond || s.Raw == "" }

// lines of the file that s stands on, as far as they are known.
func (s *Statement) lines() string {
	if s.Raw != "" {
		return s.Raw
	}
	return s.source
}

// Part says that the Text of a statement, from its byte At on, stands at the
// byte Source of its lines. All bytes of a Fixed one stand at that place.
type Part struct {
	At, Source int
	Fixed      bool
}

// Locate says where s stands in a file that is no mon.cf, for diagnostics:
// source are whole lines of the file, of which the first is s.Pos.Line. The
// parts are in order of At; without any, Text stands nowhere in particular,
// and all there is to say is about s.Pos.
func (s *Statement) Locate(source string, parts ...Part) {
	s.source, s.text, s.pieces = source, 0, make([]piece, 0, len(parts))
	at, line, start := 0, s.Pos.Line, 0 // what was counted, its lines, and where the last one begins
	for _, p := range parts {
		if p.Source < at {
			at, line, start = 0, s.Pos.Line, 0
		}
		passed := source[at:p.Source]
		line += strings.Count(passed, "\n")
		if i := strings.LastIndexByte(passed, '\n'); i >= 0 {
			start = at + i + 1
		}
		at = p.Source
		col := p.Source - start + 1
		s.pieces = append(s.pieces, piece{at: p.At, raw: p.Source, line: line, col: col, fixed: p.Fixed})
	}
}

// piece is the one that holds the byte at of the logical line.
func (s *Statement) piece(at int) piece {
	i, found := slices.BinarySearchFunc(s.pieces, at, func(p piece, at int) int { return p.at - at })
	if found {
		return s.pieces[i]
	}
	if i > 0 {
		return s.pieces[i-1]
	}
	return piece{raw: s.indent, line: s.Pos.Line, col: s.indent + 1}
}

// logical is the offset in the logical line of the byte at off of s.Text.
func (s *Statement) logical(off int) int {
	if off < 0 {
		return 0
	}
	return s.text + off
}

// nowhere reports whether all there is to say of the byte at off of s.Text is
// s.Pos.
func (s *Statement) nowhere(off int) bool {
	return s.Raw == "" && (off < 0 || len(s.pieces) == 0)
}

// At is the place of the byte at off of s.Text; a negative off is s.Pos.
func (s *Statement) At(off int) Pos {
	if s.nowhere(off) {
		return s.Pos
	}
	at := s.logical(off)
	p := s.piece(at)
	return Pos{File: s.Pos.File, Line: p.line, Col: p.col + p.past(at), From: s.Pos.From}
}

// line is the line of the file that the byte at off of s.Text stands on, and
// where in it; a negative off is the place of s.Name.
func (s *Statement) line(off int) (line string, mark int) {
	lines := s.lines()
	if lines == "" {
		return "", -1
	}
	if s.nowhere(off) {
		line, _, _ = strings.Cut(lines, "\n")
		return line, s.Pos.Col - 1
	}
	at := s.logical(off)
	p := s.piece(at)
	raw := min(p.raw+p.past(at), len(lines))
	start := strings.LastIndexByte(lines[:raw], '\n') + 1
	line, _, _ = strings.Cut(lines[start:], "\n")
	return line, raw - start
}

// Diagnose makes a diagnostic about the byte at off of s.Text, or about s.Name
// if off is negative.
func (s *Statement) Diagnose(sev Severity, off int, message, hint string) Diagnostic {
	line, mark := s.line(off)
	line, mark = excerpt(line, mark)
	return Diagnostic{Pos: s.At(off), Severity: sev, Message: message, Line: line, Mark: mark, Hint: hint}
}

// height is how many lines of the file s takes, at least 1.
func (s *Statement) height() int {
	return max(1, strings.Count(strings.TrimSuffix(s.lines(), "\n"), "\n")+1)
}

// Append adds a statement that was not read from a mon.cf, such as a converter
// makes. Line ends in its Text become blanks.
func (f *File) Append(kind Kind, name, text string) {
	f.Statements = append(f.Statements, Statement{Kind: kind, Name: name, Text: oneLine(text)})
}

// oneLine is text as it can stand in one statement: a line end would begin
// another one, and a backslash at the end would continue it.
func oneLine(text string) string {
	if strings.ContainsAny(text, "\r\n") {
		text = strings.NewReplacer("\n", " ", "\r", " ").Replace(text)
	}
	return strings.TrimRight(strings.TrimSpace(text), "\\ \t")
}

// Diagnose makes a diagnostic about a place in f, with the line that stands
// there. It is for those who check a [Config] further, such as for programs
// that do not exist.
func (f *File) Diagnose(sev Severity, pos Pos, message, hint string) Diagnostic {
	d := Diagnostic{Pos: pos, Severity: sev, Message: message, Mark: -1, Hint: hint}
	for i := range f.Statements {
		s := &f.Statements[i]
		if s.Pos.File != pos.File || pos.Line < s.Pos.Line || pos.Line >= s.Pos.Line+s.height() {
			continue
		}
		for n, line := range strings.SplitAfter(s.lines(), "\n") {
			if s.Pos.Line+n == pos.Line {
				d.Line, d.Mark = excerpt(line, pos.Col-1)
				return d
			}
		}
	}
	return d
}
