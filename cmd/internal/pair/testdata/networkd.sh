#!/bin/sh
# systemd-networkd with files of its own, in a mount namespace of its own and the
# network namespace it is started in, for eth0. There is no udev: its files say
# that it has seen the interfaces, or networkd waits for it for ever; and what is
# foreign is only removed once that is so.
# usage: networkd.sh ADDRESS KEEP
set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/udev/data /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network:systemd-network /run/systemd/netif
for index in /sys/class/net/*/ifindex; do
	echo I:1 >"/run/udev/data/n$(cat "$index")"
done
cat >/run/systemd/network/10-eth0.network <<EOF
[Match]
Name=eth0
[Network]
Address=$1
LinkLocalAddressing=no
IPv6AcceptRA=no
KeepConfiguration=$2
EOF
exec env SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console /lib/systemd/systemd-networkd
