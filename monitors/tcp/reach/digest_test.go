package reach_test

import (
	"io"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

func TestDigest(t *testing.T) {
	const md5abc, sha256abc = "md5:900150983cd24fb0d6963f7d28e17f72", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	zeros := "md5:" + strings.Repeat("00", 16)
	for option, tt := range map[string]struct{ got, err string }{
		"md5":                      {md5abc, ""},
		"SHA256":                   {sha256abc, ""},
		strings.ToUpper(sha256abc): {sha256abc, ""},
		zeros:                      {md5abc, "the digest is " + md5abc + ", want " + zeros},
	} {
		var d reach.Digest
		if d.Given() {
			t.Error("one is given already")
		}
		if err := d.Set(option); err != nil || !d.Given() || d.String() != strings.ToLower(option) {
			t.Errorf("%s: %v, %s", option, err, &d)
		}
		h := d.New()
		_, _ = io.WriteString(h, "abc")
		if got, err := d.Judge(h); got != tt.got || text(err) != tt.err {
			t.Errorf("%s: %s, %v", option, got, err)
		}
	}
	for option, want := range map[string]string{
		"":                                "want sha256:HEX or md5:HEX",
		"sha1:00":                         "want sha256:HEX or md5:HEX",
		"sha256:ab":                       "want 64 hexadecimal figures after sha256:",
		"md5:":                            "want 32 hexadecimal figures after md5:",
		"md5:" + strings.Repeat("zz", 16): "want 32 hexadecimal figures after md5:",
		zeros + ":":                       "want 32 hexadecimal figures after md5:",
	} {
		if err := new(reach.Digest).Set(option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", option, err)
		}
	}
}

func FuzzDigest(f *testing.F) {
	for _, seed := range []string{"sha256:" + strings.Repeat("0f", 32), "MD5:" + strings.Repeat("0F", 16), "md5", "md5:", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var d, again reach.Digest
		if d.Set(in) == nil && (again.Set(d.String()) != nil || d.String() != again.String()) {
			t.Errorf("%q: %q, %q", in, &d, &again)
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, seed := range []string{"1", "64k", "256M", "0", "-1", "1G"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var s, again reach.Size
		if s.Set(in) == nil && (again.Set(s.String()) != nil || s != again || s < 1 || s > 256<<20) {
			t.Errorf("%q: %d, %d", in, s, again)
		}
	})
}
