package auth

import (
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// getent is a name service that knows those who are in no file: dora by her
// hash, eve by shadow, mallory not at all but by what he can make it say.
const getent = `#!/bin/sh
echo "$@" >>"$0.asked"
case "$1 $2 $3" in
"passwd -- dora") echo "dora:abNANd1rDfiNc:7:7:::" ;;
"passwd -- eve") echo "eve:x:8:8:::" ;;
"shadow -- eve") echo "eve:abNANd1rDfiNc:1::::::" ;;
"passwd -- 0") echo "root:abNANd1rDfiNc:0:0:::" ;;
"passwd -- frank") echo "frank:*:9:9:::" ;;
*) exit 2 ;;
esac
`

func machine(t *testing.T) *rig {
	t.Helper()
	r := set(t, "", "", "getpwnam")
	r.write(t, "passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1:1:::\nbob:abNANd1rDfiNc:2:2:::\ncarol::3:3:::\ngrace:x:4:4:::\n+@nis\n\n")
	r.write(t, "shadow", "root:*:1::::::\nalice:"+hunter2+rest+":1:0:99999:7:::\nheidi:abNANd1rDfiNc:1::::::\n")
	r.write(t, "getent", getent)
	return r
}

func TestPasswd(t *testing.T) {
	r := machine(t).read(t)
	tests := map[string]struct {
		user, password, want string
	}{
		"in shadow":                 {"alice", "hunter2", ""},
		"in shadow, wrong":          {"alice", "secret", "wrong password"},
		"in passwd":                 {"bob", "secret", ""},
		"in passwd, wrong":          {"bob", "x", "wrong password"},
		"without password":          {"carol", "x", "locked"},
		"empty password":            {"carol", "", "no password"},
		"locked":                    {"root", "*", "locked"},
		"in no shadow":              {"grace", "x", "no such user"},
		"in shadow only":            {"heidi", "secret", "no such user"},
		"by name service":           {"dora", "secret", ""},
		"by name service, wrong":    {"dora", "x", "wrong password"},
		"by its shadow":             {"eve", "secret", ""},
		"not told by name service":  {"frank", "x", "locked"},
		"number instead of a name":  {"0", "secret", "no such user"},
		"nobody":                    {"nosuch", "x", "no such user"},
		"option":                    {"-s", "x", "no such user"},
		"line of a file":            {"bob:abNANd1rDfiNc", "secret", "no such user"},
		"NIS":                       {"+@nis", "x", "locked"},
		"two lines":                 {"dora\nx", "secret", "no such user"},
		"NUL":                       {"dora\x00", "secret", "no such user"},
		"a password of two lines":   {"bob", "secret\nx", "wrong password"},
		"a password with NUL added": {"bob", "secret\x00", "wrong password"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want(t, test.user, r.login(t, there, test.user, test.password), test.want)
		})
	}
	asked, err := os.ReadFile(r.path("getent.asked"))
	check(t, err)
	if strings.Contains(string(asked), "alice") || !strings.Contains(string(asked), "passwd -- -s\n") {
		t.Errorf("asked\n%s", asked)
	}
}

func TestPasswdThatCannotBeRead(t *testing.T) {
	r := machine(t).read(t)
	check(t, os.Remove(r.path("shadow")))
	want(t, "no shadow", r.login(t, there, "alice", "hunter2"), "shadow: no such file or directory")
	want(t, "not needed", r.login(t, there, "bob", "secret"), "")
	check(t, os.Remove(r.path("getent")))
	want(t, "no getent", r.login(t, there, "nosuch", "x"), "no such user")
	check(t, os.Remove(r.path("passwd")))
	want(t, "no passwd", r.login(t, there, "bob", "secret"), "passwd: no such file or directory")
	r.write(t, "passwd", strings.Repeat("x", 1<<20))
	want(t, "no lines", r.login(t, there, "bob", "secret"), "token too long")
}

// TestShadowIsDenied is mond as a user of its own.
func TestShadowIsDenied(t *testing.T) {
	const hint = "add the user that mond runs as to the group shadow, or use authtype pam"
	r := machine(t)
	check(t, os.Chmod(r.path("shadow"), 0))
	asNobody(t, r.dir, func() {
		r.read(t)
		if n := strings.Count(r.said.String(), hint); n != 1 {
			t.Errorf("%d times said what to do: %s", n, &r.said)
		}
		want(t, "alice", r.login(t, there, "alice", "hunter2"), hint)
		want(t, "bob", r.login(t, there, "bob", "secret"), "")
		r.opt.AuthFile = r.path("shadow")
		_, err := New(t.Context(), r.opt)
		want(t, "authfile", err, "permission denied: let the user that mond runs as read it: chgrp mond and chmod 640")
	})
	if n := strings.Count(r.said.String(), hint); n != 1 {
		t.Errorf("%d times said what to do: %s", n, &r.said)
	}
}

// asNobody calls f without the rights of root over files, if the process has
// them.
func asNobody(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	for d := dir; d != os.TempDir() && len(d) > 1; d = d[:strings.LastIndexByte(d, '/')] {
		check(t, os.Chmod(d, 0o755))
	}
	check(t, os.Chmod(dir, 0o777))
	check(t, syscall.Setresuid(-1, 65534, 0))
	defer func() { check(t, syscall.Setresuid(-1, 0, 0)) }()
	if _, err := os.ReadFile(dir + "/shadow"); !os.IsPermission(err) {
		t.Fatalf("read without rights: %v, want %v", err, fs.ErrPermission)
	}
	f()
}
