package difference

// daemon are about starting, checking and stopping.
func daemon() []Difference {
	return []Difference{
		{
			Name: "foreground",
			Mon:  "Stays in the foreground without -f.",
			Ours: "So does mond; with -f it is up when the command returns, and the exit status tells.",
			Why:  "A start that failed should not look like one that worked.",
		},
		{
			Name: "exit status after TERM",
			Mon:  "1.",
			Ours: "0.",
			Why:  "A clean stop is no failure.",
		},
		{
			Name: "a missing monitor or alert",
			Mon:  "Is logged; the service stays untested, which counts as good.",
			Ours: "Is an error with its place in the file; a reload with one is refused.",
			Why:  "A service that is never checked should be noticed.",
		},
		{
			Name: "unbalanced quotes",
			Mon:  "Run the first host name as a program.",
			Ours: "Are an error with their place.",
			Why:  "Host names are not programs.",
		},
		{
			Name: "a circle of dependencies, an exit range above 255",
			Mon:  "Are accepted: the alerts of the circle are silenced, the range is never met.",
			Ours: "Are errors with their place.",
			Why:  "Nobody means that.",
		},
		{
			Name: "the first check",
			Mon:  "One interval after the start, all at once.",
			Ours: "One interval after the start, less up to 10 s by a hash of the name.",
			Why:  "A burst helps nobody.",
		},
		{
			Name: "state",
			Mon:  "Is saved when asked, loaded with -l.",
			Ours: "Is always saved and resumed; --forget starts anew.",
			Why:  "A restart should change nothing.",
		},
		{
			Name: "large outputs",
			Mon:  "More than 128 KiB make the next alert start a second daemon.",
			Ours: "Output is cut at 64 KiB, with a mark.",
			Why:  "It multiplies without end.",
		},
		{
			Name: "mondir, alertdir: a directory that ends in s, and another after it",
			Mon:  "The s is cut off, as is one that begins the other: mon takes it for a blank.",
			Ours: "Names are taken as they are written.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "exit status of an alert",
			Mon:  "Is ignored.",
			Ours: "75 asks for another call; others are logged.",
			Why:  "An alert that told nobody should be tried again.",
		},
		{
			Name: "file.alert, if it is ours",
			Mon:  "A block begins with the type of the alert: failure, up, startup.",
			Ours: "It begins with ALERT, UPALERT, STARTUP, as subjects of mail do, and a line that begins with a full stop is given one more.",
			Why:  "A line of the detail must not end the block. mon's own file.alert, in alertdir, is taken first and does as it did.",
		},
		{
			Name: "udp.monitor, if it is ours",
			Mon:  "-r is the local port of the contributed program, and an answer must come.",
			Ours: "-r is how often to send again; without -e or --answer only a refusal fails.",
			Why:  "Most servers say nothing to an empty datagram. The contributed udp.monitor, in mondir, is taken first and does as it did.",
		},
	}
}
