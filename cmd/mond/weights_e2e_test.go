package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// However a check says what weight its real server is to have, the pool has it:
// mond itself, its monitors and a program of the site's.
func TestWeightsOfChecks(t *testing.T) {
	s := newSite(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Weight", "8")
		fmt.Fprintln(w, "fit for weight 9")
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	must(t, err)
	must(t, os.MkdirAll(s.path("mon.d"), 0o755))
	must(t, os.WriteFile(s.path("mon.d/exit.monitor"), []byte("#!/bin/sh\nexit 9\n"), 0o755))
	must(t, os.WriteFile(s.path("mon.d/check_fit"), []byte("#!/bin/sh\necho \"FIT OK - fit | fitness=60%;; 'speed'=4 'free space'=6GB;;\"\n"), 0o755))
	must(t, os.WriteFile(s.path("weight-127.0.0.1"), []byte("11\n"), 0o600))

	var body strings.Builder
	body.WriteString("syntax = mond\n")
	ways := []struct {
		name, from, monitor string
		want                int
	}{
		{"exit", "exit", "exit.monitor", 7},
		{"header", "perf weight", "http.monitor -p " + port + " --weight-header X-Weight", 8},
		{"body", "perf weight", "http.monitor -p " + port + ` --weight-match 'weight\s(\d+)'`, 9},
		{"file", "perf weight", "file.monitor --file " + s.path("weight-{host}") + " --weight", 11},
		{"delta", "perf delta as delta", "file.monitor --file " + s.path("weight-{host}") + " --delta 2", 27},
		{"nagios", "perf fitness as percent", "nagios.monitor --host none --dir " + s.path("mon.d") + " --plugin check_fit", 3},
		{"nagios-label", "perf speed", "nagios.monitor --host none --dir " + s.path("mon.d") + " --plugin check_fit", 4},
		{"nagios-blank", "perf 'free space'", "nagios.monitor --host none --dir " + s.path("mon.d") + " --plugin check_fit", 6},
	}
	for i, w := range ways {
		fmt.Fprintf(&body, "\nvirtual %s\n    address tcp 192.0.2.1:%d\n    forward nat\n    real 127.0.0.1:%s weight 5\n    weight_limits max 1000%%\n    check %s\n        interval 200ms\n        monitor %s\n        weight_from %s\n",
			w.name, 1000+i, port, w.name, w.monitor, w.from)
	}
	s.configure(body.String())
	s.start()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			s.until(fmt.Sprintf("%s has weight %d", w.name, w.want), func() bool {
				v, err := s.client.Virtual(t.Context(), w.name)
				return err == nil && len(v.Reals) == 1 && v.Reals[0].In && v.Reals[0].Weight == w.want
			})
		})
	}
	must(t, os.WriteFile(s.path("weight-127.0.0.1"), []byte("2\n"), 0o600))
	s.until("what the file says now", func() bool {
		v, err := s.client.Virtual(t.Context(), "file")
		return err == nil && v.Reals[0].Weight == 2
	})
	s.stop()
}
