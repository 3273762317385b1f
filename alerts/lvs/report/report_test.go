package report

import "testing"

func TestCalled(t *testing.T) {
	for _, c := range []struct {
		word, virtual, name string
		want                bool
	}{
		{"10.0.0.3:80", "tcp 10.0.0.3:80", "", true},
		{"10.0.0.3", "tcp 10.0.0.3:80", "", true},
		{"tcp 10.0.0.3:80", "tcp 10.0.0.3:80", "", true},
		{"2001:db8::3", "tcp [2001:db8::3]:80", "", true},
		{"[2001:db8::3]", "tcp [2001:db8::3]:80", "", true},
		{"web", "tcp 10.0.0.3:80", "web", true},
		{"", "tcp 10.0.0.3:80", "", false},
		{"10.0.0.3:8", "tcp 10.0.0.3:80", "web", false},
		{"fwmark:7", "fwmark 7", "", true},
		{"fwmark6:7", "fwmark6 7", "", true},
		{"fwmark:7", "fwmark6 7", "", false},
		{"marked", "fwmark 7", "marked", true},
		{"x", "", "", false},
	} {
		if got := Called(c.word, c.virtual, c.name); got != c.want {
			t.Errorf("%q of %q (%s): %v", c.word, c.virtual, c.name, got)
		}
	}
}

func TestAgrees(t *testing.T) {
	for want, list := range map[bool][]Table{
		true: {
			{},
			{Services: []Service{{State: "agrees"}, {State: "foreign"}, {State: "standby"}}, Rows: []Row{{State: "held"}, {State: "left"}}},
			{Timeouts: &Timeouts{State: "agrees"}},
		},
		false: {
			{Trouble: "x"}, {Services: []Service{{State: "blocked"}}}, {Rows: []Row{{State: "pending"}}}, {Timeouts: &Timeouts{State: "differs"}},
			{Rows: []Row{{State: "leaving"}}}, {Rows: []Row{{State: "unknown"}}},
		},
	} {
		for _, table := range list {
			if table.Agrees() != want {
				t.Errorf("%+v: want %v", table, want)
			}
		}
	}
}
