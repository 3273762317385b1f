package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

// whyCommand tells one service's story.
func whyCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "why GROUP:SERVICE",
		Short: "say what mond decided about a service, and why",
		Args:  wants(1, "one GROUP:SERVICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			group, service, err := split(args[0])
			if err != nil {
				return err
			}
			s, err := c.client().Service(cmd.Context(), group, service)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			printWhy(cmd.OutOrStdout(), s, time.Now())
			return nil
		},
	}
}

func split(name string) (group, service string, err error) {
	group, service, ok := strings.Cut(name, ":")
	if !ok || group == "" || service == "" {
		return "", "", fmt.Errorf("%q: want GROUP:SERVICE; %w", name, errUsage)
	}
	return group, service, nil
}

func printWhy(w io.Writer, s control.Service, now time.Time) {
	fmt.Fprintf(w, "%s:%s is %s", s.Group, s.Service, s.Status)
	if s.Since != nil {
		fmt.Fprintf(w, " since %s (%s)", s.Since.Format(time.DateTime), age(now.Sub(*s.Since)))
	}
	fmt.Fprintln(w)
	printState(w, s, now)
	printClaims(w, s)
	printDecisions(w, s)
	if s.Detail != "" {
		fmt.Fprintf(w, "\nlast output:\n%s", indent(s.Detail))
	}
}

func printState(w io.Writer, s control.Service, now time.Time) {
	if s.Blind != nil {
		fmt.Fprintf(w, "  blind since %s, %d times: %s: %s; status, alerts and claims stay as they are\n",
			s.Blind.Since.Format(time.DateTime), s.Blind.Times, s.Blind.Cause, s.Blind.Reason)
	}
	if s.Skipped != "" {
		fmt.Fprintf(w, "  not checked: %s\n", s.Skipped)
	}
	if s.Disabled != nil {
		fmt.Fprintf(w, "  disabled since %s%s\n", s.Disabled.At.Format(time.DateTime), by(s.Disabled))
	}
	if s.Ack != nil {
		fmt.Fprintf(w, "  acknowledged %s%s\n", s.Ack.At.Format(time.DateTime), by(s.Ack))
	}
	if s.Failures > 0 {
		fmt.Fprintf(w, "  %d failures in a row, %d alerts sent\n", s.Failures, s.AlertsSent)
	}
	fmt.Fprintf(w, "  last check %s ago, next in %s\n", since(s.LastCheck, now), until(s.NextCheck, now))
}

func printClaims(w io.Writer, s control.Service) {
	for _, c := range s.Claims {
		word := "in"
		if c.Out {
			word = "out"
		}
		fmt.Fprintf(w, "\nclaims %s since %s: %s %s\n  %s\n", word, c.Since.Format(time.DateTime), c.Program, strings.Join(c.Args, " "), c.Reason)
	}
}

func printDecisions(w io.Writer, s control.Service) {
	if len(s.Decisions) == 0 {
		return
	}
	fmt.Fprintln(w, "\ndecisions, newest first:")
	for _, d := range s.Decisions {
		word := "no "
		if d.Sent {
			word = "yes"
		}
		fmt.Fprintf(w, "  %s  %s  %s", d.At.Format(time.DateTime), word, d.Event)
		if d.Period != "" {
			fmt.Fprintf(w, ", period %s", d.Period)
		}
		if d.Command != "" {
			fmt.Fprintf(w, ", %s", d.Command)
		}
		fmt.Fprintf(w, ": %s\n", d.Reason)
	}
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}
