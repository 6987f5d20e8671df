#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Processes are killed under 50 viewers on two workers: captures, the manager,
# workers.  What is not with the one that died notices no more than a pause;
# pictures come again by themselves, and nothing is left of the dead.
#
# Not in the mode valgrind, which has descriptors of its own in each process.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my @names = qw(a b c d e);

# a ring as small as it may be: 2 workers, 1 encoder

my $sources = join '', map { <<"CONF" } @names;
vidcast_source $_ {
    input     test: size=320x240 fps=20;
    predict   delay time=5ms;
    encoders  1;
    frames    10 256k;
}
CONF

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<"CONF")->start;
$sources
server {
    listen  127.0.0.1:%%PORT%% reuseport;

    @{[locations(@names)]}
}
CONF

push @{$nginx->{allow}}, qr/exited on signal 9/;

my $crowd = Vidcast::Crowd->new($nginx->port, map {
    ("/ws_$_" => 4, "/both_$_" => 2, "/mjpeg_$_" => 2, "/sse_$_" => 2)
} @names);

is scalar($crowd->viewers), 50, '50 viewers';
is scalar($crowd->refused), 0, 'are let in';
ok $crowd->moved, 'and get what they want';

my %by_worker = map { $_->{worker} => 1 } $crowd->viewers;

is scalar(keys %by_worker), 2, 'from two workers';

for my $name (@names) {
    my $source = live($nginx, $name);

    is $source->{pid}, capture_pid($nginx, $name), "the pid of $name";
    is $source->{starts}, 1, 'started once';
}

is scalar(map { $nginx->processes($_) } qw(master manager capture worker)), 9,
    'one master, one manager, five captures, two workers';
is scalar($nginx->processes), 9, 'and nobody else';

my ($manager) = $nginx->processes('manager');

is $_->{parent}, $manager->{pid}, "the manager forked \"$_->{title}\""
    for $nginx->processes('capture');


# as it was before anybody was killed

my $master = $nginx->pid;
my %before = (
    master => open_files($nginx, $master, 1),
    memory => shared_memory($master),
    manager => open_files($nginx, $manager->{pid}, 1),
    capture => open_files($nginx, capture_pid($nginx, 'a'), 1),
    worker => open_files($nginx, ($nginx->processes('worker'))[0]{pid}),
);

unlike $before{$_}, qr/socket/, "the $_ has nobody's connection"
    for qw(manager capture);


# 20 times, each source in its turn: one that lived two seconds starts at once

my $longest = 0;

