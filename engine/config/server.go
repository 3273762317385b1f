package config

import "errors"

// authProgram reads the program that judges passwords.
func authProgram(r *resolver, st *Statement) {
	if r.empty(st) {
		return
	}
	words, err := Words(st.Text)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		r.diag.errorf(st, q.Off, quoteHint, "%s: %v", st.Name, err)
		return
	}
	r.c.Globals.AuthProgram = nil
	for _, w := range words {
		r.c.Globals.AuthProgram = append(r.c.Globals.AuthProgram, w.Text)
	}
}

// checkTLS judges the variables of tlsport together.
func (r *resolver) checkTLS() {
	g := &r.c.Globals
	if _, set := g.Set["tlscert"]; g.TLSPort > 0 && !set {
		r.diag.add(r.c.file.Diagnose(Error, g.Set["tlsport"], "tlsport without a certificate to show", "name a PEM file with tlscert"))
	}
	if _, set := g.Set["tlskey"]; !set {
		g.TLSKey = g.TLSCert
	}
}
