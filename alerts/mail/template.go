package mailalert

import (
	"context"
	"errors"
	"strings"

	"github.com/mondhq/mond/plugins/alert/wording"
)

// validateTemplates tries the templates with a notice of each kind.
func (a *Alert) validateTemplates() error {
	if a.title.Given() && a.summary != "" {
		return errors.New("-S and --subject: only one of them can be given")
	}
	for _, t := range []interface {
		Given() bool
		Trial() error
	}{&a.title, &a.text, &a.html} {
		if !t.Given() {
			continue
		}
		if err := t.Trial(); err != nil {
			return err
		}
	}
	return nil
}

// word puts what the templates make in place of the usual texts. One that fails
// does not keep people from being told: the usual text stays, and says why.
func (a *Alert) word(ctx context.Context, l *letter) {
	n := wording.Of(l.request)
	render := func(given bool, option string, make func(context.Context, wording.Notice) (string, error)) string {
		if !given {
			return ""
		}
		text, err := make(ctx, n)
		if err == nil && strings.TrimSpace(text) == "" {
			err = errors.New("it makes an empty text")
		}
		if err != nil {
			l.faults = append(l.faults, "The template "+option+" failed: "+wording.OneLine(err.Error(), 1000))
			return ""
		}
		return text
	}
	l.ownTitle = wording.OneLine(render(a.title.Given(), "--subject", a.title.Render), 400)
	l.ownText = strings.ReplaceAll(render(a.text.Given(), "--template", a.text.Render), "\r\n", "\n")
	l.html = render(a.html.Given(), "--html", a.html.Render)
}
