#!/usr/bin/perl

# Copyright (C) vidcast contributors

# master_process off, as other tests and debuggers run nginx: one process that
# serves, and that ends on TERM and on QUIT with all that it started; as a
# daemon, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Crowd;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;


sub nginx {
    my (%args) = @_;

    # what starts a process of ours may have threads, which are just starting

    return Vidcast::Nginx->new(single => 1, http => <<"CONF", %args)->start;
aio threads;

vidcast_source a { input test: size=320x240 fps=20; predict motion; }
vidcast_source b { input test: size=160x120 fps=10; predict delay; }

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('a', 'b')]}
}
CONF
}


for my $daemon (0, 1) {
    for my $signal (qw(TERM QUIT KILL)) {
        my $name = ($daemon ? 'a daemon, ' : '') . $signal;
        my $nginx = nginx(daemon => $daemon);

        my $crowd = Vidcast::Crowd->new($nginx->port, map {
            ("/ws_$_" => 3, "/both_$_" => 3, "/mjpeg_$_" => 2, "/sse_$_" => 2,
             "/ndjson_$_" => 1)
        } qw(a b));

        ok $crowd->moved, "$name: viewers of two sources";
        is_deeply [map { $_->{worker} } $crowd->viewers],
            [($nginx->pid) x $crowd->viewers], 'with the only process';
        is get($nginx->port, '/ws_a')->{status}, 426, 'other requests';
        ok live($nginx, 'a') && live($nginx, 'b'), 'both live';
        is jpeg_info(get($nginx->port, '/snapshot_a')->{body})->{width}, 320,
            'a snapshot';

        # nginx itself is whoever runs the test

        is_deeply [grep { $> == 0 && -o "/proc/$_->{pid}" }
                   $nginx->processes('capture')],
            [], 'no capture is root';

        is_deeply [sort map { $_->{kind} } $nginx->processes],
            [qw(capture capture manager single)], 'the processes';

        if ($signal eq 'TERM') {

            # here nobody but the one process can start the manager again

            push @{$nginx->{allow}}, qr/exited on signal 9/;
            $nginx->signal('KILL', $_->{pid})
                for map { $nginx->processes($_) } qw(manager capture);

            ok wait_for { $nginx->processes('capture') == 2 },
                'manager and captures, killed, are there again';
            $crowd->mark;
            ok $crowd->moved, 'viewers get more';
        }

        $nginx->signal($signal);

        my $left = wait_for { $nginx->left && !$nginx->processes } 5;

        ok $left, 'all leave'
            or diag join "\n", map { "$_->{pid} $_->{title}" }
                $nginx->processes;

        ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }),
            'and so must the viewers';
        is $crowd->faults, '', 'all came in order';

        $signal eq 'KILL' ? $nginx->finish : $nginx->stop;
    }
}


done_testing;
