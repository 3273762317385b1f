package daemons

import (
	"bufio"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Client is a connection of mon's line protocol.
type Client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// Dial connects to the daemon until the test ends.
func (d *Daemon) Dial() *Client {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.Address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	return &Client{t: d.t, conn: conn, in: bufio.NewReader(conn)}
}

// isStatus matches the line that ends a reply.
var isStatus = regexp.MustCompile(`^\d{3}\s`)

// Ask sends a command and is its reply: the lines of data, and the status.
func (c *Client) Ask(command string) (data []string, status string) {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(limit))
	if _, err := c.conn.Write([]byte(command + "\n")); err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%s: after %q: %v", command, data, err)
		}
		line = strings.TrimRight(line, "\r\n")
		if isStatus.MatchString(line) {
			return data, line
		}
		data = append(data, line)
	}
}

// Ask is Client.Ask on a connection of its own.
func (d *Daemon) Ask(command string) (data []string, status string) {
	d.t.Helper()
	c := d.Dial()
	defer c.conn.Close()
	return c.Ask(command)
}
