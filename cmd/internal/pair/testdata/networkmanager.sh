#!/bin/sh
# NetworkManager with folders and a D-Bus of its own, in a mount and a process
# namespace of its own and the network namespace it is started in, for eth0.
# There is no udev: with /sys read-only it does not wait for it.
# usage: networkmanager.sh ADDRESS; then a word a line on standard input: start,
# restart, reapply, up. Each is answered by "done WORD".
set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -o remount,bind,ro /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/nm/conf.d /run/nm/profiles /run/nm/lib /var/lib/NetworkManager
mount --bind /run/nm/lib /var/lib/NetworkManager
cat >/run/nm/bus.conf <<EOF2
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
EOF2
cat >/run/nm/nm.conf <<EOF2
[main]
plugins=keyfile
no-auto-default=*
dhcp=internal
dns=none
auth-polkit=false
[keyfile]
path=/run/nm/profiles
unmanaged-devices=except:interface-name:eth0
[device]
match-device=interface-name:eth0
managed=1
EOF2
cat >/run/nm/profiles/eth0.nmconnection <<EOF2
[connection]
id=eth0
uuid=5f0c7a0e-2f0b-4a53-9d1c-6a1f0c9d4e10
type=ethernet
interface-name=eth0
[ipv4]
method=manual
address1=$1
[ipv6]
method=disabled
EOF2
chmod 600 /run/nm/profiles/eth0.nmconnection
dbus-daemon --config-file=/run/nm/bus.conf --nofork --nopidfile &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done

start() {
	NetworkManager --no-daemon --config=/run/nm/nm.conf --config-dir=/run/nm/conf.d --system-config-dir=/run/nm/none \
		--intern-config=/run/nm/intern.conf --state-file=/run/nm/state --pid-file=/run/nm/pid --log-level=INFO &
	manager=$!
	until nmcli --terse --get-values GENERAL.STATE device show eth0 2>/dev/null | grep -q '^100 '; do sleep 0.1; done
}
while read -r word; do
	case $word in
	start) start ;;
	restart)
		kill "$manager"
		wait "$manager" || true
		start
		;;
	reapply) nmcli device reapply eth0 ;;
	up) nmcli connection up eth0 ;;
	esac
	echo "done $word"
done
