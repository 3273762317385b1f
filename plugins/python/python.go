// Package python holds mond.py, by which a monitor or an alert is written in
// Python, for those who hand it out (monctl plugin new). The file is the whole
// of it: no other code of mond's is in Python.
package python

import _ "embed" // for mond.py

// FileName is what the file must be called beside a plugin.
const FileName = "mond.py"

//go:embed mond.py
var source string

// Source is the text of mond.py.
func Source() []byte { return []byte(source) }
