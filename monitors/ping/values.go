package ping

import (
	"errors"
	"strconv"
	"strings"
)

// percent is an option's value: a share above 0 and up to 100 %, 0 as long as
// none was chosen.
type percent float64

// String is the share, empty without one.
func (p *percent) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'f', -1, 64) + "%"
}

// Set reads a share; the sign may be left out.
func (p *percent) Set(text string) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(v > 0 && v <= 100) {
		return errors.New("want a share above 0 and up to 100%, such as 20%")
	}
	*p = percent(v)
	return nil
}
