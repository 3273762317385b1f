package crypt

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// libc asks the crypt(3) of this machine, through one process of Perl: a line of
// password and setting in hexadecimal, and the hash as answer, empty if it has
// none.
func libc(t *testing.T) func(password, setting string) string {
	t.Helper()
	perl, err := exec.LookPath("perl")
	if err != nil {
		missing(t, "perl is not there: apt-get install perl-base")
	}
	cmd := exec.Command(perl, "-e", `$| = 1; while (<STDIN>) { chomp; my ($p, $s) = map { pack "H*", $_ } split /,/, $_, -1; print crypt ($p, $s) // "", "\n"; }`)
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewReader(out)
	return func(password, setting string) string {
		if _, err := fmt.Fprintf(in, "%x,%x\n", password, setting); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "*") {
			return ""
		}
		return line
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settings make one of each scheme, with a random salt.
func settings(r *rand.Rand) map[string]string {
	salt := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(64)]
		}
		return string(b)
	}
	return map[string]string{
		"des":             salt(2),
		"bsdi":            "_" + salt(1) + "/.." + salt(4),
		"md5":             "$1$" + salt(8) + "$",
		"md5, short salt": "$1$" + salt(r.IntN(8)) + "$",
		"bcrypt 2b":       "$2b$04$" + salt(21) + "u",
		"bcrypt 2y":       "$2y$04$" + salt(21) + "O",
		"bcrypt 2a":       "$2a$04$" + salt(21) + ".",
		"sha256":          "$5$" + salt(16) + "$",
		"sha256, rounds":  fmt.Sprintf("$5$rounds=%d$%s$", 1000+r.IntN(50), salt(r.IntN(17))),
		"sha512":          "$6$" + salt(16) + "$",
		"sha512, rounds":  fmt.Sprintf("$6$rounds=%d$%s$", 1000+r.IntN(50), salt(r.IntN(17))),
		"yescrypt":        "$y$j75$" + salt(20) + "/.$",
		"yescrypt, usual": "$y$j9T$" + salt(20) + "x.$",
	}
}

// passwords are random ones of all bytes but NUL, the lengths at which schemes
// change their ways among them.
func passwords(r *rand.Rand, n int) []string {
	lengths := []int{1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 55, 63, 64, 65, 71, 72, 73, 127, 128, 129, 254, 255, 256, 300, 511}
	all := []string{"secret", "Käse", "\xff", "\xff\xff\xff\xff", "\x80\x80", "a b c", "\x01"}
	for len(all) < n {
		b := make([]byte, lengths[r.IntN(len(lengths))])
		for i := range b {
			b[i] = byte(1 + r.IntN(255))
		}
		all = append(all, string(b))
	}
	return all
}

func TestAgainstLibc(t *testing.T) {
	hash, r := libc(t), rand.New(rand.NewPCG(1, 2))
	for i, password := range passwords(r, 32) {
		for name, setting := range settings(r) {
			if i > 1 && slices.Contains([]string{"yescrypt, usual", "sha256", "sha512", "bcrypt 2y"}, name) {
				continue // they take long, and differ from others by a number
			}
			h := hash(password, setting)
			if h == "" {
				t.Fatalf("%s: this libc has no hash of %q", name, setting)
			}
			if err := Verify(h, password); err != nil {
				t.Errorf("%s: %d bytes %s: %v", name, len(password), hex.EncodeToString([]byte(password)), err)
			}
			if err := Check(h); err != nil {
				t.Errorf("%s: check: %v", name, err)
			}
			if i > 2 {
				continue
			}
			if err := Verify(h, "x"+password); !errors.Is(err, ErrMismatch) {
				t.Errorf("%s: a wrong password: %v", name, err)
			}
			if err := Verify(h[:len(h)-1], password); err == nil {
				t.Errorf("%s: a hash cut short is accepted", name)
			}
			if err := Verify(h+".", password); err == nil {
				t.Errorf("%s: a hash with a digit more is accepted", name)
			}
		}
	}
}

// TestTooLongForLibc holds the longest password to be that of libc.
func TestTooLongForLibc(t *testing.T) {
	hash := libc(t)
	if hash(strings.Repeat("x", LongestPassword), "$6$abc$") == "" {
		t.Errorf("%d bytes are too long for this libc", LongestPassword)
	}
	if hash(strings.Repeat("x", LongestPassword+1), "$6$abc$") != "" {
		t.Errorf("%d bytes are not too long for this libc", LongestPassword+1)
	}
}

// TestEmpty is a password that a trap may have.
func TestEmpty(t *testing.T) {
	hash, r := libc(t), rand.New(rand.NewPCG(3, 4))
	for name, setting := range settings(r) {
		if err := Verify(hash("", setting), ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
