package Vidcast::Wait;

# Copyright (C) vidcast contributors

# Tests wait for what must happen, with a deadline, and never for a time.  On
# a slow machine VIDCAST_TEST_PATIENCE stretches all deadlines.

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

our @EXPORT = qw(wait_for deadline remaining);

my $patience = $ENV{VIDCAST_TEST_PATIENCE} || 1;


# the moment which lies this many seconds ahead, 10 if not given

sub deadline {
    my ($seconds) = @_;

    return clock_gettime(CLOCK_MONOTONIC) + ($seconds // 10) * $patience;
}


sub remaining {
    my ($deadline) = @_;

    my $left = $deadline - clock_gettime(CLOCK_MONOTONIC);

    return $left > 0 ? $left : 0;
}


# wait_for { condition } $seconds: its first true value, undef when in vain

sub wait_for (&;$) {
    my ($condition, $seconds) = @_;

    my $deadline = deadline($seconds);

    for (;;) {
        my $value = $condition->();

        return $value if $value;
        return undef if remaining($deadline) == 0;

        sleep 0.02;
    }
}


1;