for my $round (1 .. 4) {
    for my $name (@names) {
        ok wait_for { (live($nginx, $name, 0)->{state_age} // 0) >= 2 },
            "$name has settled";

        $crowd->take_all;
        $crowd->longest_gap;
        $crowd->mark;

        my $pid = capture_pid($nginx, $name);
        my ($frame, $result) = @{source($nginx, $name)}{qw(frame result)};

        $nginx->signal('KILL', $pid);

        ok wait_for { my $new = capture_pid($nginx, $name);
                      $new && $new ne $pid },
            "capture of $name, killed, $round: another one is there";
        ok $crowd->moved, 'all viewers get more';

        # a viewer may have had what was on its way

        my $gap = $crowd->longest_gap;

        ok $crowd->pump(sub { source($nginx, $name)->{frame} > $frame + 20 }),
            'frames go on';

        $gap = (sort { $b <=> $a } $gap, $crowd->longest_gap)[0];
        $longest = $gap if $gap > $longest;

        cmp_ok source($nginx, $name)->{result}, '>', $result, 'results too';
    }
}

note sprintf 'captures killed: no viewer waited longer than %.2f s', $longest;

is scalar($crowd->gone), 0, 'no viewer was dropped';
is $crowd->faults, '', 'all came in order';
is source($nginx, $_)->{starts}, 5, "$_ was started five times" for @names;


# one that dies again and again must wait longer and longer

my $first = capture_pid($nginx, 'a');

for my $time (1 .. 5) {
    my $pid;

    ok wait_for { $pid = capture_pid($nginx, 'a') }, "capture of a is there";
    $nginx->signal('KILL', $pid);
    ok wait_for { capture_pid($nginx, 'a') ne $pid }, 'and dead';
}

ok wait_for { source($nginx, 'a')->{state} eq 'failed' }, 'a has failed';
like source($nginx, 'a')->{error}, qr/exited on signal 9/, 'it says why';
ok live($nginx, 'a'), 'and lives again, after a while';
is source($nginx, 'a')->{error}, '', 'without a complaint';


# 5 times the manager: nobody else is concerned

my %pids = map { $_ => capture_pid($nginx, $_) } @names;

for my $time (1 .. 5) {
    my ($old) = map { $_->{pid} } $nginx->processes('manager');

    $crowd->mark;
    $nginx->signal('KILL', $old);

    ok wait_for { my ($new) = $nginx->processes('manager');
                  $new && $new->{pid} != $old },
        "manager, killed, $time: another one is there";
    ok $crowd->moved, 'all viewers get more';

    is scalar($nginx->processes('manager')), 1, 'one manager only';
    is capture_pid($nginx, $_), $pids{$_}, "$_ is the same" for @names;
}

# not its child, and yet replaced when it dies

ok wait_for { (live($nginx, 'b', 0)->{state_age} // 0) >= 2 }, 'b has settled';
$nginx->signal('KILL', $pids{b});
ok wait_for { my $pid = capture_pid($nginx, 'b'); $pid && $pid ne $pids{b} },
    'a capture that was taken over is replaced';
ok live($nginx, 'b'), 'and lives';

is scalar($crowd->gone), 0, 'no viewer was dropped';


# both at once

$crowd->mark;
$nginx->signal('KILL', $_->{pid})
    for map { $nginx->processes($_) } qw(manager capture);
ok wait_for { $nginx->processes('capture') == @names
              && $nginx->processes('manager') == 1 },
    'manager and all captures killed: all are there again';
ok live($nginx, $_), "$_ lives" for @names;
ok $crowd->moved, 'all viewers get more';


# 20 times a worker, each in its turn

%pids = map { $_ => capture_pid($nginx, $_) } @names;
$longest = 0;

for my $time (1 .. 20) {
    my @workers = map { $_->{pid} } $nginx->processes('worker');
    my $victim = $workers[$time % 2];
    my @others = $crowd->beside($victim);

    $crowd->mark;
    $crowd->longest_gap;
    $nginx->signal('KILL', $victim);

    ok wait_for { my @now = map { $_->{pid} } $nginx->processes('worker');
                  @now == 2 && !grep { $_ == $victim } @now },
        "worker, killed, $time: another one is there";
    ok $crowd->pump(sub { !grep { !$_->{client}->eof } $crowd->of($victim) }),
        'its viewers see the end at once';
    ok $crowd->moved(@others), 'the others get more';

    my $gap = $crowd->longest_gap(@others);
    $longest = $gap if $gap > $longest;

    is scalar(grep { $_->{client}->eof } @others), 0, 'none of them dropped';

    $crowd->reconnect;
    $crowd->mark;
    ok $crowd->moved, 'those that come again get all again';
}

note sprintf 'workers killed: no viewer of the other one waited longer than'
    . ' %.2f s', $longest;

is $crowd->faults, '', 'all came in order';
is capture_pid($nginx, $_), $pids{$_}, "the capture of $_ did not care"
    for @names;


# nothing is left

for my $name (@names) {
    my $source = source($nginx, $name);

    is $source->{dropped}{ring_full}, 0, "$name never had a full ring";
    is $source->{viewers}{all}, 10, 'ten viewers';
    is scalar(@{$source->{workers}}), 2, 'two workers';
}

$crowd->leave;

for my $name (@names) {
    ok wait_for { source($nginx, $name)->{viewers}{all} == 0 },
        "$name has no viewer";
    is_deeply source($nginx, $name)->{pins}, 0, 'and no pin';
}

($manager) = $nginx->processes('manager');

is open_files($nginx, $master, 1), $before{master}, 'files of the master';
is shared_memory($master), $before{memory}, 'shared memory of the master';
is open_files($nginx, $manager->{pid}, 1), $before{manager},
    'files of the manager';
is open_files($nginx, capture_pid($nginx, $_), 1), $before{capture},
    "files of the capture of $_" for @names;
is open_files($nginx, $_->{pid}), $before{worker}, 'files of a worker'
    for $nginx->processes('worker');

is scalar($nginx->processes), 9, 'the processes of the beginning';


$nginx->stop;

done_testing;
