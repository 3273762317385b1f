package beside

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// keepalived starts a notify script for each change and waits for none: one that
// the processor runs late must not undo what a newer one did.
func TestNotifyLate(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conf/web"), vip+"\n", 0o644)
	write(t, filepath.Join(dir, "bin/fake"), "#!/bin/sh\necho \"$2\" >>"+dir+"/did\n", 0o755)
	// The late one stands here until it may go on.
	write(t, filepath.Join(dir, "bin/mkdir"), "#!/bin/sh\n[ -z \"$LATE\" ] || read -r _ <"+dir+"/go\nexec /bin/mkdir \"$@\"\n", 0o755)
	if out, err := exec.Command("mkfifo", filepath.Join(dir, "go")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	call := func(state string, more ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), etc(t, "keepalived/mond-notify"), "INSTANCE", "web", state, "100")
		cmd.Env = append(os.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"), "MOND_KEEPALIVED="+dir+"/conf", "MOND_RUN="+dir+"/run")
		cmd.Env = append(cmd.Env, more...)
		return cmd
	}
	late := call("MASTER", "LATE=1")
	if err := late.Start(); err != nil {
		t.Fatal(err)
	}
	if out, err := call("BACKUP").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, filepath.Join(dir, "go"), "\n", 0o644)
	if err := late.Wait(); err != nil {
		t.Error(err)
	}
	did, err := os.ReadFile(filepath.Join(dir, "did"))
	if words := strings.Fields(string(did)); err != nil || len(words) != 1 || words[0] != "stop" {
		t.Errorf("fake was called with %q, %v, want stop once", words, err)
	}
}
