package judge

import (
	"net/http"
	"strings"
	"testing"
)

func TestWeight(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		header string
		body   string
		want   float64
		err    string
	}{
		"header":             {[]string{"--weight-header", "x-weight"}, "42", "", 42, ""},
		"header, blanks":     {[]string{"--weight-header", "X-Weight"}, " 7.5 ", "", 7.5, ""},
		"header, drained":    {[]string{"--weight-header", "X-Weight"}, "0", "", 0, ""},
		"header, most":       {[]string{"--weight-header", "X-Weight"}, "65535", "", 65535, ""},
		"header, too much":   {[]string{"--weight-header", "X-Weight"}, "65536", "", 0, `no weight: the header X-Weight is "65536", want a number from 0 to 65535`},
		"header, negative":   {[]string{"--weight-header", "X-Weight"}, "-1", "", 0, `no weight: the header X-Weight is "-1"`},
		"header, no number":  {[]string{"--weight-header", "X-Weight"}, "NaN", "", 0, "no weight:"},
		"header, infinite":   {[]string{"--weight-header", "X-Weight"}, "Inf", "", 0, "no weight:"},
		"header, in hex":     {[]string{"--weight-header", "X-Weight"}, "0x10", "", 0, "no weight:"},
		"header, share":      {[]string{"--weight-header", "X-Weight"}, "50%", "", 0, "no weight:"},
		"header, long":       {[]string{"--weight-header", "X-Weight"}, strings.Repeat("9", 5000), "", 0, "no weight:"},
		"header, absent":     {[]string{"--weight-header", "X-Load"}, "42", "", 0, "no weight: the header X-Load is not there"},
		"body":               {[]string{"--weight-body"}, "", "weight = 17 of 100", 17, ""},
		"body, decimals":     {[]string{"--weight-body"}, "", "load 0.75\n", 0.75, ""},
		"body, negative":     {[]string{"--weight-body"}, "", "-5", 0, `no weight: the first number in the body is "-5"`},
		"body, none":         {[]string{"--weight-body"}, "", "none", 0, "no weight: the first number in the body is not there"},
		"match, group":       {[]string{"--weight-match", `w=(\d+)`}, "", "n=1 w=30", 30, ""},
		"match, whole":       {[]string{"--weight-match", `\d+$`}, "", "n=1 w=30", 30, ""},
		"match, not":         {[]string{"--weight-match", `w=(\d+)`}, "", "w=x", 0, "is not there"},
		"match, no number":   {[]string{"--weight-match", `w=(\w+)`}, "", "w=x", 0, `finds in the body is "x"`},
		"match, group unset": {[]string{"--weight-match", `w=(\d)?`}, "", "w=", 0, "is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			a := answer(tt.body)
			a.Header = http.Header{"X-Weight": {tt.header}}
			got, asked, err := options(t, tt.args...).Weight(a)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if !asked || got != tt.want || tt.err == "" && err != nil || !strings.Contains(text, tt.err) || len(text) > 300 {
				t.Errorf("%v, %v, %v", got, asked, err)
			}
		})
	}
	if _, asked, err := options(t).Weight(answer("5")); asked || err != nil {
		t.Error("nobody asked for a weight")
	}
	for _, args := range [][]string{{"--weight-header", "A b"}, {"--weight-header", "A", "--weight-body"}, {"--weight-body", "--weight-match", "x"}} {
		if _, err := parse(args...); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if o := options(t, "--weight-match", "x"); o.Bodies() != "--weight-match" {
		t.Error("the body is not kept")
	}
}
