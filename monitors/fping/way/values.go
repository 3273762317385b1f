package way

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Count is an option's value: a whole number within limits.
type Count struct{ Value, Least, Most int }

// String is the number.
func (c *Count) String() string { return strconv.Itoa(c.Value) }

// Set reads a number.
func (c *Count) Set(text string) error {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil || n < int64(c.Least) || n > int64(c.Most) {
		return fmt.Errorf("want a whole number from %d to %d", c.Least, c.Most)
	}
	c.Value = int(n)
	return nil
}

// Millis is an option's value: a time above 0 and of an hour at most, in
// milliseconds as mon's fping monitor takes it ("2000") or with a unit ("2s").
// 0 stands for none as long as none was chosen.
type Millis time.Duration

// maxMillis is the longest time.
const maxMillis = time.Hour

// String is the time with its unit, empty without one.
func (m *Millis) String() string {
	if *m == 0 {
		return ""
	}
	return time.Duration(*m).String()
}

// Set reads a time.
func (m *Millis) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "ms")
	}
	if err != nil || d <= 0 || d > maxMillis {
		return fmt.Errorf("want a time above 0 and up to %d milliseconds, such as 500, 0.5 or 2s", maxMillis.Milliseconds())
	}
	*m = Millis(d)
	return nil
}

// Factor is an option's value: a number from 1 to 5.
type Factor float64

// String is the number.
func (f *Factor) String() string { return strconv.FormatFloat(float64(*f), 'g', -1, 64) }

// Set reads a number.
func (f *Factor) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 1 && v <= 5) {
		return errors.New("want a number from 1 to 5, such as 1.5")
	}
	*f = Factor(v)
	return nil
}
