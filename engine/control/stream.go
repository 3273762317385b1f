package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// lineMost is the longest line that is read: the report of 10,000 services
// with all their outages is one.
const lineMost = 256 << 20

// errEnough ends a stream whose reader has enough.
var errEnough = errors.New("enough")

// History asks for rows of history and gives them as they come. An error ends
// them.
func (c *Client) History(ctx context.Context, q HistoryQuery) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		err := c.stream(ctx, "history", q.values(), func(line []byte) error {
			var row struct {
				Event
				problem
			}
			if err := json.Unmarshal(line, &row); err != nil {
				return fmt.Errorf("read what mond said: %w", err)
			}
			if row.Error != "" {
				return errors.New(row.Error)
			}
			if !yield(row.Event, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Event{}, err)
		}
	}
}

// Report asks for a report; told, if set, hears now and then how many rows have
// been read for it.
func (c *Client) Report(ctx context.Context, q ReportQuery, told func(rows int)) (r *Report, err error) {
	err = c.stream(ctx, "report", q.values(), func(line []byte) error {
		var row struct {
			progress
			made
			problem
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("read what mond said: %w", err)
		}
		switch {
		case row.Error != "":
			return errors.New(row.Error)
		case row.Report != nil:
			r = row.Report
		case told != nil:
			told(row.Rows)
		}
		return nil
	})
	if err == nil && r == nil {
		err = errors.New("mond broke off in the middle of its answer; its log says why")
	}
	return r, err
}

// stream asks for lines and hands them on. It is patient as long as lines
// come.
func (c *Client) stream(ctx context.Context, what string, v url.Values, each func(line []byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(c.patience, func() { cancel(silentError{c.path, c.patience}) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://mond/v1/"+what+"?"+v.Encode(), nil)
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
	in := bufio.NewScanner(resp.Body)
	in.Buffer(make([]byte, 0, 64<<10), lineMost)
	for in.Scan() {
		silence.Stop() // what is done with a line is not mond's time
		if err := each(in.Bytes()); err != nil {
			return err
		}
		silence.Reset(c.patience)
	}
	if err := in.Err(); err != nil && !errors.Is(err, io.EOF) {
		return c.explain(ctx, err)
	}
	return nil
}
