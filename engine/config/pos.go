package config

import "fmt"

// Pos is a place in a file. Line and Col count from 1; Col counts bytes.
type Pos struct {
	File string
	Line int
	Col  int
}

// String is "file:line:col".
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Severity says whether a file with this diagnostic may be used.
type Severity uint8

// The severities.
const (
	Warning Severity = iota
	Error
)

// String is "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Diagnostic is one thing to say about a file.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	// Message says what is wrong, without capital or full stop.
	Message string
	// Line is the offending line as it stands in the file; may be empty.
	Line string
	// Hint says what to do; may be empty.
	Hint string
}

// Diagnostics are in file order.
type Diagnostics []Diagnostic
