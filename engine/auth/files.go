package auth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// mostText bounds a file of rules or users.
const mostText = 8 << 20

// readText reads a file that people write. One that is not a file would be
// waited for, or never end.
func readText(path string) (text string, info fs.FileInfo, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return "", nil, err
	}
	if !info.Mode().IsRegular() {
		return "", nil, fmt.Errorf("%s is not a file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, mostText+1))
	if err == nil && len(b) > mostText {
		err = fmt.Errorf("%s is larger than %d MiB", path, mostText>>20)
	}
	return string(b), info, err
}

// toDo says what helps against an error of opening a file that mond needs.
func toDo(err error, directive string) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "create it, or name another one with " + directive
	case errors.Is(err, fs.ErrPermission):
		return "let the user that mond runs as read it: chgrp mond and chmod 640"
	}
	return "name another one with " + directive
}

// writable is the problem of a file that anybody may write.
func writable(path string, info fs.FileInfo) []Problem {
	if info.Mode().Perm()&0o002 == 0 {
		return nil
	}
	return []Problem{{File: path, Text: "anybody on this machine may change it, and so let himself in: chmod o-w"}}
}

// settled is how long a file must not have changed before what was read of it
// can be told from what is written next: clocks of file systems are coarse.
const settled = 2 * time.Second

// userFile is a userfile, read again when it changed. It is for concurrent use.
type userFile struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	users *Users
	info  fs.FileInfo
	sure  bool
}

// read is what the file holds now. One that cannot be read lets nobody in,
// whatever it held before. The problems are those of a file that was read anew.
func (f *userFile) read() (*Users, []Problem, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.path); err == nil && f.users != nil && f.sure && same(info, f.info) {
		return f.users, nil, nil
	}
	text, info, err := readText(f.path)
	if err != nil {
		f.users = nil
		return nil, nil, fmt.Errorf("userfile: %w: %s", err, toDo(err, "userfile"))
	}
	users, problems := ParseUsers(f.path, text)
	problems = append(problems, writable(f.path, info)...)
	if f.info != nil && same(info, f.info) {
		problems = nil // said before
	}
	f.users, f.info = users, info
	f.sure = f.now().Sub(info.ModTime()) > settled
	return users, problems, nil
}

// same reports whether a and b are of the same file, unchanged.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
