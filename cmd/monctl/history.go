package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/store"
)

// historyOptions are those of the verb.
type historyOptions struct {
	since, until, state string
	kinds               []string
	most                int
	follow              bool
}

// historyCommand shows what happened, and why.
func historyCommand(c *common) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [GROUP | GROUP:SERVICE]",
		Short: "show what happened, and why",
		Long: "Shows the history of a service, of a watch, or of all, the oldest line first: changes of status, who was told and why, " +
			"and what people did. Lines about the whole watch and the daemon come with those of a service.",
		ValidArgsFunction: c.completeFirst,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := o.query(cmd, args, time.Now())
			if err != nil {
				return err
			}
			return c.withRecords(o.state, func(from records) error { return c.showHistory(cmd, from, q, o.follow) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "nothing older: "+whenHint)
	f.StringVar(&o.until, "until", "", "nothing younger")
	f.StringSliceVar(&o.kinds, "kind", nil, "only these kinds: "+strings.Join(store.Kinds(), ", "))
	f.IntVarP(&o.most, "lines", "n", 50, "the last `N` lines at most; 0 for all")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what happens from now on")
	f.StringVar(&o.state, "state", "", "read this `FILE` (mond.db in statedir) of a daemon that does not run")
	return cmd
}

// query is what the words and options ask for.
func (o historyOptions) query(cmd *cobra.Command, args []string, now time.Time) (q control.HistoryQuery, err error) {
	switch {
	case len(args) > 1:
		return q, misused(cmd, "want one GROUP or GROUP:SERVICE at most")
	case o.most < 0:
		return q, misused(cmd, "-n %d: want a number, or 0 for all lines", o.most)
	case o.follow && (o.until != "" || o.state != ""):
		return q, misused(cmd, "--follow goes on for ever: it goes with neither --until nor --state")
	}
	for _, k := range o.kinds {
		if !slices.Contains(store.Kinds(), k) {
			return q, misused(cmd, "--kind %q: want some of %s", k, strings.Join(store.Kinds(), ", "))
		}
	}
	q = control.HistoryQuery{Kinds: o.kinds, Limit: o.most, OldestFirst: o.most == 0}
	if len(args) == 1 {
		q.Name = args[0]
	}
	if q.Since, err = timeOption(cmd, "since", o.since, now); err != nil {
		return q, err
	}
	q.Until, err = timeOption(cmd, "until", o.until, now)
	return q, err
}

// timeOption reads the time of an option; none is the zero time.
func timeOption(cmd *cobra.Command, name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := when(text, now)
	if err != nil {
		return t, misused(cmd, "--%s: %v", name, err)
	}
	return t, nil
}

func (c *common) showHistory(cmd *cobra.Command, from records, q control.HistoryQuery, follow bool) error {
	if q.Name != "" {
		known, err := isKnown(cmd.Context(), from, q.Name)
		if err == nil && !known {
			err = fmt.Errorf("no watch or service %q, neither in the configuration nor in the history", q.Name)
		}
		if err != nil {
			return err
		}
	}
	p := printer{w: cmd.OutOrStdout(), json: c.json}
	began := time.Now()
	if err := p.all(cmd.Context(), from, q); err != nil {
		return err
	}
	if follow {
		return p.follow(cmd.Context(), from, q, began, followEvery, cmd.ErrOrStderr())
	}
	if p.n == 0 && !c.json {
		_, err := fmt.Fprintln(p.w, "nothing to show")
		return err
	}
	return nil
}

// printer prints rows.
type printer struct {
	w    io.Writer
	json bool
	n    int
	last uint64 // the largest number so far
}

// all prints the rows that q chooses, oldest first. Without a limit they are
// printed as they come; with one they come newest first and are turned round.
func (p *printer) all(ctx context.Context, from records, q control.HistoryQuery) error {
	var back []control.Event
	for e, err := range from.History(ctx, q) {
		if err != nil {
			return err
		}
		if !q.OldestFirst {
			back = append(back, e)
		} else if err := p.row(e); err != nil {
			return err
		}
	}
	for _, e := range slices.Backward(back) {
		if err := p.row(e); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) row(e control.Event) error {
	p.n++
	p.last = max(p.last, e.Number)
	if p.json {
		return json.NewEncoder(p.w).Encode(e)
	}
	_, err := io.WriteString(p.w, clip(plain(historyLine(e)), widthOf(p.w))+"\n")
	return err
}

// followEvery is how often --follow asks.
const followEvery = time.Second

// overlap is how far back a question that goes on looks: rows are not always
// written in the order of their times.
const overlap = time.Minute

// follow prints what comes from then on, until ctx ends. A daemon that is
// being restarted is waited for.
func (p *printer) follow(ctx context.Context, from records, q control.HistoryQuery, then time.Time, every time.Duration, complain io.Writer) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	waiting := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		q.Limit, q.OldestFirst, q.After = 0, true, p.last
		q.Since = then.Add(-overlap)
		next := time.Now()
		err := p.all(ctx, from, q)
		switch {
		case err == nil:
			then, waiting = next, false
		case ctx.Err() != nil:
			return nil
		case !waiting:
			waiting = true
			fmt.Fprintf(complain, "monctl: %s; waiting\n", plain(err.Error()))
		}
	}
}

// historyLine is a row for people.
func historyLine(e control.Event) string {
	who := e.Group
	switch {
	case e.Service != "":
		who += ":" + e.Service
	case e.Group == "":
		who = "(mond)"
	}
	text := oneLine(e.Text)
	if e.Kind == store.KindDecision && e.Outcome != "" {
		text = e.Outcome + ": " + text
	}
	if e.Kind == store.KindStatus && e.Took > 0 {
		text += fmt.Sprintf(" (down %s)", lasted(e.Took))
	}
	return fmt.Sprintf("%s  %-20s  %-8s  %s", e.At.Local().Format(time.DateTime), who, e.Kind, text)
}

// lasted is a duration for people, with "-" for none.
func lasted(seconds float64) string {
	switch {
	case seconds <= 0:
		return "-"
	case seconds < 60:
		return span(seconds)
	}
	return age(time.Duration(seconds * float64(time.Second)))
}
