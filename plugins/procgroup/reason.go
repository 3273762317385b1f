package procgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// StartError says why a program could not be started, in words for whoever
// wrote its line in mon.cf. It unwraps to the kernel's error.
type StartError struct {
	// Path is the program's file.
	Path string
	// Reason says what is wrong and, where known, what to do.
	Reason string
	Err    error
}

// Error is "start PATH: REASON".
func (e *StartError) Error() string { return "start " + e.Path + ": " + e.Reason }

// Unwrap returns the kernel's error.
func (e *StartError) Unwrap() error { return e.Err }

// Local reports whether this machine was short of something (processes,
// memory, descriptors), so that the program itself may be in order.
func (e *StartError) Local() bool {
	for _, errno := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(e.Err, errno) {
			return true
		}
	}
	return false
}

// explain makes a StartError of what the start of path in dir returned. It
// looks at the files again: exec reports a missing interpreter, a missing
// program and a missing directory by the same word.
func explain(path, dir string, err error) *StartError {
	return &StartError{Path: path, Reason: reason(path, dir, err), Err: err}
}

func reason(path, dir string, err error) string {
	if dir != "" {
		if info, serr := os.Stat(dir); serr != nil || !info.IsDir() {
			return fmt.Sprintf("its working directory %s is missing or no directory", dir)
		}
	}
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return unknownFormat(path)
	case errors.Is(err, fs.ErrNotExist):
		return missing(path)
	case errors.Is(err, syscall.EACCES):
		return denied(path)
	case errors.Is(err, syscall.EPERM):
		return "not permitted (may this process pass on the capabilities it is to have?)"
	case errors.Is(err, syscall.E2BIG):
		return "its arguments and environment are larger than the kernel allows"
	case errors.Is(err, syscall.ETXTBSY):
		return "its file is open for writing (is it being installed?)"
	case errors.Is(err, syscall.EAGAIN):
		return "this machine has no room for another process (see ulimit -u, TasksMax)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "out of file descriptors (see ulimit -n, LimitNOFILE)"
	}
	return bare(err)
}

// bare is err without the "fork/exec PATH" that os puts before it.
func bare(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// missing says which file is not there: the program or what runs it.
func missing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return "no such file"
	}
	line, ok := interpreterLine(path)
	if !ok {
		return "its dynamic loader is not installed (a program built for another system?)"
	}
	if strings.HasSuffix(line, "\r") {
		return "its #! line ends in a carriage return (save it with Unix line ends)"
	}
	return fmt.Sprintf("its interpreter %s does not exist", interpreter(line))
}

// denied says which permission is missing.
func denied(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "a directory on the way to it may not be entered"
	case info.IsDir():
		return "it is a directory"
	case info.Mode()&0o111 == 0:
		return "it is not executable (chmod +x " + path + ")"
	}
	if line, ok := interpreterLine(path); ok {
		file := interpreter(line)
		if info, err := os.Stat(file); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return fmt.Sprintf("its interpreter %s is not executable", file)
		}
	}
	return "permission denied (owner, mode, or a file system mounted noexec)"
}

// unknownFormat says why the kernel does not take a file for a program.
func unknownFormat(path string) string {
	info, err := os.Stat(path)
	if err == nil && info.Size() == 0 {
		return "it is empty"
	}
	if line, ok := interpreterLine(path); ok {
		return fmt.Sprintf("its #! line %q names no interpreter", "#!"+line)
	}
	if bytes.HasPrefix(head(path), []byte("\x7fELF")) {
		return "it is a program for another kind of machine"
	}
	return "it has no #! line (a script must begin with one, such as #!/bin/sh)"
}

// interpreterLine is what follows "#!" on the first line of path; ok is false
// without one.
func interpreterLine(path string) (line string, ok bool) {
	rest, ok := bytes.CutPrefix(head(path), []byte("#!"))
	if !ok {
		return "", false
	}
	first, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(first), true
}

// head is the part of path that the kernel looks at to tell what runs it,
// shorter when the file is, empty when it cannot be read.
func head(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 256)
	n, _ := io.ReadFull(f, buf)
	return buf[:n]
}

// interpreter is the file that a #! line names.
func interpreter(line string) string {
	if words := strings.Fields(line); len(words) > 0 {
		return words[0]
	}
	return ""
}
