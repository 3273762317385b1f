package keepalived

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// nowhere has no files.
type nowhere struct{}

func (nowhere) Glob(string) ([]string, error)      { return nil, nil }
func (nowhere) Read(string, int64) ([]byte, error) { return nil, fs.ErrNotExist }

// FuzzRead: nothing makes the reading panic or last, and what is made of a file
// without errors is printed so that it is read again.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(paths) == 0 {
		f.Fatal(err)
	}
	for _, p := range paths {
		src, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, checks := range []string{"HTTP_GET {\nurl {\npath /\nregex \"a$\"\n}\n}", "SMTP_CHECK {\nhost {\nconnect_port 1\n}\n}", "UDP_CHECK {\nrequire_reply 0x\n}", "MISC_CHECK {\nmisc_path \"/a b\"\nmisc_dynamic\n}"} {
		f.Add([]byte(site("sorry_server 198.51.100.2 80\npersistence_granularity 1.2.3.4", "weight 3\n"+checks)))
	}
	o := Options{lang.Options{ID: "me", Files: nowhere{}, Limits: lang.Limits{Bytes: 1 << 16, Line: 1 << 12, Lines: 4096}}}
	f.Fuzz(func(t *testing.T, src []byte) {
		Is(src)
		r := o.Format().Read("k", src)
		if r.Diagnostics.HasErrors() {
			return
		}
		again, diag := config.Parse("out", r.File.Standalone().Bytes())
		if diag.HasErrors() {
			t.Fatalf("%v\n%s", diag.Err(), r.File.Standalone().Bytes())
		}
		for _, file := range []*config.File{r.File, again} {
			out, diag := config.Expand(t.Context(), file, config.Options{})
			if !diag.HasErrors() {
				config.Resolve(out, config.Options{})
			}
		}
	})
}
