#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A camera that is opened on demand, by what its driver says: while nobody
# looks no process of ours has the device, and another program may take it.
#
# Not in the modes asan and valgrind: nginx runs in a virtual machine.

use strict;
use warnings;

use Test::More;

use lib 't/lib';

use Fcntl qw(O_RDWR);

use Vidcast::Cameras;
use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $device = '/dev/video0';

my $nginx = Vidcast::Nginx->new(workers => 2, main => 'user root;',
    allow => [ qr/exited on signal 9/, qr/"vivid" is reconnecting/ ],
    http => <<"CONF")->start;
vidcast_source vivid {
    input v4l2:$device size=320x180 fps=30 warmup=2;
    on_demand 300ms;
}
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker \$pid always;
    vidcast_snapshot_timeout 20s;
    location = /ws { vidcast vivid send=frames; }
    location = /snapshot { vidcast vivid as=snapshot; }
    location = /status { vidcast_status; }
}
CONF

untouched();
opened_and_closed() for 1 .. 3;
snapshot();
worker_killed();
reloaded();
taken_by_another();
unplugged_asleep();

$nginx->stop;

done_testing;


# the processes which have the device, as fuser finds them

sub holders {
    my @names;

    for my $process ($nginx->processes) {
        my %files = $nginx->descriptors($process->{pid});

        push @names, $process->{kind}
            if grep { defined && $_ eq $device } values %files;
    }

    return join ' ', @names;
}


# a program that takes buffers from the driver, and gives them back; 0: the
# driver says that somebody else streams

sub take {
    my ($keep) = @_;

    sysopen my $fh, $device, O_RDWR or die "$device: $!\n";

    # VIDIOC_REQBUFS: two, of capture, to be mapped

    my $request = pack 'L5', 2, 1, 1, 0, 0;
    my $taken = ioctl $fh, 0xc0145608, $request;

    die "VIDIOC_REQBUFS: $!\n" if !$taken && !$!{EBUSY};

    return $keep && $taken ? $fh : $taken ? 1 : 0;
}


sub becomes {
    my ($field, $pattern) = @_;

    return wait_for { source($nginx, 'vivid')->{$field} =~ $pattern } 30;
}


sub opened { source($nginx, 'vivid')->{opened} }


sub closed {
    my ($when) = @_;

    ok becomes(state => qr/^sleeping$/), "$when: it sleeps";
    is holders(), '', 'nobody of us has the device';
    ok take(), 'the driver gives its buffers to another program';
}


sub untouched {
    closed('nobody came');
    is opened(), 0, 'it was never opened';
    ok capture_pid($nginx, 'vivid'), 'its process is there';
}


sub opened_and_closed {
    my $before = opened();
    my $viewer = Vidcast::WebSocket->connect($nginx->port, '/ws');
    my $frame = $viewer->message('binary', 30) // {};
    my $info = jpeg_info($frame->{data} // '') // {};

    is(($info->{width} // 0) . 'x' . ($info->{height} // 0), '320x180',
       'a viewer comes, and gets its frame on this connection');
    is holders(), 'capture', 'the capture has the device';
    is take(), 0, 'and the driver its buffers';
    is opened(), $before + 1, 'it was opened once';
    is source($nginx, 'vivid')->{dropped}{warmup}, 2 * opened(),
        'two frames were skipped';

    $viewer->close;

    closed('it leaves');
}


sub snapshot {
    my $answer = get($nginx->port, '/snapshot');

    is $answer->{status}, 200, 'a snapshot';
    ok jpeg_info($answer->{body}), 'is a picture';

    closed('it has its picture');
}


sub worker_killed {
    my $viewer = Vidcast::WebSocket->connect($nginx->port, '/ws');

    ok $viewer->message('binary', 30), 'a viewer';
    is holders(), 'capture', 'the device is open';

    $nginx->signal('KILL', $viewer->header('X-Worker'));

    ok $viewer->wait_eof, 'its worker is killed';
    closed('it is gone with it');
}


sub reloaded {
    my $pid = capture_pid($nginx, 'vivid');

    ok $nginx->reload, 'a reload';
    is capture_pid($nginx, 'vivid'), $pid, 'the same capture';
    closed('after it');

    opened_and_closed();
}


# while we slept somebody else took the camera

sub taken_by_another {
    my $other = take('keep');
    my $viewer = Vidcast::WebSocket->connect($nginx->port, '/ws');

    ok becomes(error => qr/in use|busy/), 'another program has the camera: that is told';

    close $other;

    ok $viewer->message('binary', 60),
        'it is given back: the viewer gets its frame';
    is holders(), 'capture', 'we have it';

    $viewer->close;
    closed('it leaves');
}


sub unplugged_asleep {
    unbind();

    my $viewer = Vidcast::WebSocket->connect($nginx->port, '/ws');

    ok becomes(state => qr/^reconnecting$/),
        'unplugged while it slept: reconnecting when somebody looks';

    bind_again();

    ok $viewer->message('binary', 60),
        'plugged in: the viewer gets its frame';

    $viewer->close;
    closed('it leaves');
}
