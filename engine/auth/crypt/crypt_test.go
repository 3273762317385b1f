package crypt

import (
	"errors"
	"strings"
	"testing"
)

// recorded are hashes that others made: mon's conformance files, the
// specification of SHA-crypt, and crypt(3).
func recorded() map[string]struct{ hash, password string } {
	return map[string]struct{ hash, password string }{
		"mon's alice":   {"abNANd1rDfiNc", "secret"},
		"mon's bob":     {"$6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.", "hunter2"},
		"mon's trapper": {"tpXOGnTcd7hjs", "trappw"},
		"sha256":        {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
		"sha256 rounds": {"$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"},
		"md5":           {"$1$abc$OGyl6dDvZCDiGmIVbeuCq/", "x"},
		"bsdi":          {"_J9..rasm3I3.7IOQ/Rk", "x"},
		"yescrypt":      {"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$6foLM1JhGupouWKMU70wxK61Kw9ZnecbACjJwRadqM2", "x"},
		"bcrypt":        {"$2y$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e", "x"},
	}
}

func TestRecorded(t *testing.T) {
	for name, r := range recorded() {
		t.Run(name, func(t *testing.T) {
			if err := Verify(r.hash, r.password); err != nil {
				t.Error(err)
			}
			for _, wrong := range []string{r.password + "\x00", r.password[1:], strings.Repeat("x", 512)} {
				if err := Verify(r.hash, wrong); !errors.Is(err, ErrMismatch) {
					t.Errorf("%q: %v", wrong, err)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	sum22, sum43, sum86 := strings.Repeat("a", 22), strings.Repeat("a", 43), strings.Repeat("a", 86)
	tests := map[string]struct {
		hash, want string
	}{
		"none":                     {"", "locked"},
		"locked":                   {"!", "locked"},
		"locked, with a hash":      {"!$6$abc$" + sum86, "locked"},
		"no login":                 {"*", "locked"},
		"crypt's failure":          {"*0", "locked"},
		"in the clear":             {"hunter2", "password in the clear"},
		"in shadow":                {"x", "not a crypt(3) hash"},
		"13 characters":            {"thirteen char", "not a crypt(3) hash"},
		"apache":                   {"$apr1$abc$" + sum22, "unknown scheme $apr1$"},
		"argon2":                   {"$argon2id$v=19$m=65536,t=2,p=1$abc$abc", "unknown scheme $argon2id$"},
		"in the clear, with $":     {"$My Secret$ 1", "unknown scheme $...$"},
		"only $":                   {"$", "unknown scheme $...$"},
		"bcrypt of old":            {"$2x$04$" + strings.Repeat("a", 53), "unknown scheme $2x$"},
		"md5, salt too long":       {"$1$123456789$" + sum22, "MD5"},
		"md5, no sum":              {"$1$12345678", "MD5"},
		"sha512, no sum":           {"$6$abc", "SHA-512"},
		"sha512, short sum":        {"$6$abc$" + sum43, "SHA-512"},
		"sha512, salt too long":    {"$6$12345678901234567$" + sum86, "SHA-512"},
		"sha512, few rounds":       {"$6$rounds=999$abc$" + sum86, "999 rounds: from 1000 to 1048576"},
		"sha512, endless":          {"$6$rounds=999999999$abc$" + sum86, "999999999 rounds"},
		"sha512, more than an int": {"$6$rounds=99999999999999999999$abc$" + sum86, "not a SHA-512"},
		"sha512, odd number":       {"$6$rounds=+5000$abc$" + sum86, "not a SHA-512"},
		"sha256, no rounds":        {"$5$rounds=$abc$" + sum43, "not a SHA-256"},
		"bcrypt, endless":          {"$2b$31$" + strings.Repeat("a", 53), "cost 31: from 4 to 15"},
		"bcrypt, too cheap":        {"$2b$03$" + strings.Repeat("a", 53), "cost 3"},
		"bcrypt, no number":        {"$2b$+4$" + strings.Repeat("a", 53), "bcrypt"},
		"bsdi, no rounds":          {"_...." + strings.Repeat("a", 15), "0 rounds"},
		"bsdi, endless":            {"_zzzz" + strings.Repeat("a", 15), "16777215 rounds"},
		"bsdi, short":              {"_J9..rasm", "BSDi"},
		"yescrypt, 1 GiB":          {"$y$jFT$abc/$" + sum43, "128 MiB"},
		"yescrypt, absurd":         {"$y$jzz$abc/$" + sum43, "parameters"},
		"yescrypt, tiny":           {"$y$j1T$abc/$" + sum43, "parameters"},
		"yescrypt, more words":     {"$y$j9T1$abc/$" + sum43, "parameters"},
		"yescrypt, other flags":    {"$y$.9T$abc/$" + sum43, "parameters"},
		"yescrypt, no salt":        {"$y$j9T$$" + sum43, "yescrypt"},
		"yescrypt, no sum":         {"$y$j9T$abc/", "yescrypt"},
		"gost":                     {"$gy$j9T$abc/$" + sum43, "unknown scheme $gy$"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, password := range []string{"", "x", test.hash} {
				err := Verify(test.hash, password)
				if err == nil || errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want one with %q", err, test.want)
				}
			}
			if err := Check(test.hash); err == nil {
				t.Error("check finds nothing")
			}
		})
	}
}

// tight are limits for inputs at random.
func tight() limits { return limits{rounds: 2000, cost: 4, memory: 1 << 20} }

func FuzzVerify(f *testing.F) {
	for _, r := range recorded() {
		f.Add(r.hash, r.password)
	}
	f.Add("$y$j75$abc/$"+strings.Repeat("a", 43), "x")
	f.Fuzz(func(t *testing.T, hash, password string) {
		err := tight().verify(hash, password)
		if err == nil && Check(hash) != nil {
			t.Errorf("%q is accepted, and cannot be", hash)
		}
		if err != nil && len(hash) > 12 && strings.Contains(err.Error(), hash) {
			t.Errorf("%v shows the hash", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for name, r := range recorded() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Verify(r.hash, r.password)
			}
		})
	}
}
