package dnsmon

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mondhq/mond/plugins/monitor"
)

// script is a server that answers as it is told; nil is silence.
type script struct {
	udp func(n int, query []byte) [][]byte
	tcp func(c net.Conn, query []byte)
}

// serve starts it on loopback.
func (s script) serve(t testing.TB) (port uint16) {
	t.Helper()
	var l net.Listener
	var c net.PacketConn
	for range 50 {
		var err error
		l, err = net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		if c, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		l.Close()
		c = nil
	}
	if c == nil {
		t.Fatal("no port is free for both")
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() { s.datagrams(c) })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.connection(ctx, conn) })
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); c.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func (s script) datagrams(c net.PacketConn) {
	buf := make([]byte, 65536)
	for n := 1; ; n++ {
		size, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if s.udp == nil {
			continue
		}
		for _, b := range s.udp(n, bytes.Clone(buf[:size])) {
			_, _ = c.WriteTo(b, from)
		}
	}
}

// connection holds a connection until its peer or the test ends it.
func (s script) connection(ctx context.Context, c net.Conn) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if s.tcp == nil {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	buf := make([]byte, 512)
	if n, err := message(c, &buf); err == nil {
		s.tcp(c, buf[:n])
	}
}

// prefixed is a message with its length before it.
func prefixed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// reply is an answer to a query, changed by edit.
func reply(query []byte, edit func(*dns.Msg)) []byte {
	var q, m dns.Msg
	if err := q.Unpack(query); err != nil {
		panic(err)
	}
	m.SetReply(&q)
	rr, err := dns.NewRR(q.Question[0].Name + " 60 A 192.0.2.1")
	if err != nil {
		panic(err)
	}
	m.Answer = []dns.RR{rr}
	if edit != nil {
		edit(&m)
	}
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// good is an honest answer.
func good(query []byte) []byte { return reply(query, nil) }

// changed is b with some bytes changed.
func changed(b []byte, edit func(b []byte)) []byte {
	edit(b)
	return b
}

// looping is an answer whose record's name points at itself.
func looping(query []byte) []byte {
	b := reply(query, func(m *dns.Msg) { m.Answer = nil })
	b[7] = 1 // one answer
	at := len(b)
	return append(b, 0xc0, byte(at), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
}

// wrongs are messages that are no answer to the query.
func wrongs(query []byte) [][]byte {
	return [][]byte{
		{}, {1}, query[:header-1],
		query, // no response
		changed(good(query), func(b []byte) { b[0] ^= 1 }),                        // id
		changed(good(query), func(b []byte) { b[2] |= 0x28 }),                     // opcode
		changed(good(query), func(b []byte) { b[5] = 0 }),                         // no question
		changed(good(query), func(b []byte) { b[5] = 2 }),                         // two
		reply(query, func(m *dns.Msg) { m.Question[0].Name = "x.example." }),      // name
		reply(query, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA ^ 0x20 }), // type
		reply(query, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }),  // class
		good(query)[:header+4], // cut
		reply(query, func(m *dns.Msg) { m.Question[0].Name = "ww.w.example." }), // dots elsewhere
	}
}

