package difference

// traps are about traps.
func traps() []Difference {
	return []Difference{
		{
			Name: "bursts of traps",
			Mon:  "Reads one trap a turn; of 2,000 that were sent at once 257 arrived.",
			Ours: "Reads at once whatever comes, with a large buffer in the kernel where it may have one; what is dropped all the same is counted in the log.",
			Why:  "Many things fail at the same time.",
		},
		{
			Name: "backslashes in traps",
			Mon:  "A backslash, which clients double, stays doubled.",
			Ours: "Texts come out as they went in.",
			Why:  "It is what the sender wrote.",
		},
		{
			Name: "a trap whose status is no number",
			Mon:  "No text at all is a success, any other text but 0 a failure, with that text as exit status.",
			Ours: "Is refused. A text that begins with a number other than 0 is that number.",
			Why:  "Nobody knows what was meant.",
		},
		{
			Name: "traps with carriage returns",
			Mon:  "They are a part of the values: status 0 is a failure.",
			Ours: "At the end of a line they are left off.",
			Why:  "It is how some systems end lines.",
		},
		{
			Name: "trapduration after another verdict",
			Mon:  "When it ends the status becomes ok, whatever a monitor or a traptimeout said since the trap.",
			Ours: "It ends with the next verdict of a monitor, or a traptimeout, which stands.",
			Why:  "What was found since is not undone by the end of what was said before.",
		},
		{
			Name: "trapduration without a trap",
			Mon:  "Runs from the start: an untested service becomes ok when it ends.",
			Ours: "Runs from a trap.",
			Why:  "Nothing was heard of the service.",
		},
		{
			Name: "traptimeout over a restart or reload",
			Mon:  "Begins anew.",
			Ours: "Goes on after a reload that does not change it, and after a restart; the time without a daemon is no silence, and if that was long it begins anew.",
			Why:  "A service must neither fail because mond was down, nor be forgotten because it restarts every night.",
		},
		{
			Name: "traps over IPv6",
			Mon:  "IPv4 only.",
			Ours: "Without trapbind traps are received by IPv6 as well.",
			Why:  "Hosts have such addresses.",
		},
		{
			Name: "the log of refused traps",
			Mon:  "One line for each, and one for each line of a trap that is not understood, with what stands in it.",
			Ours: "Ten lines in a second at most, then their number; what stands in lines that are not understood is not shown.",
			Why:  "Whoever may not send must not fill the disk, and a password may stand in such a line.",
		},
		{
			Name: "traps with wrong passwords",
			Mon:  "Each is judged, and nothing else is done meanwhile.",
			Ours: "Judging them takes half of the receiver's time at most; while there are more, senders that were never right are refused unjudged.",
			Why:  "Guesses must not hold up the traps of others.",
		},
		{
			Name: "traps without any monitor",
			Mon:  "If no service has a monitor, alert programs that ended stay as zombies.",
			Ours: "They are reaped.",
			Why:  "The process table fills up.",
		},
	}
}
