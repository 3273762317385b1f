package plugintest

import (
	"fmt"
	"io"
	"strings"

	"github.com/mondhq/mond/plugins/rpc"
)

// Report is what a test found.
type Report struct {
	Path string   `json:"path"`
	Name string   `json:"name"`
	Kind rpc.Kind `json:"kind"`
	// Resident means that it was tried as a resident plugin, too.
	Resident bool   `json:"resident"`
	Cases    []Case `json:"cases"`
}

// Case is one thing that was tried.
type Case struct {
	// Name is stable: "classic/usage".
	Name string `json:"name"`
	// What is the sentence that is to hold.
	What string `json:"what"`
	OK   bool   `json:"ok"`
	// Skipped means that the case does not apply; OK is false then.
	Skipped bool `json:"skipped,omitempty"`
	// Detail says what was seen and what to do about it, or why the case does
	// not apply; "" when OK.
	Detail string `json:"detail,omitempty"`
}

// OK reports whether every case that applies holds.
func (r Report) OK() bool { return len(r.Failed()) == 0 && len(r.Cases) > 0 }

// Failed are the cases that do not hold.
func (r Report) Failed() (list []Case) {
	for _, c := range r.Cases {
		if !c.OK && !c.Skipped {
			list = append(list, c)
		}
	}
	return list
}

// Write prints the report for its plugin's author: a line a case, what to do
// where one does not hold, and the summary.
func (r Report) Write(w io.Writer) error {
	for _, c := range r.Cases {
		if _, err := io.WriteString(w, c.String()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.Summary())
	return err
}

// Summary is the report in a line.
func (r Report) Summary() string {
	mode := "classic"
	if r.Resident {
		mode = "classic and resident"
	}
	held, apply := 0, 0
	for _, c := range r.Cases {
		if !c.Skipped {
			apply++
		}
		if c.OK {
			held++
		}
	}
	return fmt.Sprintf("%s (%s, %s): %d of %d cases hold, %d do not apply", r.Name, r.Kind, mode, held, apply, len(r.Cases)-apply)
}

// String is the case in a line, and its detail in lines of their own.
func (c Case) String() string {
	line := fmt.Sprintf("  %-4s  %-24s  %s\n", c.mark(), c.Name, c.What)
	if c.Detail != "" {
		line += "          " + strings.ReplaceAll(strings.TrimRight(c.Detail, "\n"), "\n", "\n          ") + "\n"
	}
	return line
}

func (c Case) mark() string {
	switch {
	case c.Skipped:
		return "-"
	case c.OK:
		return "ok"
	}
	return "FAIL"
}
