package host

import (
	"slices"
	"sync"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxSubjects bounds the table; beyond it both ends begin anew.
const maxSubjects = 1 << 17

// service names a service.
type service struct{ group, name string }

// subjects numbers what is the same in every check of a service, so that it is
// sent once and again only when it changes. It is of one session and used by
// its sender; only name may be called by others.
type subjects struct {
	byService map[service]*known

	mu    sync.Mutex
	names []service // by number
}

type known struct {
	number      uint32
	hosts, args []string
}

func newSubjects() *subjects { return &subjects{byService: map[service]*known{}} }

// number returns the number of r's subject; def has to be sent before it is
// used, if not nil. A table that is full is emptied, and forget is to be sent
// before anything else.
func (t *subjects) number(r monitor.Request) (number uint32, def *pb.Subject, forget bool, err error) {
	key := service{r.Group, r.Service}
	k := t.byService[key]
	if k != nil && same(k.hosts, r.Hosts) && same(k.args, r.Args) {
		return k.number, nil, false, nil
	}
	next := k
	if k == nil {
		if forget = len(t.byService) >= maxSubjects; forget {
			t.clear()
		}
		next = &known{number: uint32(len(t.byService))} //nolint:gosec // below maxSubjects
	}
	def, err = rpc.EncodeSubject(next.number, r)
	if err != nil {
		return 0, nil, forget, err
	}
	next.hosts, next.args = r.Hosts, r.Args
	if k == nil {
		t.byService[key] = next
		t.mu.Lock()
		t.names = append(t.names, key)
		t.mu.Unlock()
	}
	return next.number, def, forget, nil
}

func (t *subjects) clear() {
	clear(t.byService)
	t.mu.Lock()
	t.names = nil
	t.mu.Unlock()
}

// name is whose subject has this number.
func (t *subjects) name(number uint32) (s service, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(number) >= int64(len(t.names)) {
		return service{}, false
	}
	return t.names[number], true
}

// same compares lists; those of one configuration are mostly the same memory.
func same(a, b []string) bool {
	if len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] {
		return true
	}
	return slices.Equal(a, b)
}
