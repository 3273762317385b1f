package login_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/login"
	"github.com/mondhq/mond/plugins/monitor"
)

// options reads a command line and what it prints.
func options(args ...string) (*login.Options, string, error) {
	var o login.Options
	var printed strings.Builder
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(&printed)
	o.Declare(fs)
	err := errors.Join(fs.Parse(args), o.Validate())
	fs.PrintDefaults()
	return &o, printed.String(), err
}

func TestValidate(t *testing.T) {
	for args, want := range map[string]string{
		"":                                 "",
		"--user|bob":                       "",
		"--user|bob|--password|x":          "",
		"--user|bob|--password|x y":        "",
		"--user|bob|--password-file|/none": "",
		"--password|hunter2":               "they need --user",
		"--password-file|f":                "they need --user",
		"--user|bob|--password|x|--password-file|f":      "only one of them",
		"--user|bob\r\nDELE x":                           "option --user: want text without control characters",
		"--user|bob|--password|hunter2\r\nDELE x":        "option --password: want text without control characters",
		"--user|bob|--password|hunter2\x00":              "option --password: want text without control characters",
		"--user|bob|--password|hunter2|--password-file|": "want the name of a file",
	} {
		o, printed, err := options(strings.Split(args, "|")...)
		if args == "" {
			o, printed, err = options()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") || strings.Contains(printed, "hunter2") {
			t.Errorf("%q shows the password: %v\n%s", args, err, printed)
		}
		if o.HasPassword() != strings.Contains(args, "--password") {
			t.Errorf("%q: has a password: %v", args, o.HasPassword())
		}
	}
}

func TestPassword(t *testing.T) {
	o, _, _ := options("--user", "bob", "--password", "hunter2")
	if p, remark, err := o.Password(); p != "hunter2" || remark != "" || err != nil {
		t.Errorf("%q, %q, %v", p, remark, err)
	}
	o, _, _ = options("--user", "bob")
	if p, remark, err := o.Password(); p != "" || remark != "" || err != nil {
		t.Errorf("%q, %q, %v", p, remark, err)
	}
}

func TestPasswordFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		want string
		err  string
	}{
		"line":         {"hunter2\n", 0o600, "hunter2", ""},
		"no end":       {"hunter2", 0o600, "hunter2", ""},
		"two lines":    {"hunter2\nmore\n", 0o600, "hunter2", ""},
		"DOS":          {"hunter2\r\n", 0o600, "hunter2", ""},
		"blanks":       {" hunter 2 \n", 0o640, " hunter 2 ", ""},
		"longest":      {strings.Repeat("z", 8192) + "\n", 0o600, strings.Repeat("z", 8192), ""},
		"too open":     {"hunter2\n", 0o644, "hunter2", ""},
		"empty":        {"", 0o600, "", "FILE: the first line is empty"},
		"blank":        {"\nhunter2\n", 0o600, "", "FILE: the first line is empty"},
		"too long":     {strings.Repeat("z", 8193), 0o600, "", "FILE: the first line has more than 8192 bytes"},
		"far too long": {strings.Repeat("z", 10<<20), 0o600, "", "FILE: the first line has more than 8192 bytes"},
		"no text":      {"hunter2\x00\n", 0o600, "", "FILE: the first line holds control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "password")
			if err := errors.Join(os.WriteFile(file, []byte(tt.text), 0o600), os.Chmod(file, tt.mode)); err != nil {
				t.Fatal(err)
			}
			o, _, _ := options("--user", "bob", "--password-file", file)
			p, remark, err := o.Password()
			if p != tt.want || (err == nil) != (tt.err == "") {
				t.Fatalf("%q, %v", p, err)
			}
			if err != nil && (err.Error() != "option --password-file: "+strings.ReplaceAll(tt.err, "FILE", file) || !monitor.Local(err)) {
				t.Error(err)
			}
			wantRemark := ""
			if tt.mode&4 != 0 {
				wantRemark = "everybody can read the secret in " + file + " (mode 0644): chmod o-r it"
			}
			if remark != wantRemark {
				t.Errorf("%q, want %q", remark, wantRemark)
			}
		})
	}
}

func TestPasswordFileThatIsNone(t *testing.T) {
	for _, file := range []string{t.TempDir(), "/nonexistent/password", os.DevNull} {
		o, _, err := options("--user", "bob", "--password-file", file)
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := o.Password(); p != "" || !monitor.Local(err) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %q, %v", file, p, err)
		}
	}
}

func TestAChangeIsSeen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	o, _, _ := options("--user", "bob", "--password-file", file)
	for _, want := range []string{"old", "new"} {
		if err := os.WriteFile(file, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, _, err := o.Password(); p != want || err != nil {
			t.Errorf("%q, %v", p, err)
		}
	}
}
