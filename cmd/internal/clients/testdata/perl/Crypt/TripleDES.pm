# Stands in for a module that mon.cgi wants for the password in its cookie and
# that Debian does not have. It encrypts nothing: for tests only.
package Crypt::TripleDES;
use strict;
use warnings;

sub new { my ($class) = @_; return bless {}, $class }

sub encrypt3 { my ($self, $text, $key) = @_; return scalar reverse $text }

sub decrypt3 { my ($self, $text, $key) = @_; return scalar reverse $text }

1;
