// Package filemon is the monitor that reads a number from a file on this machine:
// it tells whether the number is one to be alarmed by, and passes it on as
// performance data, for the weight of a real server. So whoever writes the file -
// a person, a program, a timer - takes a server out or lets it have less, as by
// track_file of keepalived.
//
// It watches nothing: the file is read at each check. It is no way to look at
// files of other machines. A file that cannot be read, or holds no number because
// somebody is just writing it, says nothing of any host.
package filemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "file.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "reads a number from a file: passes it on as a weight, or fails hosts by it"
	// mark stands for the host in the path.
	mark = "{host}"
	// maxFile is how many bytes of a file are looked at.
	maxFile = 4096
	// maxWeight bounds a weight, and what is added to one either way.
	maxWeight = 65535
)

// New declares the options of a file monitor.
func New(fs *flag.FlagSet) monitor.Monitor {
	r := &reader{missing: fails}
	fs.Var(&r.path, "file", "`path` of the file; {host} in it stands for the host")
	fs.BoolVar(&r.weight, "weight", false, "the number is the weight of the host, 0 to 65535 (performance data \"weight\"); a wrong one is a warning")
	fs.Var(&r.delta, "delta", "the number times `factor` is what the weight is to change by (performance data \"delta\"); below 0 to turn it round")
	fs.BoolVar(&r.down, "down-if-nonzero", false, "fail the host unless the number is 0")
	fs.Var(&r.missing, "missing", "`what` it means that there is no such file: fail, zero (as if 0 stood in it) or blind (nothing is known)")
	return r
}

// reader is the monitor with its options.
type reader struct {
	path    path
	weight  bool
	delta   factor
	down    bool
	missing missing
}

// Validate judges the options together.
func (r *reader) Validate() error {
	switch {
	case r.path == "":
		return errors.New("option --file: say which file to read")
	case r.weight && r.delta != 0:
		return errors.New("options --weight and --delta: only one of them can be given")
	}
	return nil
}

// Check looks at the files of all hosts.
func (r *reader) Check(ctx context.Context, req monitor.Request) monitor.Result {
	return monitor.EachHost{Look: r.look}.Check(ctx, req)
}

// look looks at the file of one host.
func (r *reader) look(_ context.Context, host string) (monitor.Host, error) {
	name, err := r.path.of(host)
	if err != nil {
		return monitor.Host{}, err
	}
	v, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = r.missing.verdict(name); err == nil {
			return r.judge(0, "there is no "+name)
		}
	}
	if err != nil {
		return monitor.Host{}, err
	}
	return r.judge(v, figures(v)+" stands in "+name)
}

// judge says what a number means.
func (r *reader) judge(v float64, told string) (monitor.Host, error) {
	h := monitor.Host{Detail: told}
	switch {
	case r.down && v != 0:
		return h, errors.New(told + ", want 0")
	case r.weight && !(v >= 0 && v <= maxWeight):
		return h, monitor.Warning(fmt.Sprintf("%s, which is no weight: want 0 to %d", told, maxWeight))
	case r.weight:
		h.Perf = map[string]float64{"weight": v}
	case r.delta != 0:
		d := v * float64(r.delta)
		if !(d >= -maxWeight && d <= maxWeight) {
			return h, monitor.Warning(fmt.Sprintf("%s, which times %v is beyond what weights change by: want -%d to %d", told, &r.delta, maxWeight, maxWeight))
		}
		h.Perf = map[string]float64{"delta": d}
	}
	return h, nil
}

// read reads the number that a file begins with.
func read(name string) (float64, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may be a pipe
	if errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if err != nil {
		return 0, monitor.Fault(fmt.Errorf("read the number: %w", err))
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return 0, monitor.Fault(fmt.Errorf("read the number: %s is no regular file", name))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return 0, monitor.Fault(fmt.Errorf("read the number: %w", err))
	}
	return number(string(b), name)
}

// number is the number that a text begins with.
func number(text, name string) (float64, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return 0, monitor.Fault(fmt.Errorf("%s holds no number: it is empty", name))
	}
	word := words[0]
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || strings.Trim(word, "+-.0123456789") != "" {
		if len(word) > 40 {
			word = word[:40] + "..."
		}
		return 0, monitor.Fault(fmt.Errorf("%s holds no number but %q", name, word))
	}
	return v, nil
}

// figures is a number as people write it.
func figures(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
