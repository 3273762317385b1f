// Package alerttest makes alerts of the words of a line, as mond and a shell do,
// for the tests of alerts.
package alerttest

import (
	"flag"
	"io"
	"testing"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
)

// validated is an alert that judges its options together.
type validated interface {
	alert.Alert
	Validate() error
}

// Line is the alert that create makes of words, validated.
func Line[A validated](create alert.New, words ...string) (A, error) {
	fs := flag.NewFlagSet("test.alert", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	a := create(fs).(A)
	if _, err := getopt.Parse(fs, words); err != nil {
		var none A
		return none, err
	}
	return a, a.Validate()
}

// Must is [Line] for words that are right.
func Must[A validated](t testing.TB, create alert.New, words ...string) A {
	t.Helper()
	a, err := Line[A](create, words...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
