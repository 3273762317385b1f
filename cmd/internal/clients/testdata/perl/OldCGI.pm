# Gives CGI.pm back a name that mon.cgi uses and that CGI.pm dropped in 4.x:
# without it mon.cgi, as Debian ships it, breaks off at its first form.
package OldCGI;
use strict;
use warnings;
use CGI;

{
    no strict 'refs';
    *{"CGI::startform"} = sub { my $q = shift; return $q->start_form(@_) };
}

1;
