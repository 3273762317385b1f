#!/bin/sh
# Prints what there is to know of a real server, for `monctl doctor --real`. It
# changes nothing and needs no root. Run it there:
#
#   monctl realserver check | ssh root@rs1 sh | monctl doctor --real -
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

# what a program says, and whether it could say it
say() { # NAME COMMAND...
	name=$1
	shift
	echo "begin $name"
	if "$@" 2>/dev/null; then
		echo "read $name"
	else
		echo "unread $name"
	fi
}

# sockets that listen, and those of UDP without a peer, as the kernel shows them
sockets() {
	grep -HE '^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 0[7A] ' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
	[ -r /proc/net/tcp ]
}

# one program for all: a shell reads such a file octet by octet, and gets the
# first only
sysctls() {
	grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/arp_ignore \
		/proc/sys/net/ipv4/conf/*/arp_announce /proc/sys/net/ipv4/conf/*/rp_filter
}

echo "realserver 1"
say machine uname -nrm
say link ip -o link show
say addr ip -o addr show
say route4 ip -4 route show
say route6 ip -6 route show
say fou ip -4 fou show
say fou6 ip -6 fou show
say sysctl sysctls
say socket sockets
echo "end"