func TestLiars(t *testing.T) {
	truncated := func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.Truncated = true }) }
	udp := func(answer func(q []byte) []byte) func(int, []byte) [][]byte {
		return func(_ int, q []byte) [][]byte { return [][]byte{answer(q)} }
	}
	tcp := func(answers ...func(q []byte) []byte) func(net.Conn, []byte) {
		return func(c net.Conn, q []byte) {
			for _, a := range answers {
				_, _ = c.Write(prefixed(a(q)))
			}
		}
	}
	const well = "A www.example. NOERROR, 192.0.2.1"
	for name, tt := range map[string]struct {
		server  script
		options string
		ok      bool
		want    string
	}{
		"honest": {script{udp: udp(good)}, "", true, well},
		"silent": {script{}, "-t 50ms", false, "no answer in T: wait for an answer of 127.0.0.1:P to A www.example."},
		"first datagram lost": {script{udp: func(n int, q []byte) [][]byte {
			if n == 1 {
				return nil
			}
			return [][]byte{good(q)}
		}}, "--retransmit 10ms", true, well},
		"all but the third lost": {script{udp: func(n int, q []byte) [][]byte {
			if n != 3 {
				return nil
			}
			return [][]byte{good(q)}
		}}, "--retransmit 10ms --retry 3", true, well},
		"wrong answers first": {script{udp: func(_ int, q []byte) [][]byte { return append(wrongs(q), good(q)) }}, "", true, well},
		"wrong answers only":  {script{udp: func(_ int, q []byte) [][]byte { return wrongs(q) }}, "-t 2 --retry 1", false, "no answer in T: wait for an answer of 127.0.0.1:P to A www.example. (13 came to other questions)"},
		"case changed":        {script{udp: udp(func(q []byte) []byte { return bytes.Replace(good(q), []byte("www"), []byte("WwW"), 1) })}, "", true, well},
		"loop":                {script{udp: udp(looping)}, "-t 2", false, "the answer of 127.0.0.1:P makes no sense: dns: too many compression pointers"},
		"loop, then honest":   {script{udp: func(_ int, q []byte) [][]byte { return [][]byte{looping(q), good(q)} }}, "", true, well},
		"announces more":      {script{udp: udp(func(q []byte) []byte { return changed(good(q), func(b []byte) { b[7] = 9 }) })}, "-t 2", false, "the answer of 127.0.0.1:P makes no sense: it announces more records than it holds"},
		"cannot read it":      {script{udp: udp(func(q []byte) []byte { return append(q[:2:2], 0x80, 0x01, 0, 0, 0, 0, 0, 0, 0, 0) })}, "", false, "A www.example.: the answer is FORMERR, want NOERROR"},
		"with a reason": {script{udp: udp(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) {
				m.Rcode, m.Answer = dns.RcodeServerFailure, nil
				m.SetEdns0(1232, false)
				m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "expired"}}
			})
		})}, "", false, "A www.example.: the answer is SERVFAIL (DNSSEC Bogus: expired), want NOERROR"},
		"extended code": {script{udp: udp(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) { m.SetEdns0(1232, false); m.Rcode = dns.RcodeBadVers })
		})}, "--edns 1232", false, "A www.example.: the answer is BADVERS, want NOERROR"},
		"authentic": {script{udp: udp(func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.AuthenticatedData = true }) })}, "--dnssec", true, well},
		"signed": {script{udp: udp(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) {
				m.Answer = append(m.Answer, &dns.RRSIG{Hdr: dns.RR_Header{Name: "www.example.", Rrtype: dns.TypeRRSIG, Class: 1}, TypeCovered: dns.TypeA, SignerName: "example."})
			})
		})}, "--dnssec", true, well},
		"other records": {script{udp: udp(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) { m.Answer[0].Header().Name = "evil.example." })
		})}, "", false, "A www.example.: the answer has other records, but none that was asked for: 192.0.2.1"},
		"aliases in a circle": {script{udp: udp(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) { m.Answer = []dns.RR{alias("www.example.", "a."), alias("a.", "www.example.")} })
		})}, "", false, "A www.example.: the answer has other records, but none that was asked for: a., www.example."},
		"truncated":                 {script{udp: udp(truncated), tcp: tcp(good)}, "", true, well},
		"truncated, then closed":    {script{udp: udp(truncated), tcp: func(net.Conn, []byte) {}}, "", false, "the answer over UDP is truncated, and over TCP: 127.0.0.1:P hung up without an answer to A www.example."},
		"truncated for ever":        {script{udp: udp(truncated), tcp: tcp(truncated)}, "", false, "the answer over UDP is truncated, and over TCP: the answer of 127.0.0.1:P is truncated over TCP"},
		"truncated, then silent":    {script{udp: udp(truncated)}, "-t 2", false, "no answer in T: the answer over UDP is truncated, and over TCP: wait for an answer of 127.0.0.1:P to A www.example."},
		"TCP, others first":         {script{tcp: tcp(misnumbered, good)}, "--tcp", true, well},
		"TCP, loop":                 {script{tcp: tcp(looping)}, "--tcp", false, "the answer of 127.0.0.1:P makes no sense: dns: too many compression pointers"},
		"TCP, empty messages":       {script{tcp: tcp(nothing, nothing, good)}, "--tcp", true, well},
		"TCP, cut":                  {script{tcp: func(c net.Conn, q []byte) { _, _ = c.Write(prefixed(good(q))[:20]) }}, "--tcp", false, "127.0.0.1:P hung up without an answer to A www.example."},
		"TCP, slow":                 {script{tcp: func(c net.Conn, q []byte) { _, _ = c.Write(prefixed(good(q))[:20]); _, _ = io.Copy(io.Discard, c) }}, "--tcp -t 2", false, "no answer in T: wait for an answer of 127.0.0.1:P to A www.example."},
		"TCP, endless":              {script{tcp: endless}, "--tcp", false, "127.0.0.1:P sends answers to other questions than A www.example."},
		"TCP, names without end":    {script{tcp: tcp(bomb)}, "--tcp", false, "the answer of 127.0.0.1:P makes no sense: its records have more than 524288 bytes"},
		"TLS that never finishes":   {script{}, "--tls --insecure -t 2", false, "no answer in T: TLS handshake as 127.0.0.1"},
		"TLS that is none":          {script{tcp: func(c net.Conn, _ []byte) {}}, "--tls --insecure -t 2", false, "*"},
		"query compared with liars": {script{udp: udp(good)}, "--caching_only --query www.example:A:other.example", true, well},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting, and long enough for a busy machine
			options := tt.options
			if !strings.Contains(options, "--query") {
				options += " -n www.example"
			}
			if !strings.Contains(options, "-t ") {
				options += " -t 20"
			}
			judged(t, check(t, "127.0.0.1", tt.server.serve(t), options), tt.ok, "127.0.0.1: "+tt.want)
		})
	}
}

