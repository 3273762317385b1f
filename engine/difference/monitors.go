package difference

// monitors are about running monitors, and what programs are told of the past.
func monitors() []Difference {
	return []Difference{
		{
			Name: "hostdepend",
			Mon:  "A host is left out when its name is a part of the other service's summary: h1 because of h11.",
			Ours: "A host is left out when it is a word of that summary, or one of the hosts that a resident monitor names.",
			Why:  "h1 works.",
		},
		{
			Name: "MON_FIRST_SUCCESS",
			Mon:  "Is empty for alerts and not set for monitors.",
			Ours: "Is when the service became good, 0 before.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "the last newline",
			Mon:  "Alerts get an output as it was printed.",
			Ours: "An output that is one line without a newline gets one, and one that is only an empty line is empty.",
			Why:  "An output is kept as summary and detail.",
		},
		{
			Name: "monitor ended by a signal",
			Mon:  "Counts as a success.",
			Ours: "Leaves the service blind: nothing changes, and it is shown as blind.",
			Why:  "Nobody looked, so nobody knows.",
		},
		{
			Name: "monitor that could not be started",
			Mon:  "Counts as a failure of the service, with an empty output.",
			Ours: "Leaves the service blind.",
			Why:  "A full process table here says nothing of the host there, and must not empty a table of servers.",
		},
		{
			Name: "monitor that hangs",
			Mon:  "Is waited for forever; the service keeps its status.",
			Ours: "Is ended at its time limit, which is a failure with exit status 1 and opstatus timeout.",
			Why:  "A hung check is how many failures look.",
		},
	}
}
