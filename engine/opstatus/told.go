package opstatus

// Told is what people are told of an event: the summary and the text that an
// alert reads on its standard input, as mon gives them. was and is are the
// states before and after ev.
//
// An upalert is told what failed last, not what is good now; a success that
// ended no outage (redistribute) is told what was said before it.
func Told(ev Event, t Transition, was, is State) (summary, output string) {
	switch {
	case t.Failure:
		return is.FailSummary, is.FailOutput
	case t.Recovered:
		return was.FailSummary, was.FailOutput
	case t.Success:
		return orNone(was.Summary), was.Output
	case t.Event == Ack:
		text := ev.Note.Who() + ": " + ev.Note.Text
		return text, text
	case t.Event == Disable:
		return orNone(ev.Note.Who()), ev.Note.Who()
	}
	return NoSummary, ""
}

func orNone(s string) string {
	if s == "" {
		return NoSummary
	}
	return s
}
