#!/bin/sh
# Prints what there is to know of a real server, as lines that
# `monctl doctor --real FILE` judges. It changes nothing and needs no root,
# except to see GUE ports. Run it there:
#
#   monctl realserver check | ssh root@rs1 sh | monctl doctor --real -
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

echo "realserver 1"
echo "host $(uname -n)"
echo "kernel $(uname -r)"
# 1 where the lower octet of a word is the first, 256 where it is the last
echo "order $(printf '\1\0' | od -An -tu2 2>/dev/null | tr -d ' ')"

# each line of a program's output behind a word; a program that is not there or
# fails is a line of its own
say() { # WORD COMMAND...
	word=$1
	shift
	if output=$("$@" 2>/dev/null); then
		[ -z "$output" ] || printf '%s\n' "$output" | sed "s/^/$word /"
		echo "read $word"
	else
		echo "unread $word"
	fi
}
say link ip -o link show
say addr ip -o addr show
say route4 ip -4 route show
say route6 ip -6 route show
say fou ip fou show
say fou6 ip -6 fou show

for file in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/arp_ignore /proc/sys/net/ipv4/conf/*/arp_announce \
	/proc/sys/net/ipv4/conf/*/rp_filter; do
	[ ! -r "$file" ] || echo "sysctl ${file#/proc/sys/} $(cat "$file")"
done

# sockets that listen: local address and state, as the kernel shows them
for table in tcp tcp6 udp udp6; do
	if [ -r "/proc/net/$table" ]; then
		while read -r number local peer state rest; do
			: "$number" "$rest"
			case $table:$state in
			tcp*:0A | udp*:07) case $peer in *:0000) echo "socket $table $local" ;; esac ;;
			esac
		done <"/proc/net/$table"
		echo "read socket"
	fi
done
echo "end"
