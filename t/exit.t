#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Every way in which nginx ends, with viewers: whatever happens, manager and
# captures do not outlive it by more than a moment, WebSocket viewers are told
# where nginx can still tell them, and nothing keeps an exiting worker for ever.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Client;
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather);

Vidcast::Nginx->plan;

# USR2 starts again what was started, and does not look into PATH

for my $dir (grep { -x "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin') {
    $ENV{TEST_NGINX_BINARY} ||= "$dir/nginx";
}


sub nginx {
    my (%args) = @_;

    return Vidcast::Nginx->new(workers => 2, http => <<"CONF", %args)->start;
vidcast_source front {
    input    test: size=320x240 fps=20;
    predict  delay time=5ms;
}

server {
    listen  127.0.0.1:%%PORT%% reuseport;

    @{[locations('front')]}
}

server {
    listen  127.0.0.1:%%PORT1%% sndbuf=8k;

    @{[locations('front')]}
}
CONF
}


# workers which hesitate, once the file is there, where each of them calls
# prctl() to leave core files: before it tells anybody that it lives

sub late_workers {
    my ($dir, $file) = @_;

    open my $gcc, '|-', 'gcc', '-shared', '-fPIC', '-o', "$dir/late.so",
        '-x', 'c', '-' or die "gcc: $!\n";

    print $gcc <<"C";
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
prctl(int option, ...)
{
    va_list        args;
    unsigned long  n, arg[4];

    va_start(args, option);
    for (n = 0; n < 4; n++) { arg[n] = va_arg(args, unsigned long); }
    va_end(args);

    if (option == PR_SET_DUMPABLE && arg[0] == 1 && access("$file", F_OK) == 0) {
        usleep(1500000);
    }

    return syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}
C

    close $gcc or die "gcc failed\n";

    return [ 'env', "LD_PRELOAD=$dir/late.so" ];
}


# how many have been started

sub managers {
    my ($nginx) = @_;

    my $count = sub {
        return scalar(() = $nginx->error_log =~ /start vidcast manager/g);
    };

    wait_for { $count->() > 0 };
    wait_for { $count->() > 2 } 0.5;

    return $count->();
}


# a WebSocket viewer that does not read; frames are more than the sockets hold

sub stuck {
    my ($nginx) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port(1), '/both',
        client => { recv_buffer => 4096 });

    my $frame = source($nginx, 'front')->{frame};

    ok wait_for { source($nginx, 'front')->{frame} > $frame + 20 },
        'a viewer that does not read';

    return $ws;
}


sub crowd {
    my ($nginx) = @_;

    my $crowd = Vidcast::Crowd->new($nginx->port, '/ws' => 8, '/both' => 4,
        '/mjpeg' => 4, '/sse' => 4, '/ndjson' => 2);

    ok $crowd->moved, 'viewers of each kind';

    return $crowd;
}


# all processes end, the slowest one being measured

sub all_leave {
    my ($nginx, $seconds, $text) = @_;

    my $start = time;

    my $left = wait_for { $nginx->left && !$nginx->processes } $seconds;

    ok $left, $text
        or diag join "\n", map { "$_->{pid} $_->{title}" } $nginx->processes;

    note sprintf 'after %.2f s', time - $start;
}


# kill -9 of all that could tell the others

{
    my $nginx = nginx();
    my $crowd = crowd($nginx);

    $nginx->signal('KILL', $_->{pid})
        for map { $nginx->processes($_) } qw(master worker);

    all_leave($nginx, 5, 'master and workers killed: the others left');
    is scalar($nginx->complaints), 0, 'without a complaint';
    $nginx->finish;
}


# the master alone: the workers go on, and so do the captures

