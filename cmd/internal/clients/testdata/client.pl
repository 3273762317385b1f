#!/usr/bin/perl
# Calls the methods of Mon::Client one by one and prints what each returns, as
# text that is the same in every run: hashes by key, lists sorted where the
# server's order is chance.
# Usage: client.pl look|odd|change|end HOST PORT
use strict;
use warnings;
use Data::Dumper;
use Mon::Client;

$Data::Dumper::Sortkeys = 1;
$Data::Dumper::Indent   = 1;
$Data::Dumper::Terse    = 1;
$Data::Dumper::Useqq    = 1;
local $SIG{__WARN__} = sub { };    # the module's own

my ($part, $host, $port) = @ARGV;
my $mon = Mon::Client->new(host => $host, port => $port, username => 'alice', password => 'secret');

# report prints a call, its value and the error.
sub report {
    my ($call, $value, $error) = @_;
    print "## $call\n", Dumper($value), 'error: ', $error // 'none', "\n";
}

# name is how a call is written.
sub name {
    my ($method, @args) = @_;
    return "$method(" . join(', ', map { ref ? '[' . join(',', @$_) . ']' : $_ } @args) . ')';
}

# scalar_of, list_of, sorted_list_of and hash_of call a method for such a value.
sub scalar_of {
    my ($method, @args) = @_;
    my $value = $mon->$method(@args);
    report(name($method, @args), $value, $mon->error);
    return;
}

sub list_of {
    my ($method, @args) = @_;
    my @value = $mon->$method(@args);
    report(name($method, @args), \@value, $mon->error);
    return;
}

sub sorted_list_of {
    my ($method, @args) = @_;
    my @value = sort { Dumper($a) cmp Dumper($b) } $mon->$method(@args);
    report(name($method, @args), \@value, $mon->error);
    return;
}

sub hash_of {
    my ($method, @args) = @_;
    my @pairs = $mon->$method(@args);
    my %value = @pairs % 2 ? (odd => \@pairs) : @pairs;
    report(name($method, @args), \%value, $mon->error);
    return;
}

# without_connection calls what needs one.
sub without_connection {
    scalar_of($_)
        for qw(protid login version quit list_descriptions list_deps list_failures list_disabled list_alerthist list_dtlog list_failurehist
        list_pids list_state list_views list_watch list_opstatus list_aliases start stop reset reload term get_maxkeep test_config loadstate
        savestate servertime clear getview setview);
    scalar_of($_, 'web', 'http', 'x') for qw(checkauth disable_watch disable_service disable_host enable_watch enable_service enable_host list_group set get ack);
    scalar_of('set_maxkeep', 5);
    scalar_of('test', 'monitor', 'web', 'http');
    return;
}

# fields calls what keeps values in the object.
sub fields {
    scalar_of('host', $host);
    scalar_of('port', $port);
    scalar_of('username');
    scalar_of('password');
    scalar_of('prot', '1.2.3');
    scalar_of('prot', 'x');
    scalar_of('connected');
    $mon->{PROT} = 0x2611;    # prot takes no number that protid could send
    return;
}

# look changes nothing.
sub look {
    fields();
    without_connection();
    scalar_of('connect');
    scalar_of('connected');
    scalar_of('protid');
    scalar_of('protid', 9744);
    scalar_of('version');
    scalar_of('checkauth', $_) for 'list', 'disable', 'nosuch', '';
    scalar_of('login', username => 'alice', password => 'wrong');
    scalar_of('login', username => 'alice', password => '');
    scalar_of('login', username => '', password => 'x');
    scalar_of('disable_watch', 'web');
    scalar_of('login', username => 'alice', password => 'secret');
    scalar_of('checkauth', 'disable');
    hash_of('list_opstatus');
    hash_of('list_opstatus', @$_) for [['web', 'http'], ['db', 'trap']], [['web', 'nosuch']], [['nosuch', '']];
    hash_of($_) for qw(list_failures list_successes list_disabled list_descriptions list_deps list_aliases);
    sorted_list_of($_) for qw(list_watch list_alerthist);
    list_of($_)        for qw(list_dtlog list_state list_views);
    my @pids = $mon->list_pids;
    report('list_pids()', [ scalar @pids, $pids[0] =~ /^\d+$/ ? 'a number' : $pids[0] ], $mon->error);
    list_of('list_group', $_) for 'web', 'nosuch', '';
    scalar_of('servertime');
    scalar_of('getview');
    scalar_of('setview', 'webview');
    scalar_of('getview');
    sorted_list_of('list_watch');
    hash_of('list_failures');
    scalar_of('setview', 'nosuch');
    scalar_of('setview', '');
    scalar_of('get', @$_) for ['web', 'http', 'interval'], ['web', 'http', 'description'], ['web', 'http', '_op_status'], ['web', 'nosuch', 'x'];
    list_of('test_config');
    scalar_of('disconnect');
    scalar_of('connected');
    scalar_of('connect', skip_protid => 1);
    list_of('list_state');
    scalar_of('quit');
    scalar_of('list_state');
    return;
}

