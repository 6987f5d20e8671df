package Vidcast::V4L2Grab;

# Copyright (C) vidcast contributors

# A running test_v4l2_grab (see there): its events, one JSON object a line.
#
#     my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=640x480');
#     my $event = $grab->wait('frame');     # undef: none came
#     my @frames = $grab->frames(10);       # fewer: no more came
#     my $end = $grab->stop;                # its last event
#
# @Vidcast::V4L2Grab::command is how it is run.

use strict;
use warnings;

use IO::Select;
use JSON::PP qw(decode_json);

use Vidcast::Wait;

our @command = ('build/unit/test_v4l2_grab');


sub new {
    my ($class, @args) = @_;

    my $pid = open my $out, '-|', @command, @args
        or die "test_v4l2_grab: $!\n";

    return bless { pid => $pid, out => $out, buffer => '' }, $class;
}


# the next event, undef at the deadline or at the end

sub next_event {
    my ($self, $deadline) = @_;

    my $end;

    while (($end = index $self->{buffer}, "\n") < 0) {

        return undef
            if !IO::Select->new($self->{out})->can_read(remaining($deadline));

        my $n = sysread $self->{out}, $self->{buffer}, 65536,
                        length $self->{buffer};

        return undef if !$n;
    }

    return decode_json(substr $self->{buffer}, 0, $end + 1, '');
}


# skips events until one of this name

sub wait {
    my ($self, $name, $seconds) = @_;

    my $deadline = deadline($seconds);

    while (my $event = $self->next_event($deadline)) {
        return $event if $event->{event} eq $name;
    }

    return undef;
}


# so many frames in a row, with nothing between them

sub frames {
    my ($self, $count, $seconds) = @_;

    my $deadline = deadline($seconds);
    my @frames;

    while (@frames < $count) {
        my $event = $self->next_event($deadline) // last;

        last if $event->{event} ne 'frame';

        push @frames, $event;
    }

    return @frames;
}


# forgets what has come, so that the next event is a new one

sub skip {
    my ($self) = @_;

    my $now = deadline(0);

    while (IO::Select->new($self->{out})->can_read(0)) {
        sysread $self->{out}, $self->{buffer}, 65536, length $self->{buffer}
            or last;
    }

    1 while $self->{buffer} =~ /\n.*\n/s && $self->next_event($now);
}


sub stop {
    my ($self) = @_;

    kill 'TERM', $self->{pid};

    my $end = $self->wait('end');

    kill 'KILL', $self->{pid} if !$end;
    close $self->{out};

    return $end;
}


1;
