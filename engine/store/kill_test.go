package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/opstatus"
)

// childFile, in the environment, makes this test binary the process that is
// killed: it names the store.
const childFile = "MOND_STORE_KILL_TEST"

func TestMain(m *testing.M) {
	if file := os.Getenv(childFile); file != "" {
		if err := appendUntilKilled(file); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

// appendUntilKilled queues notices and counts up a record for ever, ends each
// notice five later, and prints what the store has acknowledged.
func appendUntilKilled(file string) error {
	s, err := Open(Options{Path: file, Gather: -1})
	if err != nil {
		return err
	}
	saved, err := s.Load()
	if err != nil {
		return err
	}
	window := make(chan struct{}, 40) // batches under way
	for seq := saved.NextSeq; ; seq++ {
		b := Batch{
			Records: map[opstatus.Key]Record{key(0): record(int(seq)), key(int(seq % 50)): record(int(seq))},
			Queued:  []Notice{notice(seq, fmt.Sprint("s", seq), "mail.alert")},
			Events:  []Event{{At: time.Now(), Kind: "status", Text: fmt.Sprint(seq), From: "ok", To: "fail", Notice: fmt.Sprint(seq)}},
		}
		if seq > 5 {
			b.Started, b.Done = []uint64{seq}, []uint64{seq - 5}
		}
		window <- struct{}{}
		s.Append(b, func(err error) {
			if err == nil {
				fmt.Println("acked", seq)
			}
			<-window
		})
	}
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	file := path(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 10 {
		acked := killAfter(t, file, 1+rng.IntN(120), time.Duration(rng.IntN(2000))*time.Microsecond)
		s, err := Open(Options{Path: file})
		check(t, err)
		verify(t, s, acked)
		check(t, s.db.Close())
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// killAfter runs a child, kills it some time after its nth acknowledgement and
// gives the last acknowledgement that it made.
func killAfter(t *testing.T, file string, n int, then time.Duration) (acked uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childFile+"="+file)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for ; lines.Scan(); n-- {
		if _, err := fmt.Sscanf(lines.Text(), "acked %d", &acked); err != nil && strings.HasPrefix(lines.Text(), "error") {
			t.Error(lines.Text())
		}
		if n == 0 {
			time.AfterFunc(then, func() { _ = cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return acked
}

func verify(t *testing.T, s *Store, acked uint64) {
	t.Helper()
	saved := s.saved
	if saved.Clean || saved.Damaged != 0 {
		t.Errorf("clean %v, damaged %d", saved.Clean, saved.Damaged)
	}
	last := uint64(saved.Records[key(0)].State.Total)
	if last%50 != 0 && saved.Records[key(int(last%50))].State.Total != int(last) {
		t.Errorf("batch %d is there in part", last)
	}
	if last < acked || saved.NextSeq != last+1 {
		t.Errorf("acknowledged %d, saved %d, next seq %d", acked, last, saved.NextSeq)
	}
	if len(saved.Outbox) == 0 || saved.Outbox[len(saved.Outbox)-1].Seq != last || saved.Outbox[0].Seq+4 < last {
		t.Errorf("outbox of batch %d: %d notices", last, len(saved.Outbox))
	}
	want := last
	for e, err := range s.Events(Filter{Limit: 20}) {
		check(t, err)
		if e.Text != fmt.Sprint(want) || e.Notice != e.Text || e.To != "fail" || e.Number != want {
			t.Errorf("event is %q, want %d", e.Text, want)
		}
		want--
	}
}
