// Package clients holds tests in which mon's own clients - moncmd, monshow,
// monfailures, Mon::Client, mon.cgi and monshow.cgi in a browser - and recorded
// conversations say the same to Debian's mon and to mond, on the same
// configuration with services in the same states, and what they get is
// compared. It has no code of its own, and it is not about alerts or monitors.
//
// What a client got from the real mon is kept in testdata, and mond is compared
// with that; with MOND_SOAK it is asked of the real mon anew, and must be the same.
// "go test -update" writes it anew.
package clients
