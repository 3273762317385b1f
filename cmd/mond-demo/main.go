// Command mond-demo shows mond's main job on loopback, without root: two web
// servers behind a virtual address, one dies and returns, the table and the
// mail follow. `make demo` runs it. It is not for production; everything it
// starts it also ends.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run shows the demonstration: 0 when everything happened as it should.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	config := "etc/demo.cf"
	if len(args) > 0 {
		config = args[0]
	}
	if err := demonstrate(ctx, config, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "mond-demo: %v\n", err)
		return 1
	}
	return 0
}

// stage is where the demonstration takes place.
type stage struct {
	out        io.Writer
	dir        string
	web1, web2 *webServer
	mail       *mailSink
	mond       *daemon
}

// demonstrate sets the stage, plays, and clears it again.
func demonstrate(ctx context.Context, config string, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "mond-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &stage{out: stdout, dir: dir}
	defer func() {
		if end := s.clear(); err == nil {
			err = end
		}
	}()
	if err := s.set(ctx, config, stderr); err != nil {
		return err
	}
	return s.play(ctx)
}

// set starts the servers and the daemon.
func (s *stage) set(ctx context.Context, config string, stderr io.Writer) (err error) {
	if s.web1, err = startWeb("one"); err != nil {
		return err
	}
	if s.web2, err = startWeb("two"); err != nil {
		return err
	}
	if s.mail, err = startMail(); err != nil {
		return err
	}
	file, err := s.write(config)
	if err != nil {
		return err
	}
	s.say("Two web servers run at %s and %s, a mail server at %s.", s.web1.addr, s.web2.addr, s.mail.addr)
	s.say("mond starts with %s; the virtual address is in the table, empty:", config)
	s.showTable()
	s.mond, err = startMond(ctx, file, stderr)
	return err
}

// write copies the configuration with this run's folder and ports, and makes
// the table with the virtual service in it.
func (s *stage) write(config string) (string, error) {
	text, err := os.ReadFile(config)
	if err != nil {
		return "", fmt.Errorf("read the demonstration's configuration: %w; run make demo in the checkout", err)
	}
	changed := strings.NewReplacer("STATEDIR", s.dir, "18081", port(s.web1.addr), "18082", port(s.web2.addr),
		"18025", port(s.mail.addr)).Replace(string(text))
	file := filepath.Join(s.dir, "demo.cf")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		return "", err
	}
	return file, os.WriteFile(s.table(), []byte("-A -t 127.0.0.1:18080 -s wlc\n"), 0o600)
}

func (s *stage) table() string { return filepath.Join(s.dir, "table") }

// play is the demonstration itself.
func (s *stage) play(ctx context.Context) error {
	if err := s.wait(ctx, "both servers answer and are in the table", s.has(s.web1, true), s.has(s.web2, true)); err != nil {
		return err
	}
	s.showTable()
	s.say("The second web server dies.")
	s.web2.stop()
	if err := s.wait(ctx, "it has left the table", s.has(s.web2, false)); err != nil {
		return err
	}
	s.showTable()
	if err := s.showMail(ctx, "ALERT"); err != nil {
		return err
	}
	s.say("The second web server returns.")
	if err := s.web2.start(); err != nil {
		return err
	}
	if err := s.wait(ctx, "it is back in the table with its weight", s.has(s.web2, true)); err != nil {
		return err
	}
	s.showTable()
	if err := s.showMail(ctx, "UPALERT"); err != nil {
		return err
	}
	s.say("What mond says of it (monctl why web2:http):")
	return s.mond.why(ctx, s.out, s.dir)
}

// clear ends everything; a daemon that does not stop cleanly is an error.
func (s *stage) clear() error {
	var err error
	if s.mond != nil {
		if err = s.mond.stop(); err == nil {
			s.say("mond has stopped cleanly, every process is gone.")
		}
	}
	for _, w := range []*webServer{s.web1, s.web2} {
		if w != nil {
			w.stop()
		}
	}
	if s.mail != nil {
		s.mail.stop()
	}
	return err
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.out, "\n== "+format+"\n", args...) }

// has asks whether a server is in the table.
func (s *stage) has(w *webServer, want bool) func() bool {
	return func() bool {
		text, _ := os.ReadFile(s.table()) // unreadable is the same as not there
		return strings.Contains(string(text), "-r "+w.addr+" ") == want
	}
}

// wait polls until all conditions hold, and says how long that took.
func (s *stage) wait(ctx context.Context, what string, conditions ...func() bool) error {
	begin := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, holds := range conditions {
		for !holds() {
			select {
			case <-ctx.Done():
				return fmt.Errorf("waited for: %s: %w", what, ctx.Err())
			case err := <-s.mond.ended:
				return fmt.Errorf("mond ended while waiting for: %s: %v", what, err)
			case <-tick.C:
			}
		}
	}
	s.say("After %d ms %s.", time.Since(begin).Milliseconds(), what)
	return nil
}

func (s *stage) showTable() {
	text, err := os.ReadFile(s.table())
	if err != nil {
		fmt.Fprintln(s.out, err)
		return
	}
	for line := range strings.Lines(string(text)) {
		fmt.Fprint(s.out, "   ", line)
	}
}

// showMail waits for a mail whose subject begins with word and shows it.
func (s *stage) showMail(ctx context.Context, word string) error {
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for a mail that begins with %s: %w", word, ctx.Err())
		case m := <-s.mail.got:
			if !strings.Contains(m, "\nSubject: "+word) {
				continue
			}
			s.say("The mail that went out:")
			for line := range strings.Lines(m) {
				fmt.Fprint(s.out, "   | ", line)
			}
			return nil
		}
	}
}
