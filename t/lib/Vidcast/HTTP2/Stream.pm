package Vidcast::HTTP2::Stream;

# Copyright (C) vidcast contributors

# One stream of a Vidcast::HTTP2, see there.

use strict;
use warnings;

use parent 'Vidcast::Stream';


sub new {
    my ($class, $h2, $id) = @_;

    return bless { h2 => $h2, id => $id, content => '', block => '' }, $class;
}


sub release { $_[0]{h2}->release($_[0]) }
sub reset   { $_[0]{h2}->reset($_[0]) }
sub close   { $_[0]->reset }
sub eof     { $_[0]{ended} || defined $_[0]{reset} || $_[0]{h2}->eof }


sub head {
    my ($self, @fields) = @_;

    while (my ($name, $value) = splice @fields, 0, 2) {
        push @{$self->{headers}{$name}}, $value;
        $self->{status} = $value if $name eq ':status';
    }
}


sub add {
    my ($self, $data) = @_;

    $self->{content} .= $data;
    $self->{size} += length $data;
}


sub some {
    my ($self, $take, $seconds) = @_;

    my $some = $self->{h2}->until_some(sub {
        my $value = $take->();

        return defined $value || $self->eof ? [ $value ] : undef;
    }, $seconds);

    return $some ? $some->[0] : undef;
}


sub ended {
    my ($self, $seconds) = @_;

    $self->some(sub { $self->{content} = ''; undef }, $seconds);

    return $self->{ended} ? 1 : 0;
}


sub body {
    my ($self, $seconds) = @_;

    $self->some(sub { undef }, $seconds);

    return $self->{content};
}


sub unwrap { }


1;
