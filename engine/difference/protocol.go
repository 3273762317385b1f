package difference

import "slices"

// protocol are about the protocol of clients (engine/control/line).
func protocol() []Difference { return slices.Concat(connections(), answers(), commands()) }

func connections() []Difference {
	return []Difference{
		{
			Name: "the first answer",
			Mon:  "Comes at the next turn of the scheduler, 1 s later or 10 under load.",
			Ours: "Comes at once, whatever is being checked.",
			Why:  "Clients wait for it.",
		},
		{
			Name: "commands sent without waiting for answers",
			Mon:  "The second is answered when something else happens, which may be never.",
			Ours: "All are answered, in order.",
			Why:  "Clients wait for it.",
		},
		{
			Name: "a client that does not read",
			Mon:  "Stops all checks and all other clients until it leaves.",
			Ours: "Is closed when it has taken nothing for cltimeout; nobody else notices. A command that is not whole within cltimeout, one of more than 64 KiB, and 10 failed logins end a connection too.",
			Why:  "One client should not end the watch over everything.",
		},
		{
			Name: "many clients",
			Mon:  "As many as there are file descriptors.",
			Ours: "2,000 at a time, 500 of one address; those above are told \"520 too many clients\" and closed.",
			Why:  "One client should not end the watch over everything.",
		},
		{
			Name: "clients with an IPv6 address",
			Mon:  "Cannot connect.",
			Ours: "May connect where serverbind lets them; patterns of clientallow are matched with the whole address. Without clientallow everybody may.",
			Why:  "Many hosts have no other.",
		},
		{
			Name: "passwords of clients",
			Mon:  "Are printed in the foreground and to monerrfile, with every other command.",
			Ours: "Are never logged, nor are the other words of login; all other commands are, with user and address.",
			Why:  "Others read logs.",
		},
	}
}

func answers() []Difference {
	return []Difference{
		{
			Name: "order of lists",
			Mon:  "Changes with every start.",
			Ours: "Is the order of the file.",
			Why:  "The same file should do the same thing twice.",
		},
		{
			Name: "lines of data that begin with three digits and a blank",
			Mon:  "End the answer for clients that wait for a status line: of a hostgroup named 220, of the text of an alias.",
			Ours: "Have the first digit as a backslash and two digits (\\32 for 2), where the digits are all or a blank follows.",
			Why:  "What follows is taken for the answer of the next command.",
		},
		{
			Name: "ends of lines within a value",
			Mon:  "Are sent as they are by set, and may forge a status line.",
			Ours: "Are sent as \\0a and \\0d.",
			Why:  "What follows is taken for the answer of the next command.",
		},
		{
			Name: "list opstatus of several services",
			Mon:  "Names the last one when any of them does not exist.",
			Ours: "Names the first that does not exist.",
			Why:  "The last one may well be there.",
		},
		{
			Name: "list failurehist",
			Mon:  "Escapes the blanks between the fields too, so that Mon::Client finds no fields.",
			Ours: "Has blanks between the fields and in the summary; only what is no visible character is escaped.",
			Why:  "Mon::Client splits the line at blanks and shows the summary as it is.",
		},
		{
			Name: "list deps with a view",
			Mon:  "Lists nothing.",
			Ours: "Lists the services of the view.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "a view that a reload removed",
			Mon:  "Shows nothing to clients that selected it.",
			Ours: "Shows them everything.",
			Why:  "An empty list of failures looks like good news.",
		},
		{
			Name: "what is wrong with the configuration, in test config",
			Mon:  "The first error, in one line.",
			Ours: "All that monctl check shows, in as many lines as it takes.",
			Why:  "All errors can be mended at once.",
		},
	}
}

func commands() []Difference {
	return []Difference{
		{
			Name: "names of things that are not there",
			Mon:  "Asking for some of them (ack, list aliases, disable watch) makes them: they are listed from then on.",
			Ours: "Nothing is made by asking. disable watch without a name is refused.",
			Why:  "A typing error should watch nothing.",
		},
		{
			Name: "ack of an unknown service",
			Mon:  "Sends two status lines, \"520 unknown group\" and \"220 ack completed\".",
			Ours: "Sends the first.",
			Why:  "The second is taken for the answer of the next command.",
		},
		{
			Name: "histlength",
			Mon:  "One alert and one failure more are kept; set maxkeep lets go of the oldest with the next one.",
			Ours: "As many as it says are kept, at once.",
			Why:  "It is what the number says.",
		},
		{
			Name: "set maxkeep without a number",
			Mon:  "Is refused, so that Mon::Client's get_maxkeep never works.",
			Ours: "Answers like get maxkeep.",
			Why:  "It is what Mon::Client sends to ask.",
		},
		{
			Name: "what the daemon cannot do",
			Mon:  "Is answered 220 by savestate, loadstate, reload auth and test monitor.",
			Ours: "Is answered 520 and the reason.",
			Why:  "A state file that was not written should not look like one that was.",
		},
		{
			Name: "dump",
			Mon:  "Is known with -d: it writes all it knows to the standard error stream, and answers nothing.",
			Ours: "Is refused, with -d too.",
			Why:  "Clients wait for an answer; monctl status --json has what there is to know.",
		},
	}
}
