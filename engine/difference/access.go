package difference

// access are about who may do what (engine/auth).
func access() []Difference {
	return []Difference{
		{
			Name: "wrong passwords",
			Mon:  "May be tried without end.",
			Ours: "After 5 within a minute a user from one address (an IPv6 /64) must wait, a second at first, a minute at most; so must an address after 20, and all addresses that were never right after 200. Until then right passwords are refused too. Traps are counted apart.",
			Why:  "A port that answers everybody should not be where passwords are guessed.",
		},
		{
			Name: "reload auth with an error in auth.cf",
			Mon:  "Passes over lines that it does not understand; without the file nobody may do anything.",
			Ours: "Keeps what held before, and says what is wrong.",
			Why:  "A slip should not lock out whoever could put it right, nor let in whoever was denied.",
		},
		{
			Name: "auth.cf and userfile: blanks",
			Mon:  "A blank after !, before a name in the userfile or after a hash counts as part of it: the user is not denied, or cannot log in.",
			Ours: "They do not count.",
			Why:  "Nobody sees them.",
		},
		{
			Name: "trap user *",
			Mon:  "A trap that calls its user * needs no password, whatever the trap section says.",
			Ours: "Only a line with user * lets traps in without password.",
			Why:  "It lets anybody in who has read this.",
		},
		{
			Name: "trap section: hosts",
			Mon:  "A name counts as its first IPv4 address.",
			Ours: "All addresses of a name count, IPv6 too; on reload auth a name without answer keeps those that it had.",
			Why:  "Which address comes first is chance.",
		},
		{
			Name: "authtype trustlocal",
			Mon:  "Means 127.0.0.1.",
			Ours: "Means all addresses of the loopback interface, ::1 too.",
			Why:  "localhost is often ::1.",
		},
		{
			Name: "authtype pam",
			Mon:  "Asks PAM within the daemon, as the service that pamservice names.",
			Ours: "Asks authprogram (pwauth), which has a PAM service of its own and gets pamservice as MON_PAMSERVICE.",
			Why:  "PAM's modules want to be root; the daemon does not.",
		},
		{
			Name: "crypt(3) schemes",
			Mon:  "All that the system's crypt(3) has.",
			Ours: "DES, BSDi DES, MD5, SHA-256, SHA-512, bcrypt and yescrypt, as long as a hash takes some seconds at most.",
			Why:  "One hash must not stop the daemon.",
		},
	}
}
