package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/host"
	"github.com/mondhq/mond/plugins/procgroup"
)

// idle is how long plugins are left alone before they are weighed.
const idle = 3 * time.Second

// weight is what one idle plugin takes, in bytes.
type weight struct {
	name          string
	resident      int64
	proportionate int64 // a page that n processes share counts an nth
}

// weights are those of a folder of plugins that are one program.
type weights struct {
	program int64 // bytes of the file
	each    []weight
}

// weigh runs every plugin of a folder at once, as mond does.
func weigh(ctx context.Context, dir string) (weights, error) {
	var w weights
	run, err := os.MkdirTemp("", "mb")
	if err != nil {
		return w, err
	}
	defer os.RemoveAll(run)
	sp, err := procgroup.New()
	if err != nil {
		return w, err
	}
	defer sp.Close()
	h, err := host.New(host.Options{PluginDirs: []string{dir}, RunDir: filepath.Join(run, "run"), Spawner: sp, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return w, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		h.Stop(ctx)
	}()
	if w.program, err = startAll(ctx, h, dir); err != nil {
		return w, err
	}
	if err := pause(ctx, idle); err != nil {
		return w, err
	}
	w.each, err = weighFamily(dir)
	return w, err
}

// startAll starts the plugins one after the other; program is the size of
// their file.
func startAll(ctx context.Context, h *host.Host, dir string) (program int64, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		kind := host.Monitor
		switch filepath.Ext(f.Name()) {
		case ".monitor":
		case ".alert":
			kind = host.Alert
		default:
			continue
		}
		p, err := h.Find(kind, f.Name())
		if err != nil {
			return 0, err
		}
		if _, err := h.Describe(ctx, p); err != nil {
			return 0, err
		}
		at, err := os.Stat(p.Path)
		if err != nil {
			return 0, err
		}
		program = at.Size()
	}
	if program == 0 {
		return 0, fmt.Errorf("%s: there is no plugin", dir)
	}
	return program, nil
}

// weighFamily weighs those children of this process that are plugins of dir.
func weighFamily(dir string) (each []weight, err error) {
	for _, pid := range family(os.Getpid())[1:] {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		program, _, _ := strings.Cut(string(line), "\x00")
		if err != nil || filepath.Base(filepath.Dir(program)) != filepath.Base(dir) {
			continue
		}
		_, resident := process(pid)
		share, err := proportionate(pid)
		if err != nil {
			return nil, err
		}
		each = append(each, weight{filepath.Base(program), resident, share})
	}
	return each, nil
}

// proportionate reads it from /proc/PID/smaps_rollup (proc(5), in kB).
func proportionate(pid int) (bytes int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			kB, err := strconv.ParseInt(f[1], 10, 64)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("process %d: no Pss in smaps_rollup", pid)
}

// print says what all take, and what each does.
func (w weights) print(out io.Writer) {
	var resident, share int64
	list := make([]string, 0, len(w.each))
	for _, e := range w.each {
		resident += e.resident
		share += e.proportionate
		list = append(list, fmt.Sprintf("%s %s", e.name, mb(e.resident)))
	}
	fmt.Fprintf(out, "\n%d plugins in one program of %s (below 30 MB wanted); all of them idle: %s resident, %s with what they share counted once\n",
		len(w.each), mb(w.program), mb(resident), mb(share))
	fmt.Fprintf(out, "  resident: %s\n", strings.Join(list, ", "))
}

func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
