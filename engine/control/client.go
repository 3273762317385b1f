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
	"strings"
	"syscall"
	"time"
)

const (
	// readPatience is how long a client waits for what the daemon reads off;
	// it needs milliseconds.
	readPatience = 15 * time.Second
	// callPatience is how long it waits for what the daemon does: a little
	// longer than the daemon itself.
	callPatience = callLimit + readPatience
)

// Client speaks to a daemon's control socket. It keeps no connections and may
// be used concurrently.
type Client struct {
	path           string
	http           http.Client
	patience, long time.Duration
}

// Dial makes a Client for the socket at path; nothing is sent yet.
func Dial(path string) *Client {
	c := &Client{path: path, patience: readPatience, long: callPatience}
	c.http.Transport = &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// Daemon asks about the daemon as a whole.
func (c *Client) Daemon(ctx context.Context) (d Daemon, err error) {
	return d, c.get(ctx, &d, "daemon")
}

// Services asks for all services in file order, without detail, decisions and
// claims.
func (c *Client) Services(ctx context.Context) (rows []Service, err error) {
	return rows, c.get(ctx, &rows, "services")
}

// Service asks for one service with its detail, decisions and claims.
func (c *Client) Service(ctx context.Context, group, service string) (s Service, err error) {
	return s, c.get(ctx, &s, "services", group, service)
}

// Show asks a running plugin about itself.
func (c *Client) Show(ctx context.Context, program, topic string) (string, error) {
	var text strings.Builder
	err := c.call(ctx, http.MethodGet, c.long, nil, &text, "show", program, topic)
	return text.String(), err
}

// Do calls an action; the path is made of the parts, such as "services",
// "www1", "http", "ack". It returns when the daemon has done it or refused it.
func (c *Client) Do(ctx context.Context, m Remark, parts ...string) error {
	return c.post(ctx, m, parts...)
}

func (c *Client) post(ctx context.Context, m any, parts ...string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, c.long, bytes.NewReader(body), nil, parts...)
}

func (c *Client) get(ctx context.Context, out any, parts ...string) error {
	return c.call(ctx, http.MethodGet, c.patience, nil, out, parts...)
}

func (c *Client) call(ctx context.Context, method string, patience time.Duration, body io.Reader, out any, parts ...string) error {
	path, err := pathOf(parts)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, silentError{c.path, patience})
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://mond"+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.explain(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	if err := decode(resp.Body, out); err != nil {
		return c.explain(ctx, err)
	}
	return nil
}

// pathOf makes a path of names, which may hold any byte. "." and ".." would
// mean other folders.
func pathOf(parts []string) (string, error) {
	path := "/v1"
	for _, p := range parts {
		switch p {
		case "":
			return "", errors.New("a name is empty")
		case ".", "..":
			p = strings.ReplaceAll(p, ".", "%2E")
		default:
			p = url.PathEscape(p)
		}
		path += "/" + p
	}
	return path, nil
}

// refusal is the daemon's own word for why not.
func refusal(resp *http.Response) error {
	var p problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Error == "" {
		return fmt.Errorf("mond answered %s", resp.Status)
	}
	return errors.New(p.Error)
}

func decode(r io.Reader, out any) error {
	switch out := out.(type) {
	case nil:
		return nil
	case io.Writer:
		_, err := io.Copy(out, r)
		return err
	}
	return json.NewDecoder(r).Decode(out)
}

// silentError says that the daemon took the question and gave no answer.
type silentError struct {
	path     string
	patience time.Duration
}

func (e silentError) Error() string {
	return fmt.Sprintf("mond on %s does not answer within %v: see its log, or whether it is stopped (state T in ps)", e.path, e.patience)
}

// explain turns a fault into something to act on.
func (c *Client) explain(ctx context.Context, err error) error {
	var silent silentError
	switch {
	case errors.As(context.Cause(ctx), &silent):
		return silent
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no mond answers on %s: start it, or name its socket with --socket", c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("control socket %s: permission denied; be a member of its group or use sudo", c.path)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its text names an address that nobody knows
	}
	return fmt.Errorf("ask mond on %s: %w", c.path, err)
}
