package Bench::Codec;

# Copyright (C) vidcast contributors

# Those that make JPEGs and read them, by functions in one program: no server
# is started.

use strict;
use warnings;

use parent -norequire, 'Bench::Server';

use Bench::Server;
use JSON::PP;


sub ours { $_[0]{ours} }
sub start { }
sub stop { }


# the program knows what it was built with

sub missing {
    my ($self) = @_;

    my ($program, $as) = (program(), $self->as);

    return -x $program && `$program 2>&1` =~ /^ +\Q$as\E$/m ? undef
                                                             : "no $as";
}


sub as { $_[0]{as} // $_[0]->name }
sub program { Bench::Server::build_dir() . '/codec' }


sub codec {
    my ($self, $seconds) = @_;

    open my $out, '-|', 'taskset', '-c', 0, program(), '-d', $seconds,
        $self->as or die "codec: $!\n";

    my $text = join '', <$out>;

    close $out or die 'codec: no answer of ', $self->name, "\n";

    return decode_json($text);
}


1;