# odd is what mon itself does not answer as the module expects, a line each.
sub odd {
    $mon->connect && $mon->login or die $mon->error;
    for my $f ($mon->list_failurehist) {
        print 'failure ', join(' ', map { "$_=<" . ($f->{$_} // '') . '>' } qw(watch service time summary)), "\n";
    }
    $mon->setview('webview');
    my %deps = $mon->list_deps;
    for my $watch (keys %deps) {
        print "dependency $watch $_ $deps{$watch}{$_}{expression} @{$deps{$watch}{$_}{components}}\n" for keys %{ $deps{$watch} };
    }
    my $keep = $mon->get_maxkeep;
    print 'maxkeep ', $keep // 'undefined: ' . $mon->error, "\n";
    return;
}

# disabling, acting and managing change something.
sub disabling {
    scalar_of('disable_service', 'web', 'ping');
    scalar_of('disable_service', 'web', 'nosuch');
    scalar_of('disable_service', 'web', '');
    scalar_of('disable_watch',   'single');
    scalar_of('disable_watch',   'nowatch');
    scalar_of('disable_watch',   '');
    scalar_of('disable_host',    'w2.example', 'db1');
    scalar_of('disable_host',    'nosuch');
    hash_of('list_disabled');
    list_of('list_group', 'web');
    scalar_of('enable_service', 'web', 'ping');
    scalar_of('enable_service', 'web', 'nosuch');
    scalar_of('enable_service', '',    'x');
    scalar_of('enable_watch',   'single');
    scalar_of('enable_watch',   'nowatch');
    scalar_of('enable_watch',   '');
    scalar_of('enable_host',    'w2.example', 'db1');
    scalar_of('enable_host',    'nosuch');
    hash_of('list_disabled');
    return;
}

sub acting {
    scalar_of('ack', 'web', 'http', qq{it's "mine" back\\slash\nsecond line});
    scalar_of('ack', 'web', 'ping', 'x');
    hash_of('list_opstatus', ['web', 'http']);
    scalar_of('set', 'web', 'http', 'description', q{a 'b' "c" d});
    scalar_of('get', 'web', 'http', 'description');
    scalar_of('set', 'web', 'nosuch', 'x', 'y');
    scalar_of('set_maxkeep', 40);
    scalar_of('set_maxkeep', 'x');
    scalar_of('test', 'alert',        'web', 'http', 1, 'ALL');
    scalar_of('test', 'upalert',      'web', 'http', 0, 'ALL');
    scalar_of('test', 'startupalert', 'web', 'http', 0, 'ALL');
    scalar_of('test', 'alert',        'web', 'http', 1, 'nosuch');
    scalar_of('test', 'alert',        'web', 'http', '', '');
    scalar_of('test', 'monitor',      'web');
    scalar_of('test', 'monitor');
    scalar_of('test', 'nothing', 'web', 'http');
    scalar_of('test', 'monitor', 'web', 'late');
    return;
}

sub managing {
    scalar_of('savestate', 'all');
    scalar_of('savestate');
    scalar_of('loadstate', 'disabled');
    scalar_of('loadstate');
    scalar_of('stop');
    my @state = $mon->list_state;
    report('list_state()', [ $state[0], $state[1] =~ /^\d+$/ ? 'a time' : $state[1] ], $mon->error);
    scalar_of('start');
    list_of('list_state');
    scalar_of('reload', 'auth');
    scalar_of('reload', 'nosuch');
    scalar_of('reload');
    scalar_of('clear');
    scalar_of('reset', 'keepstate');
    hash_of('list_disabled');
    return;
}

# trapping sends traps; what they did is seen by who reads the status after.
sub trapping {
    $mon->username('trapper');
    $mon->password('trappw');
    my %trap = (group => 'db', service => 'trap', retval => 3, opstatus => 'fail', summary => "sum 'x' back\\slash", detail => "d1\nd2 \"q\"");
    scalar_of('send_trap', map { ($_, $trap{$_}) } sort keys %trap);
    scalar_of('send_trap', %trap{'group', 'service'}, retval => -1, opstatus => 'fail');
    scalar_of('send_trap', %trap{'group', 'service'}, retval => 1, opstatus => 'nosuch');
    for (1 .. 200) {
        my %s = $mon->list_opstatus(['db', 'trap']);
        last if $s{db}{trap}{exitval} eq '3';
        select undef, undef, undef, 0.05;
    }
    hash_of('list_opstatus', ['db', 'trap']);
    return;
}

if ($part eq 'look') {
    look();
} elsif ($part eq 'odd') {
    odd();
} elsif ($part eq 'change') {
    $mon->connect && $mon->login or die $mon->error;
    disabling();
    acting();
    trapping();
    managing();
} else {
    $mon->connect && $mon->login or die $mon->error;
    scalar_of('term');
    scalar_of('list_state');
}
