package postfix

const mainCf = `compatibility_level = 3.6
queue_directory = {{.Dir}}/queue
data_directory = {{.Dir}}/data
command_directory = /usr/sbin
daemon_directory = {{.Daemons}}
mail_owner = {{.Owner}}
setgid_group = {{.Group}}
maillog_file = {{.Dir}}/log
maillog_file_prefixes = {{.Dir}}
myhostname = {{.Host}}
mydestination =
local_transport = error:nobody here
default_transport = error:this server sends nothing
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtpd_peername_lookup = no
virtual_mailbox_domains = {{.Domain}}
virtual_mailbox_base = {{.Dir}}/mail
virtual_mailbox_maps = inline:{ {{.User}}=operator/ }
virtual_uid_maps = static:{{.UID}}
virtual_gid_maps = static:{{.GID}}
virtual_minimum_uid = 1
smtpd_delay_reject = no
smtpd_sender_restrictions = check_sender_access inline:{ { {{.Banned}} = REJECT you are not welcome } }
smtpd_tls_security_level = may
smtpd_tls_cert_file = {{.Cert}}
smtpd_tls_key_file = {{.Key}}
`

const masterCf = `postlog unix-dgram n - n - 1 postlogd
127.0.0.1:{{.Port}} inet n - n - - smtpd
127.0.0.1:{{.Secure}} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{{.Closed}} inet n - n - - smtpd -o smtpd_client_restrictions=reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
`
