package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/opstatus"
)

// whyCommand tells one service's story.
func whyCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:               "why GROUP:SERVICE",
		Short:             "say what mond decided about a service, and why",
		Args:              wants(1, "one GROUP:SERVICE"),
		ValidArgsFunction: c.completeService,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := keyOf(cmd, args[0])
			if err != nil {
				return err
			}
			s, err := c.client().Service(cmd.Context(), key.Group, key.Service)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			var b strings.Builder
			printWhy(&b, s, time.Now())
			return printPlain(cmd.OutOrStdout(), b.String())
		},
	}
}

// keyOf reads a word of the command line that names a service.
func keyOf(cmd *cobra.Command, word string) (opstatus.Key, error) {
	key, ok := opstatus.ParseKey(word)
	if !ok {
		return key, misused(cmd, "%q: want GROUP:SERVICE", word)
	}
	return key, nil
}

func printWhy(w io.Writer, s control.Service, now time.Time) {
	fmt.Fprintf(w, "%s:%s: %s", s.Group, s.Service, s.Status)
	if s.Since != nil {
		fmt.Fprintf(w, " since %s (%s)", s.Since.Format(time.DateTime), age(now.Sub(*s.Since)))
	}
	fmt.Fprintln(w)
	printState(w, s)
	printChecks(w, s, now)
	printClaims(w, s)
	printDecisions(w, s)
	fmt.Fprintf(w, "\nbefore that: monctl history %s:%s\n", s.Group, s.Service)
	if s.Detail != "" {
		fmt.Fprintf(w, "\nlast output:\n%s", indent(strings.TrimLeft(s.Detail, "\n")))
	}
}

// printState says what lies beside the status.
func printState(w io.Writer, s control.Service) {
	if s.Description != "" {
		fmt.Fprintf(w, "  %s\n", oneLine(s.Description))
	}
	if s.Summary != "" {
		fmt.Fprintf(w, "  last said: %s\n", oneLine(s.Summary))
	}
	if b := s.Blind; b != nil {
		fmt.Fprintf(w, "  blind since %s, %s: %s: %s\n  (status, alerts and claims stay as they are)\n",
			b.Since.Format(time.DateTime), count(b.Times, "time"), b.Cause, oneLine(b.Reason))
	}
	if s.Disabled != nil {
		fmt.Fprintf(w, "  disabled %s\n", by(*s.Disabled))
	}
	if s.Ack != nil {
		fmt.Fprintf(w, "  acknowledged %s\n", by(*s.Ack))
	}
	if s.Failures > 0 {
		fmt.Fprintf(w, "  %s in a row, %s sent\n", count(s.Failures, "failure"), count(s.AlertsSent, "alert"))
	}
}

func printChecks(w io.Writer, s control.Service, now time.Time) {
	switch {
	case s.Monitor != "" && s.Interval > 0:
		fmt.Fprintf(w, "  checked by %s every %s\n", s.Monitor, span(s.Interval))
	case s.Monitor != "":
		fmt.Fprintf(w, "  checked by %s\n", s.Monitor)
	default:
		fmt.Fprintln(w, "  has no monitor: it is told what it is")
	}
	if s.Skipped != "" {
		fmt.Fprintf(w, "  not checked: %s\n", oneLine(s.Skipped))
	}
	last := "never checked"
	if s.LastCheck != nil {
		last = fmt.Sprintf("last check %s ago", since(s.LastCheck, now))
	}
	if s.Took > 0 {
		last += ", took " + span(s.Took)
	}
	switch {
	case s.Running:
		last += "; one is under way"
	case s.NextCheck != nil:
		last += "; next in " + next(s, now)
	}
	fmt.Fprintf(w, "  %s\n", last)
}

func printClaims(w io.Writer, s control.Service) {
	for _, c := range s.Claims {
		word := "in"
		if c.Out {
			word = "out"
		}
		fmt.Fprintf(w, "\nclaims %s since %s: %s %s\n  %s\n", word, c.Since.Format(time.DateTime), c.Program, strings.Join(c.Args, " "), oneLine(c.Reason))
	}
}

func printDecisions(w io.Writer, s control.Service) {
	if len(s.Decisions) == 0 {
		return
	}
	fmt.Fprintln(w, "\ndecisions, newest first:")
	for _, d := range s.Decisions {
		word := "not sent"
		if d.Sent {
			word = "sent"
		}
		fmt.Fprintf(w, "  %s  %-8s  %s", d.At.Format(time.DateTime), word, d.Event)
		if d.Period != "" {
			fmt.Fprintf(w, ", period %s", d.Period)
		}
		if d.Command != "" {
			fmt.Fprintf(w, ", %s", d.Command)
		}
		fmt.Fprintf(w, ": %s", d.Reason)
		if d.Note != "" {
			fmt.Fprintf(w, " (%s)", oneLine(d.Note))
		}
		fmt.Fprintln(w)
	}
}
