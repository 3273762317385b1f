package credential

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestSecret(t *testing.T) {
	rows := []struct{ name, text, want, bad string }{
		{"a line", "s3cret\n", "s3cret", ""},
		{"no line end", "s3cret", "s3cret", ""},
		{"carriage return", "s3cret\r\n", "s3cret", ""},
		{"more lines", "s3cret\nnot this\n", "s3cret", ""},
		{"blanks are kept", " a b \n", " a b ", ""},
		{"empty", "", "", "is empty"},
		{"empty line", "\ns3cret\n", "", "is empty"},
		{"longest", strings.Repeat("s", maxSecret) + "\r\n", strings.Repeat("s", maxSecret), ""},
		{"too long", strings.Repeat("s3cret", maxSecret), "", "more than 8192 bytes"},
		{"control characters", "s3cret\x00x\n", "", "control characters"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var f File
			check(t, f.Set(write(t, r.text)))
			got, err := f.Read()
			if got != r.want || (err == nil) != (r.bad == "") || err != nil && (!strings.Contains(err.Error(), r.bad) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none"), os.DevNull} {
		f := File(path)
		if _, err := f.Read(); err == nil || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	check(t, syscall.Mkfifo(fifo, 0o600))
	f := File(fifo)
	if _, err := f.Read(); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Error(err)
	}
	if f := new(File); f.Given() || f.Set("") == nil {
		t.Error("no name is one")
	}
}

func TestExposed(t *testing.T) {
	path := write(t, "s3cret\n")
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o640: "", 0o644: "everybody can read the secret in " + path + " (mode 0644): chmod o-r it",
	} {
		check(t, os.Chmod(path, mode))
		if f := File(path); f.Exposed() != want {
			t.Errorf("%o: %q", mode, f.Exposed())
		}
	}
	none := File(path + "x")
	if none.Exposed() != "" || new(File).Exposed() != "" {
		t.Error("what is not there is exposed")
	}
}

func TestSecretOption(t *testing.T) {
	var s Secret
	if s.Given() || s.Reveal() != "" {
		t.Error("there is one already")
	}
	check(t, s.Set("s3cret"))
	if !s.Given() || s.Reveal() != "s3cret" || s.String() != "" {
		t.Errorf("%q, %q", s.Reveal(), s.String())
	}
	if check(t, s.Set("")); !s.Given() {
		t.Error("an empty one is none")
	}
}

func TestTLSOptions(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	rows := []struct {
		words []string
		bad   string
	}{
		{nil, ""},
		{[]string{"--insecure"}, ""},
		{[]string{"--cert", "a", "--key", "b"}, ""},
		{[]string{"--cert", "a"}, "go together"},
		{[]string{"--key", "a"}, "go together"},
		{[]string{"--insecure", "--ca", none}, "only one"},
		{[]string{"--ca", none}, "--ca"},
		{[]string{"--ca", write(t, "no PEM")}, "no certificate"},
	}
	for _, r := range rows {
		var o TLS
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		o.Declare(fs)
		check(t, fs.Parse(r.words))
		err := o.Validate()
		if (err == nil) != (r.bad == "") || err != nil && !strings.Contains(err.Error(), r.bad) || o.Given() != (len(r.words) > 0) {
			t.Errorf("%v: %v", r.words, err)
		}
	}
	if _, err := (&TLS{Cert: none, Key: none}).Config("a"); err == nil || !strings.Contains(err.Error(), "--cert") {
		t.Error(err)
	}
	c, err := (&TLS{Insecure: true}).Config("a")
	check(t, err)
	if !c.InsecureSkipVerify || c.ServerName != "a" {
		t.Errorf("%+v", c)
	}
}
