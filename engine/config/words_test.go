package config

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The recorded splits of the original: line, number of words, [word]...; an
// undefined word is an empty one to a program.
func TestWordsAsRecorded(t *testing.T) {
	n := 0
	for row := range strings.Lines(readString(t, "testdata/quotewords.tsv")) {
		col := strings.Split(strings.TrimRight(row, "\n"), "\t")
		if len(col) != 3 {
			t.Fatalf("row %q", row)
		}
		n++
		count, _ := strconv.Atoi(col[1])
		if col[0] == `a\tb` {
			col[0] = "a\tb" // a tab, which the file has to escape
		}
		words, err := Words(col[0])
		var got strings.Builder
		for _, w := range words {
			got.WriteString("[" + w.Text + "]")
		}
		want := strings.ReplaceAll(col[2], "<undef>", "[]")
		if len(words) != count || got.String() != want {
			t.Errorf("%q: %d words %s, want %d %s", col[0], len(words), got.String(), count, want)
		}
		if bad := count == 0; bad != (err != nil) {
			t.Errorf("%q: error %v", col[0], err)
		}
	}
	if n < 19 {
		t.Errorf("only %d rows", n)
	}
}

func TestWordsPlaces(t *testing.T) {
	words, err := Words(`a "b c"  d\ e ''`)
	want := []Word{{"a", 0}, {"b c", 2}, {"d e", 9}, {"", 14}}
	if diff := cmp.Diff(want, words); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for line, off := range map[string]int{`ab "c`: 3, `a 'b\'`: 2, `a b\`: 3, `"a" "`: 4} {
		_, err := Words(line)
		if q, ok := errors.AsType[*QuoteError](err); !ok || q.Off != off {
			t.Errorf("%s: %v, want an error at %d", line, err, off)
		}
	}
}

// What Quote makes of words, Words reads back.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "words")
		quoted := make([]string, len(want))
		for i, w := range want {
			quoted[i] = Quote(w)
		}
		words, err := Words(strings.Join(quoted, " "))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range words {
			got = append(got, w.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
