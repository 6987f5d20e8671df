#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Sandboxes refuse system calls which are newer than they are.  Without
# pidfd_open() a predictor process that hangs was never killed, and nothing
# said so: here a library in front of libc refuses it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(allow => [qr/signal 9/], http => <<'CONF');
vidcast_source front {
    input    test: size=160x120;
    predict  exec /bin/sh -c "while read line; do echo 1; done" timeout=300ms;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }
}
CONF

my $library = $nginx->prefix . '/refuse.so';

open my $cc, '|-', qw(cc -shared -fPIC -x c -o), $library, '-' or die $!;
print $cc <<'C';
#include <errno.h>

int pidfd_open(int pid, unsigned flags) { errno = EPERM; return -1; }
C
close $cc;

SKIP: {
    skip 'no compiler' if !-f $library;

    {
        local $ENV{LD_PRELOAD} = join ' ', grep { defined } $ENV{LD_PRELOAD},
                                                            $library;
        ok $nginx->start, 'start';
    }

    ok wait_for { predicted() > 3 }, 'results come';

    my ($old) = $nginx->processes('predictor', 'front');

    $nginx->signal('STOP', $old->{pid});

    ok wait_for {
        my ($new) = $nginx->processes('predictor', 'front');

        $new && $new->{pid} != $old->{pid};
    }, 'it hangs: there is another one';

    my $results = predicted();

    ok wait_for { predicted() > $results }, 'results go on';
    cmp_ok source($nginx, 'front')->{predictor}{killed}, '>=', 1, 'what was killed is counted';

    ok $nginx->stop, 'stop';
}

done_testing;


sub predicted { return source($nginx, 'front')->{predicted} // 0 }
