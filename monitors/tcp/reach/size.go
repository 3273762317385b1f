package reach

import (
	"errors"
	"strconv"
	"strings"
)

// Size is an option's value: a number of bytes, at least 1 and at most
// maxSize.
type Size int64

// maxSize is what one check may hold in memory at most.
const maxSize = 256 << 20

// String is the number as Set reads it.
func (s *Size) String() string {
	n := int64(*s)
	switch {
	case n != 0 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + "M"
	case n != 0 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + "K"
	}
	return strconv.FormatInt(n, 10)
}

// Set reads a number of bytes; K or M after it multiplies it by 1024 once or
// twice.
func (s *Size) Set(text string) error {
	figure, unit := strings.ToUpper(text), int64(1)
	if f, ok := strings.CutSuffix(figure, "K"); ok {
		figure, unit = f, 1<<10
	} else if f, ok := strings.CutSuffix(figure, "M"); ok {
		figure, unit = f, 1<<20
	}
	n, err := strconv.ParseUint(figure, 10, 32)
	if err != nil || n == 0 || int64(n) > maxSize/unit {
		return errors.New("want a number of bytes from 1 to 256M, such as 4096, 64K or 1M")
	}
	*s = Size(int64(n) * unit)
	return nil
}
