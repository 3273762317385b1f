package config

import (
	"bufio"
	"io"
	"strings"
)

// Manual writes a manual page in roff, for languages other than mon.cf.
type Manual struct{ m manual }

// NewManual begins a page of section 5; what is a line of what it is for.
func NewManual(w io.Writer, title, name, what string) Manual {
	m := Manual{manual{bufio.NewWriter(w)}}
	m.m.line(`.TH %s 5 "" mond "File Formats"`, title)
	m.m.section("NAME")
	m.m.line(`%s \- %s`, roff(name), roff(what))
	return m
}

// Section begins one.
func (m Manual) Section(name string) { m.m.section(name) }

// Text writes paragraphs, which are parted by empty lines.
func (m Manual) Text(paragraphs string) { m.m.text(paragraphs) }

// Example writes lines as they are.
func (m Manual) Example(lines string) { m.m.example(lines) }

// Item writes an entry of a list, with its head in bold.
func (m Manual) Item(head, text string) {
	m.m.item(".B "+strings.ReplaceAll(roff(head), `"`, `\(dq`), text)
}

// Also names other pages, such as "mond (8)", and ends the page.
func (m Manual) Also(pages ...string) error {
	m.m.section("SEE ALSO")
	for i, p := range pages {
		if i < len(pages)-1 {
			p += ","
		}
		m.m.line(".BR %s", roff(p))
	}
	return m.m.Flush()
}
