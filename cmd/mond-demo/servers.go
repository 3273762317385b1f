package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// webServer is a web server that can die and return at the same address.
type webServer struct {
	name, addr string
	server     *http.Server
}

func startWeb(name string) (*webServer, error) {
	w := &webServer{name: name, addr: "127.0.0.1:0"}
	return w, w.start()
}

func (w *webServer) start() error {
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		return fmt.Errorf("start web server %s: %w", w.name, err)
	}
	w.addr = l.Addr().String()
	w.server = &http.Server{
		Handler:           http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "server", w.name) }),
		ReadHeaderTimeout: time.Second,
	}
	go w.server.Serve(l) // ends with stop
	return nil
}

func (w *webServer) stop() { _ = w.server.Close() }

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// mailSink takes any mail and hands it out on got.
type mailSink struct {
	addr string
	l    net.Listener
	got  chan string // holds more than a demonstration sends
}

func startMail() (*mailSink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the mail server: %w", err)
	}
	m := &mailSink{addr: l.Addr().String(), l: l, got: make(chan string, 64)}
	go m.accept()
	return m, nil
}

func (m *mailSink) stop() { _ = m.l.Close() }

func (m *mailSink) accept() {
	for {
		c, err := m.l.Accept()
		if err != nil {
			return
		}
		go m.talk(c)
	}
}

// talk speaks just enough SMTP (RFC 5321) to take a mail.
func (m *mailSink) talk(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewScanner(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 localhost demonstration")
	for in.Scan() {
		word, _, _ := strings.Cut(strings.ToUpper(in.Text()), " ")
		switch word {
		case "DATA":
			say("354 go on")
			m.got <- readMail(in)
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// readMail reads up to the lone dot.
func readMail(in *bufio.Scanner) string {
	var mail strings.Builder
	for in.Scan() && in.Text() != "." {
		mail.WriteString(strings.TrimPrefix(in.Text(), ".") + "\n")
	}
	return mail.String()
}
