package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// Client speaks to a daemon's control socket.
type Client struct {
	path string
	http http.Client
}

// Dial makes a Client for the socket at path; nothing is sent yet.
func Dial(path string) *Client {
	c := &Client{path: path}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}
	return c
}

// Daemon asks about the daemon as a whole.
func (c *Client) Daemon(ctx context.Context) (d Daemon, err error) {
	return d, c.call(ctx, http.MethodGet, "/v1/daemon", nil, &d)
}

// Services asks for all services in file order.
func (c *Client) Services(ctx context.Context) (rows []Service, err error) {
	return rows, c.call(ctx, http.MethodGet, "/v1/services", nil, &rows)
}

// Service asks for one service with its decisions and claims.
func (c *Client) Service(ctx context.Context, group, service string) (s Service, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/services/"+url.PathEscape(group)+"/"+url.PathEscape(service), nil, &s)
}

// Show asks a running plugin about itself.
func (c *Client) Show(ctx context.Context, program, topic string) (string, error) {
	var text bytes.Buffer
	err := c.call(ctx, http.MethodGet, "/v1/show/"+url.PathEscape(program)+"/"+url.PathEscape(topic), nil, &text)
	return text.String(), err
}

// Do calls an action; the path is made of the parts, such as "services",
// "www1", "http", "ack".
func (c *Client) Do(ctx context.Context, m Remark, parts ...string) error {
	path := "/v1"
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return c.call(ctx, http.MethodPost, path, m, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://mond"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Error == "" {
			return fmt.Errorf("mond answered %s", resp.Status)
		}
		return errors.New(p.Error)
	}
	return decode(resp.Body, out)
}

func decode(r io.Reader, out any) error {
	switch out := out.(type) {
	case nil:
		return nil
	case *bytes.Buffer:
		_, err := out.ReadFrom(r)
		return err
	}
	if err := json.NewDecoder(r).Decode(out); err != nil {
		return fmt.Errorf("read mond's answer: %w", err)
	}
	return nil
}

// explain turns a refused connection into something to act on.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no mond answers on %s: start it, or name its socket with --socket", c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("control socket %s: permission denied; be a member of its group or use sudo", c.path)
	}
	return fmt.Errorf("ask mond on %s: %w", c.path, err)
}
