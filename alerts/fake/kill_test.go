package fake

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// childEnv makes the test's program a holder that takes and releases a group in a
// loop, in the namespace it is started in.
const childEnv = "MOND_TEST_HOLDER"

// child holds and releases until it is killed.
func child() int {
	work := make(chan role.Work)
	go func() {
		line := role.Line{Group: "web", Args: strings.Fields(os.Getenv(childEnv))}
		work <- role.Work{Full: true, Lines: []role.Line{line}}
		fmt.Println("ready")
		for epoch := uint64(1); ; epoch++ {
			work <- role.Work{Tokens: []role.Token{{Group: "web", Epoch: epoch, Hold: epoch%2 == 1, Until: boottime.Now() + time.Hour, Lease: 2 * time.Second}}}
		}
	}()
	a := NewFactory(Options{Log: quiet()})(flag.NewFlagSet("", flag.ContinueOnError)).(*fakeAlert)
	if err := a.Hold(context.Background(), work, func(role.Stand) {}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Killed at any instant it leaves all or none, for no longer than the lease; and
// who starts after it knows what is his.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	line := "--group web"
	for i := range 60 {
		line += fmt.Sprintf(" 10.0.0.%d/32/eth0", i+10)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	all, none := 0, 0
	for i := range 20 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childEnv+"="+line)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		s.Do(func() { err = cmd.Start() })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		<-time.After(time.Duration(i*i) * 131 * time.Microsecond) // any instant
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		switch n := strings.Count(s.IP(t, "-4 addr show dev eth0"), "/32"); n {
		case 0:
			none++
		case 60:
			all++
		default:
			t.Errorf("killed, it left %d of 60", n)
		}
	}
	t.Logf("all %d times, none %d times", all, none)
	s.lines(line)
	s.until("the lease is over", "web", func(r role.Stand) bool { return r.Held == 0 })
	s.token("web", true, 2*time.Second, time.Hour)
	s.held("taken", "web", 60)
}
