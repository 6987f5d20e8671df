#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What comes, reads nothing and says good-bye in the middle of a picture must
# not keep the picture's place in the ring: not for the two seconds which it
# has to close, and not when it is the only viewer.  Nor must a worker keep it
# which dies in the middle of a picture, though no other one takes its entry.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

# the smallest ring, and pictures larger than the sockets' buffers

my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
vidcast_source front {
    input     test: size=1280x720 fps=30;
    quality   95;
    encoders  1;
    frames    8;
}

server {
    listen  127.0.0.1:%%PORT%% sndbuf=16k;

    @{[locations('front')]}
}
CONF

ok live($nginx, 'front'), 'the source lives';

my @gone;
my $most = 0;

for my $time (1 .. 40) {
    my $ws = Vidcast::WebSocket->connect($nginx->port, '/pictures',
        client => { recv_buffer => 4096 });

    my $begun = $ws->until_some(sub { length $ws->{buffer} > 2 ? 1 : undef });

    ok $begun, "viewer $time has a piece of a picture";
    $ws->send_close(1000);
    push @gone, $ws;

    # its place is its own until it is known to leave

    ok wait_for { source($nginx, 'front')->{viewers}{all} == 0 }, 'and leaves';

    my $pins = source($nginx, 'front')->{pins};
    $most = $pins if $pins > $most;
}

cmp_ok $most, '<=', 2, 'no more than two pins at a time';

my $source = source($nginx, 'front');

is $source->{dropped}{ring_full}, 0, 'the ring was never full';
ok wait_for { source($nginx, 'front')->{published} > $source->{published} + 5 },
    'pictures go on';

# some of them have still to read, and get all they were promised

is scalar(grep { $_->closed_with != 1000 } @gone[-3 .. -1]), 0,
    'the close frame comes behind the picture';
is scalar(grep { $_->faults ne '' } @gone), 0, 'in order';

$_->close for @gone;

ok wait_for { source($nginx, 'front')->{pins} == 0 }, 'no pin is left';

# it may have no successor: it is of an old configuration, and has stopped

my $ws = Vidcast::WebSocket->connect($nginx->port, '/pictures',
    client => { recv_buffer => 4096 });

ok $ws->until_some(sub { length $ws->{buffer} > 2 ? 1 : undef }),
    'a viewer has a piece of a picture';

my ($worker) = $nginx->processes('worker');

$nginx->signal('STOP', $worker->{pid});
$nginx->write_config->signal('HUP');

ok wait_for { (source($nginx, 'front')->{pins} // 0) > 0 },
    'its worker stops, and has a pin';

$nginx->signal('KILL', $worker->{pid});

ok wait_for { source($nginx, 'front')->{pins} == 0 }, 'it dies: it has none';
is source($nginx, 'front')->{viewers}{all}, 0, 'without another viewer';

$ws->close;
$nginx->{allow} = [qr/$worker->{pid} exited on signal 9/];
$nginx->stop;

done_testing;
