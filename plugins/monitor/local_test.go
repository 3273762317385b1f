package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/mondhq/mond/plugins/monitor"
)

func TestLocal(t *testing.T) {
	dial := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
	}
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                      {nil, false},
		"any error":                {errors.New("status 503"), false},
		"no descriptor":            {dial(syscall.EMFILE), true},
		"no descriptor anywhere":   {dial(syscall.ENFILE), true},
		"no buffers":               {dial(syscall.ENOBUFS), true},
		"no memory":                {dial(syscall.ENOMEM), true},
		"packet filter":            {dial(syscall.EPERM), true},
		"prohibited":               {dial(syscall.EACCES), true},
		"source address not ours":  {dial(syscall.EADDRNOTAVAIL), true},
		"ports used up":            {dial(syscall.EADDRINUSE), true},
		"no IPv6":                  {dial(syscall.EAFNOSUPPORT), true},
		"no route":                 {dial(syscall.ENETUNREACH), true},
		"link down":                {dial(syscall.ENETDOWN), true},
		"refused":                  {dial(syscall.ECONNREFUSED), false},
		"reset":                    {dial(syscall.ECONNRESET), false},
		"dead neighbour":           {dial(syscall.EHOSTUNREACH), false},
		"timed out in the kernel":  {dial(syscall.ETIMEDOUT), false},
		"broken pipe":              {dial(syscall.EPIPE), false},
		"wrapped twice":            {fmt.Errorf("a: %w", fmt.Errorf("b: %w", dial(syscall.EMFILE))), true},
		"bare number":              {syscall.ENFILE, true},
		"deadline":                 {context.DeadlineExceeded, false},
		"deadline of a connection": {os.ErrDeadlineExceeded, false},
		"late":                     {monitor.Late("connect"), false},
		"name not found":           {&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, true},
		"resolver silent":          {&net.DNSError{Err: "timeout", Name: "x", IsTimeout: true}, true},
		"lookup inside a dial":     {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving"}}, true},
		"never resolved":           {fmt.Errorf("check: %w", &monitor.Unresolved{Host: "x", Err: errors.New("y")}), true},
		"unresolved by a deadline": {&monitor.Unresolved{Host: "x", Err: context.DeadlineExceeded}, true},
		"marked":                   {fmt.Errorf("check: %w", monitor.Fault(os.ErrNotExist)), true},
		"marked nil":               {monitor.Fault(nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := monitor.Local(tt.err); got != tt.want {
				t.Errorf("Local(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}

func TestUnresolved(t *testing.T) {
	dns := &net.DNSError{Err: "no such host", Name: "web1", Server: "192.0.2.1:53"}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"resolver's words": {dns, "name web1 has no address: no such host"},
		"other":            {errors.New("not asked"), "name web1 has no address: not asked"},
		"none":             {nil, "name web1 has no address: <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &monitor.Unresolved{Host: "web1", Err: tt.err}
			if got := u.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.err != nil && !errors.Is(u, tt.err) {
				t.Errorf("%v does not wrap %v", u, tt.err)
			}
		})
	}
}

func TestFaultKeepsWordsAndCause(t *testing.T) {
	err := monitor.Fault(fmt.Errorf("read ca.pem: %w", os.ErrNotExist))
	if got, want := err.Error(), "read ca.pem: file does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
