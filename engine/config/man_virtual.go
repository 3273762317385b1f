package config

// virtual explains virtual services.
func (m manual) virtual() {
	m.section("VIRTUAL SERVICES")
	m.text(`
Below syntax = mond a record virtual holds a virtual service of the kernel's table (IPVS) whole: its addresses, the servers behind them, how it is decided who of them serves, and what checks them. It reads like a watch: what concerns the pool comes first, with periods of its own, then a check for each way in which every real is checked.`)
	m.example(`
virtual web
    description  the shop
    address      tcp 10.0.0.3:80
    real         192.168.0.1 weight 5
    real         192.168.0.2 weight 5 name www2
    standby      1 192.168.0.9
    fallback     127.0.0.1
    quorum       2 members
    drain        10m idle 5s
    period wd {Sun-Sat}
        alert   mail.alert root   # the quorum is lost
        upalert mail.alert root   # and back
    check alive
        interval 5s
        suspect_interval 200ms
        fall 3
        monitor http.monitor -p $port -u /alive
        on primary standby
    check ping
        monitor fping.monitor`)
	m.text(`
A check becomes a service of each real that it is for: the hostgroup is the name of the real, or its address with - for each colon, and holds its address alone; the service has the name of the check. So www2:alive can be disabled, acknowledged, depended on and looked at like any other. A hostgroup or watch of that name may stand in the file as well. The hostgroup must then have just that host, and the services of the watch are added.

Services of the same group and name are one service, however many virtual services ask for them, and are checked once: all their lines must be equal, whatever their order. If they are not, that is an error; give one of the checks another name. A check that says neither interval nor schedule is done every 10s.

The pool itself is a service too: that of its name in the hostgroup virtual. It is not checked but told how the pool is: it fails while the quorum is lost. Its description, dependencies, variables and periods stand above the checks.

In the record $virtual stands for its name, $vip and $vport for its first address and the port; in a check $real is the address of the real, $port its port, $name its name or address, $weight its weight; $watch, $host and $hosts are those of its service. ${name} is the same, $$ is a dollar. A template that is used in a virtual service may have all of these, and directives of a virtual service and checks besides. Below a use one is back where it stood, even if the template brought checks; a check of the same name adds to one of a template.

Reals, standby tiers and fallback servers come in this order, whatever that of the lines. An address must be in one virtual service only. With forward dr and tun a real has the port of the virtual service, since the kernel leaves it as it is; with dr and nat it is of the family of the address.

The rows of the table are kept by the program lvs.alert, which needs no line in the file. monctl check --expand shows the services that the checks become.`)
}
