package ipvs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

func sortedLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// copyTable copies every row of from to to.
func copyTable(t testing.TB, from, to ipvs.Table) {
	t.Helper()
	ctx := t.Context()
	services, err := from.Services(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		reals, err := from.Destinations(ctx, s.Virtual)
		if err == nil {
			err = to.AddService(ctx, s)
		}
		for _, d := range reals {
			if err == nil {
				err = to.AddDestination(ctx, s.Virtual, d)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func tableFile(t testing.TB, text string) (*ipvs.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if text != "" {
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	f, err := ipvs.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What has no meaning here stays: comments before their row, unknown options
// on it, and the file's mode.
func TestFileKeepsWhatItDoesNotKnow(t *testing.T) {
	f, path := tableFile(t, `# the shop
-A -t 10.0.0.3:80 -s wlc --quick

# old machine
-a -t 10.0.0.3:80 -r 192.168.0.2:80 -m -w 1 --new-option 5
-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5 -x 100 -y 50
-A -f 7 -s rr -M 255.0.255.0
-C
`)
	must(t, f.UpdateDestination(t.Context(), tcp("10.0.0.3:80"), dest("192.168.0.2:80", ipvs.NAT, 9)))
	const want = `# the shop
-A -t 10.0.0.3:80 -s wlc --quick
-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5 -x 100 -y 50

# old machine
-a -t 10.0.0.3:80 -r 192.168.0.2:80 -m -w 9 --new-option 5
-A -f 7 -s rr -M 255.0.255.0
-C
`
	if d := cmp.Diff(want, content(t, path)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	must(t, f.DeleteDestination(t.Context(), tcp("10.0.0.3:80"), addr("192.168.0.2:80")))
	if got := content(t, path); !strings.HasSuffix(got, "-C\n\n# old machine\n") {
		t.Errorf("the comment of a row that went is lost:\n%s", got)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want 0640", st.Mode(), err)
	}
}

func TestFileRefusesNonsense(t *testing.T) {
	for name, text := range map[string]string{
		"a name":            "-A -t www:http -s wlc\n",
		"no service":        "-A -s wlc\n",
		"two services":      "-A -t 10.0.0.3:80 -u 10.0.0.3:80 -s wlc\n",
		"twice":             "-A -t 10.0.0.3:80 -s wlc\n-A -t 10.0.0.3:80 -s rr\n",
		"real first":        "-a -t 10.0.0.3:80 -r 10.0.0.4:80 -m -w 1\n",
		"no real":           "-A -t 10.0.0.3:80 -s wlc\n-a -t 10.0.0.3:80 -m -w 1\n",
		"real twice":        "-A -f 1 -s wlc\n-a -f 1 -r 10.0.0.4 -m\n-a -f 1 -r 10.0.0.4:0 -g\n",
		"weight":            "-A -f 1 -s wlc\n-a -f 1 -r 10.0.0.4 -m -w many\n",
		"no argument":       "-A -t 10.0.0.3:80 -s\n",
		"an option twice":   "-A -t 10.0.0.3:80 -s wlc -s rr\n",
		"mark":              "-A -f 0 -s wlc\n",
		"tunnel":            "-A -f 1 -s wlc\n-a -f 1 -r 10.0.0.4 -i --tun-type vxlan\n",
		"v4 prefix":         "-A -t 10.0.0.3:80 -s wlc -p 1 -M 24\n",
		"v6 mask":           "-A -t [fd00::1]:80 -s wlc -p 1 -M 255.0.0.0\n",
		"scheduler's flags": "-A -f 1 -s wlc -b fast\n",
	} {
		t.Run(name, func(t *testing.T) {
			f, path := tableFile(t, text)
			err := f.AddService(t.Context(), service(tcp("10.0.0.9:80")))
			if !errors.Is(err, ipvs.ErrInvalid) || !strings.Contains(err.Error(), path+": line ") {
				t.Errorf("got %v, want ErrInvalid with the file and the line", err)
			}
			if got := content(t, path); got != text {
				t.Errorf("the file was changed:\n%s", got)
			}
		})
	}
}

func TestFileWritesNothingWithoutChange(t *testing.T) {
	f, path := tableFile(t, "")
	must(t, f.Edit(t.Context(), func(ipvs.Table) error { return nil }))
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("an edit without change made the file: %v", err)
	}
}

// A failed edit keeps what was done before it, as the kernel does.
func TestFileEditKeepsWhatWasDone(t *testing.T) {
	f, path := tableFile(t, "")
	boom := errors.New("boom")
	err := f.Edit(t.Context(), func(table ipvs.Table) error {
		return errors.Join(table.AddService(t.Context(), service(tcp("10.0.0.3:80"))), boom)
	})
	if !errors.Is(err, boom) || content(t, path) != "-A -t 10.0.0.3:80 -s wlc\n" {
		t.Errorf("%v, file:\n%s", err, content(t, path))
	}
}

func TestFileThroughLink(t *testing.T) {
	f, path := tableFile(t, "-A -f 1 -s rr\n")
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(path, link))
	l, err := ipvs.OpenFile(link)
	must(t, err)
	must(t, l.DeleteService(t.Context(), ipvs.Virtual{Mark: 1}))
	wantServices(t, f, []ipvs.Service{})
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no more: %v, %v", st, err)
	}
}

func TestFileConcurrentEdits(t *testing.T) {
	f, path := tableFile(t, "")
	v := tcp("10.0.0.3:80")
	must(t, f.AddService(t.Context(), service(v)))
	var wg sync.WaitGroup
	for _, a := range []string{"10.0.1.1:80", "10.0.1.2:80", "10.0.1.3:80", "10.0.1.4:80"} {
		wg.Go(func() {
			other, err := ipvs.OpenFile(path)
			if err == nil {
				err = other.AddDestination(t.Context(), v, dest(a, ipvs.NAT, 1))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := f.Destinations(t.Context(), v)
	if err != nil || len(list) != 4 {
		t.Errorf("%d rows, %v; want 4: an edit was lost", len(list), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".table*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkFileEdit(b *testing.B) {
	f, _ := tableFile(b, "-A -t 10.0.0.3:80 -s wlc\n")
	v, d := tcp("10.0.0.3:80"), dest("192.168.0.1:80", ipvs.Direct, 1)
	for b.Loop() {
		if err := errors.Join(f.AddDestination(b.Context(), v, d), f.DeleteDestination(b.Context(), v, d.Addr)); err != nil {
			b.Fatal(err)
		}
	}
}

// Any table written is read back as it was, and written again the same.
func TestFileRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		fake := ipvs.NewFake()
		fillTable(t, r, fake)
		path := filepath.Join(dir, "table")
		if err := os.WriteFile(path, []byte(fake.Text()), 0o600); err != nil {
			r.Fatal(err)
		}
		f, err := ipvs.OpenFile(path)
		if err != nil {
			r.Fatal(err)
		}
		again := ipvs.NewFake()
		copyTable(t, f, again)
		if d := cmp.Diff(fake.Text(), again.Text()); d != "" {
			r.Fatalf("(-written +read):\n%s", d)
		}
	})
}

func fillTable(t *testing.T, r *rapid.T, table ipvs.Table) {
	for range rapid.IntRange(0, 4).Draw(r, "services") {
		s := drawService(r)
		if table.AddService(t.Context(), s) != nil {
			continue // drawn twice, or a mask beyond its family
		}
		for range rapid.IntRange(0, 4).Draw(r, "reals") {
			_ = table.AddDestination(t.Context(), s.Virtual, drawDestination(r))
		}
	}
}

var drawnAddresses = []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:8080", "[2001:db8::1]:80", "[2001:db8::2]:80"}

func drawService(r *rapid.T) ipvs.Service {
	v := ipvs.Virtual{
		Protocol: rapid.SampledFrom([]ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP}).Draw(r, "protocol"),
		Addr:     addr(rapid.SampledFrom(drawnAddresses).Draw(r, "virtual")),
	}
	if rapid.Bool().Draw(r, "marked") {
		v = ipvs.Virtual{Mark: rapid.Uint32Range(1, 3).Draw(r, "mark"), V6: rapid.Bool().Draw(r, "v6")}
	}
	return ipvs.Service{
		Virtual:    v,
		Scheduler:  rapid.SampledFrom([]string{"rr", "wlc", "sh", "mh"}).Draw(r, "scheduler"),
		Persist:    rapid.Uint32().Draw(r, "persist"),
		Mask:       rapid.Uint8Range(0, 31).Draw(r, "mask"),
		OnePacket:  rapid.Bool().Draw(r, "one packet"),
		SchedFlags: rapid.Uint8Range(0, 7).Draw(r, "flags"),
		Engine:     rapid.SampledFrom([]string{"", "sip"}).Draw(r, "engine"),
	}
}

func drawDestination(r *rapid.T) ipvs.Destination {
	d := ipvs.Destination{
		Addr:    addr(rapid.SampledFrom(drawnAddresses).Draw(r, "real")),
		Weight:  rapid.Uint32Range(0, 65535).Draw(r, "weight"),
		Forward: rapid.SampledFrom([]ipvs.Forward{ipvs.NAT, ipvs.Tunnel, ipvs.Direct}).Draw(r, "forward"),
		Lower:   rapid.Uint32Range(0, 9).Draw(r, "lower"),
		Upper:   rapid.Uint32Range(9, 20).Draw(r, "upper"),
	}
	if d.Forward == ipvs.Tunnel && rapid.Bool().Draw(r, "wrapped") {
		d.Tunnel.Type = ipvs.TunnelType(rapid.IntRange(0, 2).Draw(r, "type"))
		d.Tunnel.Port = rapid.Uint16().Draw(r, "port")
	}
	return d
}
