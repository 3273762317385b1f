package toml

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// count is how many comments stand in a tree.
func count(n *tree.Node) int {
	all := 0
	for _, list := range [][]string{n.Above, n.Below, {n.Beside}} {
		for _, c := range list {
			if c != "" {
				all++
			}
		}
	}
	for _, e := range n.List {
		all += count(e)
	}
	return all
}

// Nothing makes reading panic, every error has its place, no comment of a good
// file is lost, and what was read can be written and read again.
func FuzzTOML(f *testing.F) {
	bad, err := os.ReadFile("testdata/bad.toml")
	if err != nil {
		f.Fatal(err)
	}
	for part := range strings.SplitAfterSeq(string(bad), "\n\n") {
		f.Add([]byte(part))
	}
	for _, s := range []string{
		string(bad), "", "\xef\xbb\xbfmaxprocs = 1", "# a\n\n# b\n[hostgroup] # c\n# d\ng = [ # e\n'h', # f\n# g\n] # h\n# i",
		"[watch.a.service.b] # a\nperiod = [ # b\n{ when = '', # c\n# d\nalert = [['x', # e\n'y']] } # f\n] # g",
		"[watch]\n'a b'.use = ['t p=1', ['t', 'q=\"\\u00e4\"']]\n[template.t]\nparams = ['p', 'q=$$']\n[template.t.service.x]\nrise = '$p'\nenv.X = '''\n a\n'''",
		"alias.x = '''\n a\n\n #b\n'''\nview.v = ['x']\ninclude = ['/nonexistent/*.toml'] # x", "grant = { a = [] # x\n} # y", "[watch] # x", "[watch.x]\nservice = {} # y\n#z",
		"[virtual.v]\naddress = ['tcp 10.0.0.3:80', 'fwmark 7'] # a\nreal = ['192.168.0.1 weight 5', # b\n'192.168.0.2 name x']\nquorum = 1\none_packet = false\n[[virtual.v.period]]\nalert = 'a'\n[virtual.v.check.c]\nmonitor = 'm -p $port $$'\non = ['primary']\nthrough = true",
		"[virtual.v]\nuse = 't'\nreal = '1.2.3.4-9'\n[[virtual.v.check]] # a\n# b\nname = 'c' # d\nmonitor = 'm'\n[[virtual.v.check]]\nmonitor = ['n', '$real']\n[template.t]\naddress = 'tcp 10.0.0.3:80'\nlocal_fault = 'link eth0'\n[template.t.check.c]\nrise = 2",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diag := Parse("f.toml", src)
		if slices.ContainsFunc(file.Statements, func(s config.Statement) bool { return s.Kind == config.KindInclude }) {
			return // it would read files of this machine
		}
		o := bare()
		whole, more := config.Expand(t.Context(), file, o)
		was, again := config.Resolve(whole, o)
		all := append(append(diag, more...), again...)
		_ = printed(all)
		for _, d := range all {
			if d.Severity == config.Error && (d.Pos.Line == 0 || d.Mark > len(d.Line)) && d.Pos.File == "f.toml" {
				t.Fatalf("no place: %+v", d)
			}
		}
		if diag.HasErrors() {
			return
		}
		doc, _ := tree.Parse(strings.TrimPrefix(string(src), "\ufeff"))
		if want, got := count(doc.Root)+len(doc.Head), len(remarks(file)); want != got {
			t.Fatalf("%d comments became %d:\n%s", want, got, src)
		}
		text, said := Format(file)
		if said.HasErrors() {
			return
		}
		there, diag := Parse("g.toml", text)
		if diag.HasErrors() {
			t.Fatalf("%s\n%s", printed(diag), text)
		}
		if !all.HasErrors() {
			is := mean(t, there, diag)
			if what, reordered := Difference(was, is); what != "" && !reordered {
				t.Fatalf("%s:\n%s\nwas written as\n%s", what, src, text)
			}
		}
		AsMonCf(file)
	})
}
