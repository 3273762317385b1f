package procgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReason(t *testing.T) {
	s := spawner(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "x", 0o644)
	for _, tt := range []struct {
		name, path, dir, want string
	}{
		{"missing", filepath.Join(dir, "nothing"), "", "no such file"},
		{"missing above", plain + "/x", "", "not a directory"},
		{"not executable", plain, "", "it is not executable (chmod +x "},
		{"directory", dir, "", "it is a directory"},
		{"no interpreter line", write("bare", "echo hello\n", 0o755), "", "it has no #! line"},
		{"interpreter missing", write("orphan", "#!/no/such/perl -w\n", 0o755), "", "its interpreter /no/such/perl does not exist"},
		{"interpreter not executable", write("dull", "#!"+plain+"\n", 0o755), "", "its interpreter " + plain + " is not executable"},
		{"DOS line ends", write("dos", "#!/bin/sh\r\nexit 0\r\n", 0o755), "", "carriage return"},
		{"interpreter unnamed", write("blank", "#!\n", 0o755), "", "names no interpreter"},
		{"empty", write("empty", "", 0o755), "", "it is empty"},
		{"other machine", write("alien", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 11)+"\xf7\x7f"+strings.Repeat("\x00", 60), 0o755), "", "another kind of machine"},
		{"no directory", "/bin/true", "/no/such/dir", "its working directory /no/such/dir is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Start(t.Context(), Spec{Path: tt.path, Dir: tt.dir})
			e, ok := errors.AsType[*StartError](err)
			if !ok || !strings.Contains(e.Reason, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if ok && e.Local() {
				t.Error("taken for a local fault")
			}
		})
	}
}

func TestReasonTooBig(t *testing.T) {
	_, err := spawner(t).Start(t.Context(), Spec{Path: "/bin/true", Args: []string{strings.Repeat("x", 200_000)}})
	if err == nil || !errors.Is(err, syscall.E2BIG) || !strings.Contains(err.Error(), "larger than the kernel allows") {
		t.Errorf("got %v", err)
	}
}

func TestPathWithoutSlash(t *testing.T) {
	if _, err := spawner(t).Start(t.Context(), Spec{Path: "true"}); err == nil {
		t.Error("the path was searched")
	}
}

func TestLocal(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		syscall.EAGAIN: true, syscall.ENOMEM: true, syscall.EMFILE: true, syscall.ENFILE: true,
		syscall.ENOENT: false, syscall.EACCES: false, syscall.EPERM: false,
	} {
		e := explain("/bin/true", "", &os.PathError{Op: "fork/exec", Path: "/bin/true", Err: errno})
		if e.Local() != want {
			t.Errorf("%v: local %t", errno, e.Local())
		}
		if strings.Contains(e.Reason, "fork/exec") {
			t.Errorf("%v: reason %q", errno, e.Reason)
		}
	}
}