{
    my $nginx = nginx();
    my $crowd = crowd($nginx);
    my $pid = capture_pid($nginx, 'front');

    $nginx->signal('KILL');
    ok wait_for { $nginx->left }, 'the master was killed';

    $crowd->mark;
    ok $crowd->moved, 'nobody cares';
    is capture_pid($nginx, 'front'), $pid, 'the capture neither';

    # whatever dies now must come again without a master's help

    $nginx->signal('KILL', $_->{pid})
        for map { $nginx->processes($_) } qw(manager capture);
    ok wait_for { my $new = capture_pid($nginx, 'front');
                  $new && $new ne $pid }, 'another manager and capture';
    $crowd->mark;
    ok $crowd->moved, 'and viewers get more';
    is scalar($crowd->gone), 0, 'all of them';

    $nginx->signal('KILL', $_->{pid}) for $nginx->processes('worker');
    all_leave($nginx, 5, 'workers killed, too: the others left');
    $nginx->finish;
}


# TERM: at once

{
    my $nginx = nginx();
    my $crowd = crowd($nginx);

    $nginx->signal('TERM');
    all_leave($nginx, 5, 'TERM: all left');
    ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }), 'viewers too';
    $nginx->stop;
}


# QUIT: with a word of farewell, to those that understand one

{
    my $nginx = nginx();
    my $crowd = crowd($nginx);

    $nginx->signal('QUIT');
    ok $crowd->pump(sub { $crowd->gone == $crowd->viewers || $nginx->left }),
        'QUIT: viewers are sent away';

    my %closed;

    for my $viewer ($crowd->viewers) {
        my $client = $viewer->{client};

        $closed{$viewer->{kind}}{$client->{close}{code} // 'none'}++
            if $viewer->{kind} =~ /ws|both/;
        $closed{$viewer->{kind}}{$client->{ended} // 'cut'}++
            if $viewer->{kind} =~ /sse|mjpeg|ndjson/;
    }

    is_deeply \%closed, { ws => { 1001 => 8 }, both => { 1001 => 4 },
                          sse => { 1 => 4 }, mjpeg => { 1 => 4 },
                          ndjson => { 1 => 2 } },
        'with 1001, and with their last chunk';
    is $crowd->faults, '', 'all in order';

    all_leave($nginx, 10, 'all left');
    $nginx->stop;
}


# clients which neither read nor answer do not hold it

{
    my $nginx = nginx();

    my @stuck = map { stuck($nginx) } 1 .. 3;

    $nginx->signal('QUIT');
    all_leave($nginx, 10, 'QUIT: all left all the same');
    $nginx->stop;
}


# a picture on its way is finished before the close frame, if it can be

{
    my $nginx = nginx();
    my $slow = stuck($nginx);

    $slow->send_close(1000);
    is $slow->closed_with, 1000, 'its close is answered behind the picture';
    is $slow->faults, '', 'which came whole';
    ok $slow->wait_eof, 'and the connection ends';
    $slow->close;

    $nginx->signal('QUIT');
    all_leave($nginx, 5, 'QUIT');
    $nginx->stop;
}


# MJPEG stays with an old worker over a reload; not when nginx quits later

{
    my $nginx = nginx();
    my $crowd = Vidcast::Crowd->new($nginx->port, '/mjpeg' => 4);

    ok $crowd->moved, 'viewers of MJPEG';

    my $pid = capture_pid($nginx, 'front');

    ok $nginx->reload, 'reload';
    $crowd->mark;
    ok $crowd->moved, 'they stay with the old workers';
    is scalar($crowd->gone), 0, 'all of them';
    cmp_ok scalar($nginx->processes('exiting')), '>=', 1, 'which wait for them';
    is capture_pid($nginx, 'front'), $pid, 'the capture stays too';

    $nginx->signal('QUIT');
    ok $crowd->pump(sub { $crowd->gone == 4 }), 'QUIT: they are sent away';
    is scalar(grep { !$_->{client}{ended} } $crowd->viewers), 0,
        'with their last chunk';
    all_leave($nginx, 10, 'all left');
    $nginx->stop;
}


# no less when the new workers take their time to come; nginx waits 0.1 s

SKIP: {
    skip 'a sanitizer must be loaded first', 10
        if ($ENV{VIDCAST_MODE} // '') =~ /asan|valgrind/;

    my $dir = tempdir(CLEANUP => 1);

    chmod 0755, $dir;

    my $wrap = late_workers($dir, "$dir/late");
    my $nginx = nginx(wrap => $wrap);
    my $crowd = Vidcast::Crowd->new($nginx->port, '/mjpeg' => 4);

    ok $crowd->moved, 'viewers of MJPEG';

    my $pid = capture_pid($nginx, 'front');

    open my $late, '>', "$dir/late" or die "$dir/late: $!\n";
    $nginx->signal('HUP');
    ok $crowd->pump(sub { $nginx->processes('exiting') >= 1 }), 'reload';
    is scalar($nginx->processes('worker')), 0, 'the new workers are late';
    ok $crowd->pump(sub { $nginx->processes('worker') == 2 }), 'they came';
    $crowd->mark;
    ok $crowd->moved, 'viewers stay with the old ones';
    is scalar($crowd->gone), 0, 'all of them';
    is capture_pid($nginx, 'front'), $pid, 'the capture stays too';

    # a machine that stands still for a second gets another one, but not twice

    my $managers = managers($nginx) - 1;

    if ($managers != 1) {
        my $other = nginx(wrap => $wrap);

        $managers = managers($other);
        $other->stop;
    }

    is $managers, 1, 'one manager takes over';

    $nginx->signal('QUIT');
    ok $crowd->pump(sub { $crowd->gone == 4 }), 'QUIT: they are sent away';
    $nginx->stop;
}


# or when its time is up

{
    my $nginx = nginx(main => 'worker_shutdown_timeout 1s;');
    my $crowd = Vidcast::Crowd->new($nginx->port, '/mjpeg' => 2);

    ok $crowd->moved, 'viewers of MJPEG';
    ok $nginx->reload, 'reload';
    ok $crowd->pump(sub { $crowd->gone == 2 }),
        'worker_shutdown_timeout ends them';
    ok wait_for { !$nginx->processes('exiting') }, 'and the old workers';
    $nginx->stop;
}


# a new binary, and the old one leaves: both have sources of their own

{
    my $nginx = nginx(daemon => 1);
    my $crowd = crowd($nginx);
    my ($old, $pid) = ($nginx->pid, capture_pid($nginx, 'front'));
    my $pidfile = $nginx->prefix . '/logs/nginx.pid';

    $nginx->signal('USR2');

    ok wait_for { $nginx->processes('master') == 2
                  && $nginx->processes('worker') == 4
                  && $nginx->processes('manager') == 2
                  && $nginx->processes('capture') == 2 },
        'USR2: two of each';
    is scalar(grep { $_ eq $pid } split ' ', capture_pid($nginx, 'front')), 1,
        'the old capture goes on';

    my ($new) = grep { $_ != $old } map { $_->{pid} }
        $nginx->processes('master');

    $crowd->mark;
    ok $crowd->moved, 'viewers get more';

    my $start = time;

    $nginx->signal('WINCH', $old);

    ok wait_for { $nginx->processes('capture') == 1
                  && capture_pid($nginx, 'front') ne $pid },
        'WINCH: the old capture leaves';
    ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }),
        'viewers are sent away';
    ok wait_for { !$nginx->processes('exiting') }, 'and the old workers';
    ok live($nginx, 'front'), 'the new one lives';
    note sprintf 'after %.2f s', time - $start;

    $crowd->reconnect;
    $crowd->mark;
    ok $crowd->moved, 'viewers come to the new one';

    # a change of mind: the old master starts again

    $nginx->signal('HUP', $old);
    ok wait_for { $nginx->processes('worker') == 4
                  && $nginx->processes('capture') == 2 },
        'HUP to the old master: it has workers and a capture again';
    $nginx->signal('QUIT', $new);
    ok wait_for { $nginx->processes('master') == 1
                  && $nginx->processes('capture') == 1
                  && !$nginx->processes('exiting') },
        'QUIT to the new one: it left';
    ok live($nginx, 'front'), 'the old one lives';

    is scalar($nginx->processes), 5, 'and nobody else';
    $nginx->stop;
}


done_testing;
