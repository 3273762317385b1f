package origin

import (
	"golang.org/x/sys/unix"
)

// Version is that of now. What there is none of is 0.
func (o *Origin) Version() (v Version) {
	if o.Netns != "" {
		var st unix.Stat_t
		if unix.Stat(o.Netns.Path(), &st) == nil {
			v.netns = st.Ino
		}
	}
	if o.Device != "" {
		_ = o.In(func() error { // without the namespace there is no interface either
			v.index = index(string(o.Device))
			return nil
		})
	}
	return v
}

// index is the number of an interface, 0 if there is none.
func index(name string) uint32 {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, req) != nil {
		return 0
	}
	return req.Uint32()
}
