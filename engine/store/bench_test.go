package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
)

// lifelike is a record of a service that fails.
func lifelike(i int) Record {
	at := time.Unix(1_800_000_000+int64(i), 123_456_789)
	return Record{
		State: opstatus.State{
			Status: opstatus.Fail, Last: opstatus.OK, Bad: 3, Failures: 3, Total: i, Tested: true, Exit: 1,
			FirstFail: at, LastFail: at, LastOK: at, LastCheck: at, Took: time.Millisecond,
			Summary: "web1.example.com web2.example.com", FailSummary: "web1.example.com web2.example.com",
			Output:     "web1.example.com web2.example.com\nconnection refused\nconnection refused\n",
			FailOutput: "web1.example.com web2.example.com\nconnection refused\nconnection refused\n",
		},
		Periods: map[string]policy.State{"wd {Mon-Fri} hr {7am-10pm}": {Sent: 2, LastAlert: at, FailCount: 3}},
	}
}

func BenchmarkLoad10000(b *testing.B) {
	file := b.TempDir() + "/state.db"
	s, err := Open(Options{Path: file, NoSync: true})
	check(b, err)
	_, err = s.Load()
	check(b, err)
	batch := Batch{Records: map[opstatus.Key]Record{}}
	for i := range 10_000 {
		batch.Records[key(i)] = lifelike(i)
	}
	s.Append(batch, nil)
	check(b, s.Close(context.Background()))
	for b.Loop() {
		s, err := Open(Options{Path: file})
		check(b, err)
		if len(s.saved.Records) != 10_000 {
			b.Fatal(len(s.saved.Records))
		}
		check(b, s.Close(context.Background()))
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := Open(Options{Path: b.TempDir() + "/state.db", NoSync: true})
	check(b, err)
	_, err = s.Load()
	check(b, err)
	i := 0
	for b.Loop() {
		i++
		s.Append(Batch{Records: map[opstatus.Key]Record{key(i % 10_000): lifelike(i)}}, nil)
	}
	check(b, s.Close(context.Background()))
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n, " records"), func(b *testing.B) {
			s, err := Open(Options{Path: b.TempDir() + "/state.db"})
			check(b, err)
			_, err = s.Load()
			check(b, err)
			done := make(chan error)
			for b.Loop() {
				batch := Batch{Records: map[opstatus.Key]Record{}}
				for i := range n {
					batch.Records[key(i)] = lifelike(i)
				}
				s.Append(batch, func(err error) { done <- err })
				check(b, <-done)
			}
			check(b, s.Close(context.Background()))
		})
	}
}

// BenchmarkEvents reads a long history, as a report does.
func BenchmarkEvents(b *testing.B) {
	const rows = 200_000
	s, err := Open(Options{Path: b.TempDir() + "/state.db", NoSync: true, HistoryRows: rows, EventLimit: rows + 1})
	check(b, err)
	_, err = s.Load()
	check(b, err)
	batch := Batch{Events: make([]Event, rows)}
	for i := range batch.Events {
		batch.Events[i] = Event{
			At: time.Unix(time.Now().Unix()-int64(rows-i), 123_456_789), Group: fmt.Sprint("web", i%1000), Service: "http", Kind: KindStatus,
			From: "ok", To: "fail", Exit: 1, Summary: "web1.example.com", Text: "ok -> fail: web1.example.com",
		}
	}
	done := make(chan error, 1)
	s.Append(batch, func(err error) { done <- err })
	check(b, <-done)
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.Events(Filter{}) {
				check(b, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
	b.Run("of another kind", func(b *testing.B) {
		for b.Loop() {
			for range s.Events(Filter{Kinds: []string{KindAlert}}) {
				b.Fatal("a row")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
	check(b, s.Close(context.Background()))
}
