package instance

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// folder makes an /etc/fake of these files.
func folder(t *testing.T, files map[string]string) Files {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "@DIR@", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Files{Folder: dir}
}

var vip = netip.MustParseAddr("10.0.0.3")

const common = "SPOOF_IP=10.0.0.3\nIFCONFIG=TRUE\nTARGET_INTERFACE=eth0:2\nSPOOF_NETMASK=255.255.255.0\nSPOOF_BROADCAST=10.0.0.255\n"

func TestLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		files    map[string]string
		words    []string // of the group
		passive  bool
		warnings []string
	}{
		"as the samples have it": {
			files: map[string]string{
				".fakerc":                      "# settings\nARP_DELAY=5\nCLEAR_ROUTERS_FILE=/none\nPID_DIR=/var/run\nINSTANCE_CONFIG_DIR=\"@DIR@/instance_config\"\nexport PATH=/sbin:$PATH\n",
				"instance_config/10.0.0.3.cfg": common,
			},
			words: []string{"--conflict", "takeover", "--refresh", "10s", "10.0.0.3/24/eth0:2/10.0.0.255"},
		},
		"without .fakerc, only announced": {
			files:   map[string]string{"instance_config/10.0.0.3.cfg": "SPOOF_IP=10.0.0.3 # ours\nIFCONFIG='FALSE'\nTARGET_INTERFACE=eth0\n"},
			words:   []string{"--conflict", "takeover", "10.0.0.3/32/eth0"},
			passive: true,
		},
		"another folder, and variables": {
			files: map[string]string{
				".fakerc":            "BASE=@DIR@\nINSTANCE_CONFIG_DIR=${BASE}/other\nARP_DELAY=1",
				"other/10.0.0.3.cfg": common + "ARP_DELAY=2\n",
			},
			words:    []string{"--conflict", "takeover", "--refresh", "4s", "10.0.0.3/24/eth0:2/10.0.0.255"},
			warnings: []string{"BASE is no option of fake"},
		},
		"routers, stations and dead options": {
			files: map[string]string{
				"instance_config/10.0.0.3.cfg": common + "SEND_ARP_TARG_IP=10.0.0.9\nSEND_ARP_TARG_HW=00:11:22:33:44:55\nFAKE_RSH=ssh\nFOREIGN_INTERFACE=STATIC\nFOREIGN_ARP=\nFOREIGN_MACADDR=00:11:22:33:44:66\n",
				"clear_routers":                "# of the house\n10.0.0.1\nrouter2 # by name\n10.0.0.9\n",
			},
			words: []string{"--conflict", "takeover", "--tell", "10.0.0.9", "--tell", "10.0.0.1", "10.0.0.3/24/eth0:2/10.0.0.255"},
			warnings: []string{
				"FAKE_RSH has no effect", "FOREIGN_MACADDR has no effect: when the address is given back", "SEND_ARP_TARG_HW has no effect", "FOREIGN_INTERFACE has no effect",
				"router 10.0.0.1 is not logged in to: it is told by a packet", "router router2 is not logged in to, and is told as every", "router 10.0.0.9",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := folder(t, tt.files).Load(vip)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.words, in.Group.Args()); d != "" || in.Passive != tt.passive {
				t.Errorf("passive %v, words (-want +got):\n%s", in.Passive, d)
			}
			if len(in.Warnings) != len(tt.warnings) {
				t.Fatalf("warnings: %q", in.Warnings)
			}
			for i, want := range tt.warnings {
				if !strings.Contains(in.Warnings[i], want) {
					t.Errorf("warning %q, want %q", in.Warnings[i], want)
				}
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ rc, cfg, want string }{
		"another address":     {"", strings.Replace(common, "0.3", "0.4", 1), `SPOOF_IP is "10.0.0.4": it must be 10.0.0.3`},
		"no IFCONFIG":         {"", "SPOOF_IP=10.0.0.3\n", `IFCONFIG is "": say TRUE or FALSE`},
		"no interface":        {"", "SPOOF_IP=10.0.0.3\nIFCONFIG=TRUE\n", "TARGET_INTERFACE is missing"},
		"no netmask":          {"", "SPOOF_IP=10.0.0.3\nIFCONFIG=TRUE\nTARGET_INTERFACE=eth0\n", "SPOOF_NETMASK is missing"},
		"a bad netmask":       {"", common + "SPOOF_NETMASK=255.0.255.0\n", "no netmask"},
		"a bad delay":         {"", common + "ARP_DELAY=often\n", "ARP_DELAY is \"often\""},
		"a bad station":       {"", common + "SEND_ARP_TARG_IP=router\n", "SEND_ARP_TARG_IP is"},
		"a command":           {"", common + "ifconfig eth0\n", "line 6: \"ifconfig eth0\" is no assignment"},
		"a command's output":  {"ARP_DELAY=`cat /x`\n", common, ".fakerc: line 1: ARP_DELAY: the output of a command"},
		"another one":         {"X=\"$(cat /x)\"\n", common, "the output of a command"},
		"a command behind":    {"X=1; rm x\n", common, `"rm x" behind the value`},
		"an assignment of it": {"X=1 rm\n", common, `"rm" behind the value`},
		"a pipe":              {"X=1|y\n", common, "would be executed"},
		"an open quote":       {"X=\"1\n", common, "is not closed"},
		"an expansion":        {"X=${Y:-1}\n", common, "only ${NAME}"},
		"a large file":        {strings.Repeat("#", maxFile+1), common, "larger than 64 KB"},
	} {
		files := map[string]string{".fakerc": tt.rc, "instance_config/10.0.0.3.cfg": tt.cfg}
		if _, err := folder(t, files).Load(vip); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := folder(t, nil).Load(vip); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

// TestNothingIsExecuted: a file that would make another.
func TestNothingIsExecuted(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	for _, line := range []string{"touch " + made, "X=$(touch " + made + ")", "X=`touch " + made + "`", "X=1 touch " + made, "X=1; touch " + made, "X=1 && touch " + made} {
		if err := Assignments(map[string]string{}, line); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("a line was executed")
	}
}

// TestTwoHomes: the second .fakerc goes over the first.
func TestTwoHomes(t *testing.T) {
	f := folder(t, map[string]string{".fakerc": "ARP_DELAY=1\n", "home/.fakerc": "ARP_DELAY=30\n", "instance_config/10.0.0.3.cfg": common})
	f.Home = filepath.Join(f.Folder, "home")
	in, err := f.Load(vip)
	if err != nil || in.Group.Refresh != time.Minute {
		t.Errorf("refresh %v, %v", in.Group.Refresh, err)
	}
}

// FuzzAssignments: no text takes more memory than its bound, and what is
// refused is refused with its line.
func FuzzAssignments(f *testing.F) {
	f.Add(common)
	f.Add("A=$A$A\nexport B='x y'\nC=\"${A}\\\"\" # end\n")
	f.Add("A=aaaaaaaaaa\nA=$A$A$A$A$A$A$A$A$A$A\nA=$A$A$A$A$A$A$A$A$A$A\nA=$A$A$A$A$A$A$A$A$A$A\nA=$A$A$A$A$A$A$A$A$A$A\nA=$A$A$A$A$A$A$A$A$A$A\n")
	f.Fuzz(func(t *testing.T, text string) {
		set := map[string]string{}
		if err := Assignments(set, text); err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%v", err)
		}
		for name, value := range set {
			if !isName(name) || len(value) > maxFile+len(text) {
				t.Errorf("%q: %d bytes", name, len(value))
			}
		}
	})
}
