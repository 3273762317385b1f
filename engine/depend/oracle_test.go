package depend

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const script = `$| = 1; while (<STDIN>) { no warnings; my $v = eval $_; print $@ ? "error" : $v ? 1 : 0, "\n" }`

// newOracle starts Perl, which answers each line with 1, 0 or "error".
func newOracle(t *testing.T) func(t *rapid.T, text string) string {
	t.Helper()
	if out, err := exec.Command("perl", "-e", "1").CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("perl: %v; install perl-base\n%s", err, out))
	}
	cmd := exec.Command("perl", "-e", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewReader(out)
	return func(t *rapid.T, text string) string { return ask(t, in, lines, text) }
}

func ask(t *rapid.T, in io.Writer, out *bufio.Reader, text string) string {
	if _, err := fmt.Fprintln(in, text); err != nil {
		t.Fatal(err)
	}
	answer, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(answer)
}

// missing skips, or fails where skipping is not allowed.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// drawTokens is a row of tokens that is often well-formed.
func drawTokens(t *rapid.T) string {
	if rapid.Bool().Draw(t, "junk") {
		all := []string{"0", "1", "!", "&&", "||", "and", "or", "not", "(", ")"}
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(all), 1, 8).Draw(t, "tokens"), " ")
	}
	var b strings.Builder
	for i := range rapid.IntRange(1, 7).Draw(t, "operands") {
		if i > 0 {
			b.WriteString(rapid.SampledFrom([]string{" && ", " || ", " and ", " or "}).Draw(t, "operator"))
		}
		b.WriteString(rapid.SampledFrom([]string{"", "", "! ", "not ", "not not ", "! not "}).Draw(t, "negation"))
		b.WriteString(rapid.SampledFrom([]string{"0", "1", "(0)", "(1)", "(1 or 0)", "(not 0 && 0)"}).Draw(t, "operand"))
	}
	return b.String()
}

// TestAgainstPerl has Perl say what an expression of mon means, once with
// numbers as mon passes them and here also with services for them. Perl takes
// "( )" for an empty list, which is false; here it is an error.
func TestAgainstPerl(t *testing.T) {
	perl := newOracle(t)
	rapid.Check(t, func(t *rapid.T) {
		for range 8 {
			text := drawTokens(t)
			if strings.Contains(text, "( )") {
				continue
			}
			names := strings.NewReplacer("0", "g:0", "1", "g:1").Replace(text)
			want := perl(t, text)
			for _, form := range []string{text, names} {
				if got := result(form); got != want {
					t.Fatalf("%q: got %s, Perl says %s", form, got, want)
				}
			}
		}
	})
}

func result(text string) string {
	e, err := Parse(text, "g")
	switch {
	case err != nil:
		return "error"
	case e.Eval(good("g:1")):
		return "1"
	}
	return "0"
}
