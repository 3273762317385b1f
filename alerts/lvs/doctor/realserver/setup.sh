# What it makes is recorded, with what was there before, so that undo takes
# away just that: what was so already stays. The record lies in /run and goes
# with the next boot, as does what was made.
set -u
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
# a machine may have several networks, of network namespaces
net=$(readlink /proc/self/ns/net)
net=${net#*[}
state=${MOND_REALSERVER_STATE:-/run/mond-realserver}/${net%]}

die() {
	echo "realserver: $*" >&2
	exit 1
}

# has reports whether a thing is as it should be.
has() { # KIND WORDS...
	case $1 in
	atleast) [ "$(cat "/proc/sys/$2")" -ge "$3" ] ;;
	loose) [ "$(strict "$2")" != 1 ] ;;
	module) [ -d "/sys/module/$2" ] ;;
	up) [ -n "$(ip -o link show dev "$2" up 2>/dev/null)" ] ;;
	addr) case $(ip -o addr show dev "$3") in *" $2 "*) ;; *) return 1 ;; esac ;;
	tunnel) ip link show dev "$2" >/dev/null 2>&1 ;;
	fou) fou "$2" | grep -q "port $3 gue" ;;
	default) ip "$2" route show default | grep -v metric | grep -q "^default via $3 " ;;
	esac
}

# fou prints the ports of one family: ip shows those of both, whichever is asked.
fou() { # -4|-6
	ip fou show 2>/dev/null | case $1 in -6) grep -e ' -6' ;; *) grep -v -e ' -6' ;; esac
}

# strict is what the kernel goes by: the larger of two values.
strict() { # LINK
	all=$(cat /proc/sys/net/ipv4/conf/all/rp_filter)
	one=$(cat "/proc/sys/net/ipv4/conf/$1/rp_filter")
	[ "$all" -gt "$one" ] && echo "$all" || echo "$one"
}

# was prints what a thing is now.
was() { # KIND WORDS...
	case $1 in
	atleast) cat "/proc/sys/$2" ;;
	loose) cat "/proc/sys/net/ipv4/conf/$2/rp_filter" ;;
	default) ip "$2" route show default | grep -v metric | head -n 1 | sed 's/ linkdown//; s/ dead//' ;;
	esac
}

# make makes a thing as it should be.
make() { # KIND WORDS...
	case $1 in
	atleast) echo "$3" >"/proc/sys/$2" ;;
	loose) echo 2 >"/proc/sys/net/ipv4/conf/$2/rp_filter" ;;
	module) modprobe "$2" ;;
	up) ip link set dev "$2" up ;;
	addr) case $2 in *:*) ip addr add "$2" dev "$3" nodad ;; *) ip addr add "$2" dev "$3" ;; esac ;;
	tunnel)
		case $2 in
		mondgre) ip link add "$2" type gre local "$3" icsum ;;
		mondgre6) ip link add "$2" type ip6gre local "$3" remote :: icsum ;;
		*) ip link add "$2" type ip6tnl mode ipip6 local "$3" remote :: ;;
		esac
		;;
	fou) ip "$2" fou add port "$3" gue ;;
	default) ip "$2" route replace default via "$3" ;;
	esac
}

# restore makes a thing what it was before.
restore() { # WAS KIND WORDS...
	old=$1
	shift
	case $1 in
	atleast) echo "$old" >"/proc/sys/$2" ;;
	loose) echo "$old" >"/proc/sys/net/ipv4/conf/$2/rp_filter" ;;
	module) modprobe -r "$2" ;;
	up) ip link set dev "$2" down ;;
	addr) ip addr del "$2" dev "$3" ;;
	tunnel) ip link del "$2" ;;
	fou) ip "$2" fou del port "$3" gue ;;
	# shellcheck disable=SC2086 # the old route is several words
	default) if [ -n "$old" ]; then ip "$2" route replace $old; else ip "$2" route del default via "$3"; fi ;;
	esac
}

# name_key sets $key to a name for a file that stands for a thing.
name_key() { # KIND WORDS...
	key=
	for word; do
		while case $word in */*) ;; *) false ;; esac do
			word=${word%%/*}+${word#*/}
		done
		key=$key${key:+,}$word
	done
}

# use sees to a thing that the address needs, and writes down who needs it.
use() { # KIND WORDS...
	name_key "$@"
	if [ ! -e "$state/was/$key" ]; then
		if has "$@"; then
			echo "$name: $*: so already"
			return
		fi
		mkdir -p "$state/was" || die "cannot write to $state"
		{ echo "$*" && was "$@"; } >"$state/was/$key" || die "cannot write to $state"
	fi
	mkdir -p "$state/by/$name" && : >"$state/by/$name/$key" || die "cannot write to $state"
	if ! has "$@"; then
		make "$@" || die "$name: $*: could not be made; what was made so far can be undone"
		echo "$name: $*: made"
	fi
}

# forget restores what only this address needed; what came last goes first.
forget() { # NAME
	if [ ! -d "$state/by/$1" ]; then
		echo "$1: nothing is recorded: nothing was made here since the last boot"
		return
	fi
	for kind in addr default fou atleast loose up tunnel module; do
		for file in "$state/by/$1/$kind",*; do
			[ ! -e "$file" ] || forget_one "$1" "${file##*/}"
		done
	done
	rmdir "$state/by/$1"
}

forget_one() { # NAME KEY
	rm "$state/by/$1/$2"
	for other in "$state"/by/*/"$2"; do
		[ ! -e "$other" ] || return 0
	done
	old=
	{
		read -r words
		read -r old
	} <"$state/was/$2"
	# shellcheck disable=SC2086 # the thing is several words
	if has $words; then
		if restore "$old" $words; then
			echo "$1: $words: undone"
		else
			echo "realserver: $1: $words: could not be undone" >&2
		fi
	fi
	rm "$state/was/$2"
}

[ "$(id -u)" = 0 ] || die "run this as root"
case ${1:-$verb} in
setup) plan ;;
undo)
	for name in $names; do
		forget "$name"
	done
	rmdir "$state/by" "$state/was" "$state" "${state%/*}" 2>/dev/null || true
	;;
*) die "say setup or undo" ;;
esac