func alias(from, to string) dns.RR {
	return &dns.CNAME{Hdr: dns.RR_Header{Name: from, Rrtype: dns.TypeCNAME, Class: 1, Ttl: 60}, Target: to}
}

func nothing([]byte) []byte { return nil }

// misnumbered is an answer with another id.
func misnumbered(q []byte) []byte { return changed(good(q), func(b []byte) { b[0] ^= 1 }) }

// endless sends messages of 64 KiB with another id for as long as they are taken.
func endless(c net.Conn, q []byte) {
	b := append(changed(good(q), func(b []byte) { b[0] ^= 1 }), make([]byte, 65535)...)[:65535]
	for {
		if _, err := c.Write(prefixed(b)); err != nil {
			return
		}
	}
}

// bomb is a message of 64 KiB whose records all have one long name.
func bomb(q []byte) []byte {
	long := strings.Repeat(strings.Repeat(`\001`, 63)+".", 3)
	b := reply(q, func(m *dns.Msg) {
		for range 4000 {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: long, Rrtype: dns.TypeA, Class: 1}, A: net.IPv4(192, 0, 2, 1)})
		}
	})
	if len(b) > 65535 {
		panic(len(b))
	}
	return b
}

// A datagram from elsewhere is not even seen, whatever it says.
func TestAnotherSource(t *testing.T) {
	elsewhere, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer elsewhere.Close()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = elsewhere.WriteTo(good(buf[:n]), from)
		}
	}()
	defer func() { c.Close(); <-done }()
	port := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	judged(t, check(t, "127.0.0.1", port, "-n www.example -t 50ms"), false, "127.0.0.1: no answer in T: wait for an answer of 127.0.0.1:P to A www.example.")
}

// Every question has an id of its own, and every check another source port.
func TestIDsAndPorts(t *testing.T) {
	ids, ports := map[uint16]bool{}, map[string]bool{}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			ids[binary.BigEndian.Uint16(buf)], ports[from.String()] = true, true
			_, _ = c.WriteTo(good(buf[:n]), from)
		}
	}()
	for range 50 {
		check(t, "127.0.0.1", c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), "-n www.example")
	}
	c.Close()
	<-done
	if len(ids) < 45 || len(ports) < 40 {
		t.Errorf("%d ids, %d ports in 50 checks", len(ids), len(ports))
	}
}

func TestManyQuestionsAndHosts(t *testing.T) {
	mute := func(b []byte) bool { return bytes.Contains(b, []byte("\x04mute")) }
	port := script{udp: func(_ int, q []byte) [][]byte {
		if mute(q) {
			return nil
		}
		return [][]byte{good(q)}
	}}.serve(t)
	options := "--caching_only -t 3 --query mute.example"
	for i := range 40 {
		options += fmt.Sprintf(" --query n%d.example", i)
	}
	r := check(t, "127.0.0.1", port, options)
	judged(t, r, false, "127.0.0.1: no answer in T: 1 of 41 questions: A mute.example.: wait for an answer of 127.0.0.1:P to A mute.example.")
	if p := r.Hosts[0].Perf; p["records"] != 40 || p["rtt_ms"] <= 0 {
		t.Errorf("%v", p)
	}
	r = check(t, "127.0.0.1 nobody", port, options)
	if r.Exit != 1 || r.Summary != "127.0.0.1" || !strings.Contains(r.Detail, "nobody: not judged: name nobody has no address") {
		t.Errorf("%d %s", r.Exit, r.Output())
	}
}

func TestCancelled(t *testing.T) {
	for _, options := range []string{"-n www.example", "--tcp -n www.example", "--zone example --master 127.0.0.1"} {
		port := script{}.serve(t)
		m, err := configure(append(strings.Fields(options), "-t", "3600", "-p", fmt.Sprint(port))...)
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(10*time.Millisecond, cancel)
		if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Cause != monitor.NotRun {
			t.Errorf("%s: %v: %s", options, r.Cause, r.Output())
		}
		stop.Stop()
	}
}

func FuzzDecode(f *testing.F) {
	q := &question{name: "www.example.", kind: dns.TypeA, class: dns.ClassINET}
	if err := q.pack(1232, true); err != nil {
		f.Fatal(err)
	}
	for _, b := range append(wrongs(q.wire), good(q.wire), looping(q.wire)) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := decode(b, q)
		if err != nil || a == nil {
			return
		}
		_ = q.want.judge(q, a)
		for _, rr := range a.chain(q) {
			_ = data(rr)
		}
		_ = list(a.records)
	})
}

func BenchmarkCheck(b *testing.B) {
	port := script{udp: func(_ int, q []byte) [][]byte {
		return [][]byte{changed(bytes.Clone(q), func(b []byte) { b[2] |= 0x84; b[3] |= 3 })}
	}}.serve(b)
	m, err := configure("-p", fmt.Sprint(port), "-n", "www.example", "--rcode", "NXDOMAIN")
	must(b, err)
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		if r := m.Check(b.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Failing() {
			b.Fatal(r.Output())
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N)/1000, "cpu-us/op")
}

// cpu is the processor time of this process, both ends of the exchange.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
