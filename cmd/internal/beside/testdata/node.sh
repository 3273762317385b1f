#!/bin/sh
# The first process of a director in the tests: heartbeat, or keepalived, with
# files of its own, in namespaces of its own (mount, uts, ipc, pid, and the
# network namespace it is started in). When it is killed, the kernel kills all
# the others: that is how a machine loses power, but for its network.
# usage: node.sh NAME DIR PROGRAM...
set -eu
name=$1 dir=$2
shift 2
hostname "$name"
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/heartbeat /run/resource-agents /run/lock
mount -t tmpfs tmpfs /usr/local/sbin
cp "$dir"/bin/* /usr/local/sbin/
mount -t tmpfs tmpfs /var/lib/heartbeat
mkdir -p /var/lib/heartbeat/crm /var/lib/heartbeat/cores/hacluster /var/lib/heartbeat/cores/root
chown -R hacluster:haclient /var/lib/heartbeat /run/heartbeat
# nothing that goes wrong here is to reach the machine
for tool in reboot poweroff halt shutdown; do
	path=$(command -v $tool) && mount --bind /bin/true "$path"
done
[ -d "$dir/ha.d" ] && mount --bind "$dir/ha.d" /etc/ha.d
export MOND_DEFAULTS="$dir/mond.default" MOND_INIT="$dir/init.d/mond" MOND_SOCKET=/run/mond.sock MOND_RUN=/run/mond-resource
"$@" >"$dir/out" 2>&1 </dev/null || echo "$* ended with $?" >>"$dir/out"
while :; do sleep 1; done # and reap what is left to it
