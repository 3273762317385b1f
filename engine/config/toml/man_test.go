package toml

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
)

// Every directive is in the manual, and its example is a configuration.
func TestMan(t *testing.T) {
	var b bytes.Buffer
	if err := WriteMan(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, k := range config.Keywords() {
		head := strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(keyForm(k))
		if k.Name != "syntax" && !strings.Contains(page, "\n.B "+head+"\n") {
			t.Errorf("%s of scope %s is not in the manual", k.Name, k.Scope)
		}
	}
	f, diag := Parse("man.toml", []byte(manExample))
	if c := mean(t, f, diag); len(c.Services) != 1 || len(c.Services[0].Periods[0].Lines) != 2 {
		t.Errorf("%+v", c.Services)
	}
}

// What the reader says a directive takes is what it takes: the example of each
// form is read without a complaint of the reader.
func TestForms(t *testing.T) {
	for _, k := range config.Keywords() {
		_, example := takes(k.Form)
		if example == "" || k.Form == config.FormRecord || k.Name == "syntax" {
			continue
		}
		head := map[config.Scope]string{config.ScopeService: "[watch.w.service.s]\n", config.ScopePeriod: "[[watch.w.service.s.period]]\n",
			config.ScopeVirtual: "[virtual.v]\n", config.ScopeCheck: "[virtual.v.check.c]\n"}[k.Scope]
		if f, diag := Parse("f.toml", []byte(head+k.Name+" = "+example)); len(diag) > 0 || len(f.Statements) == 0 {
			t.Errorf("%s = %s: %s", k.Name, example, printed(diag))
		}
	}
}
