package store

import (
	"encoding/json"
	"time"
)

// text is a string of any bytes as it is read. Monitors print what they like,
// and an alert after a restart must be given those very bytes; JSON has no
// place for what is not UTF-8, so such a string is written as {"b64": "..."}.
type text string

type base64Text struct {
	B64 []byte `json:"b64"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var b base64Text
		err := json.Unmarshal(data, &b)
		*t = text(b.B64)
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}

func stringsOf(list []text) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// stamp is t as it is written: in UTC, and zero where JSON could not hold it,
// since one bad time must not keep a whole batch off the disk.
func stamp(t time.Time) time.Time {
	u := t.UTC()
	if t.IsZero() || u.Year() < 0 || u.Year() > 9999 {
		return time.Time{}
	}
	return u
}

// local is a time that was read: in local time, as the rest of mond shows it.
func local(t time.Time) time.Time {
	if t = stamp(t); t.IsZero() {
		return t
	}
	return t.Local()
}
