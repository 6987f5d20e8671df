#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Whatever dies, another one must take its place, and nobody else may notice:
# not once, as the other tests have it, but for minutes, at any moment, and
# while something else is dying.  Processes of every kind are killed, crashed
# and stopped here at random, and nginx is reloaded, under viewers of all
# transports, publishers and predictors.  No viewer of a worker that was left
# alone may be dropped; afterwards all sources are live, and there is no
# process, descriptor, pin or memory more than before.
#
# "make soak" does so for ten minutes, with a hundred viewers of each transport
# (VIDCAST_SOAK_SECONDS, VIDCAST_SOAK_VIEWERS), and with a seed of its own,
# which it tells and which can be set (VIDCAST_SOAK_SEED).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Crowd;
use Vidcast::Feeder;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Program;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $seconds = $ENV{VIDCAST_SOAK_SECONDS} || 20;
my $count = $ENV{VIDCAST_SOAK_VIEWERS} || 4;
my $seed = $ENV{VIDCAST_SOAK_SEED} || 7;

my @sources = qw(still moving door yard lane);
my %viewers = map { $_ => $count } qw(/ws_moving /both_still /pictures_door
                                      /mjpeg_still /sse_moving /ndjson_still);

srand $seed;
diag "seed $seed, $seconds s, $count viewers of each transport"
    if $ENV{VIDCAST_SOAK_SECONDS};

my $nginx = Vidcast::Nginx->new(workers => 2, log => 'notice',
    main => 'worker_shutdown_timeout 3s;', http => <<"CONF");
vidcast_watchdog 2s;

vidcast_source still {
    input    test: size=160x120 fps=4;
    predict  exec %%PREFIX%%/program.pl;
}

vidcast_source moving {
    input    test: size=160x120 fps=4;
    predict  exec %%PREFIX%%/program.pl workers=2;
}

@{[map { "vidcast_source $_ { input push:; predict motion; }\n" }
   @sources[2 .. 4]]}

server {
    listen  127.0.0.1:%%PORT%% backlog=4096;

@{[map { "    location = /publish_$_ { vidcast_publish $_ takeover=on; }\n" }
   @sources[2 .. 4]]}
    @{[locations(@sources)]}
}
CONF

$nginx->{events} = 'worker_connections 4096;';
$nginx->{allow} = [ qr/exited on signal (?:6|9|11)\b/,
                    qr/source "\w+" is (?:stale|reconnecting)/ ];

box_program($nginx->prefix . '/program.pl');
$nginx->start;

my $sanitized = $nginx->sanitized($nginx->pid);

# one picture and one text each, ten times a second, in three ways

my @feeders = map { Vidcast::Feeder->start({ port => $nginx->port, %$_ }) }
    { post => '/publish_door' }, { put => '/publish_yard' },
    { post => '/publish_lane', put => '/publish_lane' };

my $crowd = Vidcast::Crowd->new($nginx->port, %viewers);

ok $crowd->moved, 'all viewers are there';
ok settled(), 'and all sources';

my %files;      # of a process, by its kind
my %touched;    # workers that were hurt, or told to leave
my %stopped;    # processes => when they are to go on, 0: never
my (%done, @memory, @lost);

# what is made at first, or once

$touched{$_->{pid}} = 1 for $nginx->processes('worker');
ok $nginx->reload, 'a reload, to warm up';
ok calm(), 'all is well';

my %before = inventory();

my $end = time + $seconds;
my $sampled = 0;

while (time < $end) {
    act();
    go_on();
    look(0.2 + rand 0.8);

    if (time - $sampled > 5) {
        $sampled = time;
        push @memory, memory();
    }
}

note join ', ', map { "$_ $done{$_}" } sort keys %done;

is join("\n", @lost), '', 'no viewer of an untouched worker was dropped';
cmp_ok scalar(keys %done), '>=', 5, 'much has happened';

# those that are never to go on are the watchdog's

$nginx->signal('CONT', $_) for grep { $stopped{$_} } keys %stopped;
%stopped = ();

ok calm(), 'all is well again'
    or diag join "\n", map { "$_->{pid} $_->{title}" } $nginx->processes;

$crowd->mark;
ok $crowd->moved, 'all viewers get more'
    or diag join "\n", map { "$_->{path} of worker $_->{worker}" }
                       grep { !Vidcast::Crowd::has_moved($_) } $crowd->viewers;
is $crowd->faults, '', 'all came in order';

my %after = inventory();

is join("\n", more(\%before, \%after)), '', 'no descriptor or mapping is more';
is join("\n", grown()), '', 'no memory grows';

$crowd->leave;
$_->stop for @feeders;

# what the capture itself, and its predictors, have in hand

for my $name (@sources) {
    my $pins;

    my $free = wait_for { ($pins = source($nginx, $name)->{pins} // 99) <= 8 };

    ok $free, "no pin of $name is left" or diag "$pins pins";
}

$nginx->stop;

done_testing;


# what there is to be hurt, and how

sub act {
    my $what = pick(KILL => 5, STOP => 4, SEGV => 2, ABRT => 1, HUP => 2);

    # a sanitizer takes that for a finding

    $what = 'ABRT' if $what eq 'SEGV' && $sanitized;

    if ($what eq 'HUP') {
        $touched{$_->{pid}} = 1 for $nginx->processes('worker');
        $nginx->signal('HUP');
        $done{'reload'}++;

        # else those that are just being started were not known next time

        my $until = time + 5;

        look(0.2) while time < $until && !settled_workers();

        return;
    }

    my $kind = pick(worker => 2, manager => 2, capture => 4, predictor => 3,
                    program => 2);
    my @all = grep { !exists $stopped{$_->{pid}} } grep {
        $kind eq 'program' ? $_->{title} =~ /program\.pl/
                           : $_->{kind} eq $kind
    } $nginx->processes;

    my $victim = $all[rand @all] // return;

    if ($what eq 'STOP') {

        # the watchdog is for what is ours

        $stopped{$victim->{pid}} = $kind ne 'worker' && rand() < 0.5
                                   ? 0 : time + 0.3 + rand 3;

    } elsif ($kind eq 'worker') {
        $touched{$victim->{pid}} = 1;
    }

    $nginx->signal($what, $victim->{pid});
    $done{"$what of a $kind"}++;
}


sub settled_workers {
    my @workers = $nginx->processes('worker');

    return @workers == 2 && !grep { $touched{$_->{pid}} } @workers;
}


sub pick {
    my (@list) = @_;

    my @each;

    while (my ($name, $weight) = splice @list, 0, 2) {
        push @each, ($name) x $weight;
    }

    return $each[rand @each];
}


sub go_on {
    for my $pid (keys %stopped) {
        my $due = $stopped{$pid};

        if (!$nginx->process($pid)) {
            delete $stopped{$pid};

        } elsif ($due && time >= $due) {
            $nginx->signal('CONT', $pid);
            delete $stopped{$pid};
        }
    }
}


# viewers take what there is; those which are dropped come again

sub look {
    my ($time) = @_;

    my $until = time + $time;

    # one that is just being dropped is dropped by what was done already

    $crowd->pump(sub { time >= $until }, $time + 5);

    for my $viewer ($crowd->gone) {
        push @lost, "$viewer->{path} of worker $viewer->{worker}"
            if !$touched{$viewer->{worker}};
    }

    # one that waits for a stopped worker would keep it stopped: no go_on()

    return if !grep { !exists $stopped{$_->{pid}} } $nginx->processes('worker');

    for (1 .. 20) {
        last if eval { $crowd->reconnect; 1 };
        go_on();
    }
}


sub settled {
    return $crowd->pump(sub {
        my $status = status($nginx);

        5 == grep { $_->{state} eq 'live' } @{$status->{sources} // []};
    }, 20);
}


# one of each, nothing else, and all of it works

sub calm {
    return wait_for {
        look(0.5);

        my %count;

        $count{$_->{kind}}++ for $nginx->processes;

        join(' ', map { "$_ $count{$_}" } sort keys %count)
                eq 'capture 5 manager 1 master 1 other 3 predictor 3 worker 2'
            && !$crowd->gone && settled()
            && !grep { ($_->{predictor}{state} // 'ready') ne 'ready' }
                     @{status($nginx)->{sources}};
    } 60;
}


# by kind, the most of its processes: what each has open, but for connections,
# and what it has mapped with others

sub inventory {
    my %most;

    for my $process ($nginx->processes) {
        my $name = join ' ', grep { defined } @$process{qw(kind name)};

        next if $process->{kind} eq 'other';

        my ($mappings, $bytes) = shared_memory($process->{pid}) =~ /(\d+)/g;
        my %now = (mappings => $mappings, bytes => $bytes);

        %now = (%now, open_files($nginx, $process->{pid})
                      =~ /(?:^|, )(.*?) x(\d+)/g);

        for my $what (keys %now) {
            my $slot = \$most{"$name: $what"};

            $$slot = $now{$what} if $now{$what} > ($$slot // 0);
        }
    }

    return %most;
}


# what is more by now

sub more {
    my ($before, $after) = @_;

    return map { "$_: $after->{$_}, not " . ($before->{$_} // 0) }
           grep { $after->{$_} > ($before->{$_} // 0) } sort keys %$after;
}


# kB of each that it shares with nobody

sub memory {
    return { map {
        $_->{pid} => { kind => $_->{kind},
                       size => Vidcast::Nginx::slurp("/proc/$_->{pid}/status")
                               =~ /^RssAnon:\s*(\d+)/m ? $1 : 0 }
    } $nginx->processes };
}


# of those that lived for long: the last sample against the plateau, which is
# the greatest one of the first half of its life

sub grown {
    return () if $sanitized;

    my (%sizes, %kind, @grown);

    for my $sample (@memory) {
        for my $pid (keys %$sample) {
            push @{$sizes{$pid}}, $sample->{$pid}{size};
            $kind{$pid} = $sample->{$pid}{kind};
        }
    }

    for my $pid (sort { $a <=> $b } keys %sizes) {
        my @sizes = @{$sizes{$pid}};

        next if @sizes < 4;

        my ($plateau) = sort { $b <=> $a } @sizes[0 .. $#sizes / 2];

        push @grown, "$kind{$pid} $pid: @sizes kB"
            if $sizes[-1] > 1.2 * $plateau + 3000;
    }

    return @grown;
}
