#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What a viewer got stands in the access log, when it has left, in whatever way
# it did: that is where people look, and what they pay by.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF');
log_format seen '$uri [$vidcast_source] $vidcast_frames $vidcast_results '
                '$vidcast_skipped $vidcast_bytes $bytes_sent';

vidcast_source front {
    input test: size=64x48 fps=20; predict delay time=1ms; encoders 1;
}
vidcast_source gate { input test: size=64x48 fps=20; encoders 1; }
vidcast_source short {
    input test: size=64x48 fps=20; predict delay time=1ms; results 4;
}
vidcast_source still { input images:%%PREFIX%%/album loop=off; }

server {
    listen 127.0.0.1:%%PORT%%;

    access_log %%PREFIX%%/logs/seen.log seen;

    location = /ws { vidcast front; }
    location = /both { vidcast front,gate send=both; }
    location = /mjpeg { vidcast front as=mjpeg; }
    location = /first { vidcast gate,front as=mjpeg; }
    location = /ndjson { vidcast front as=ndjson; }
    location = /snapshot { vidcast still as=snapshot; }
    location = /next { vidcast front as=snapshot; }
    location = /refused { vidcast front as=ndjson; vidcast_max_viewers 1; }
    location = /late { vidcast short; }
    location = /plain { return 200 nothing; }
    location = /echo { vidcast_echo; }
    location = /now { add_header X-Source "$vidcast_source" always;
                      vidcast front as=sse; }
    location = /status { access_log off; vidcast_status; }
}
CONF

mkdir $nginx->prefix . '/album';
open my $fh, '>:raw', $nginx->prefix . '/album/1.jpg' or die "1.jpg: $!\n";
print $fh picture(64, 48, 90);
close $fh;

$nginx->start;
ok live($nginx, 'front'), 'live';

my $port = $nginx->port;


# the fields of the only line about this path

sub line {
    my ($path) = @_;

    my $found = wait_for {
        my @lines = grep { /^\Q$path\E / }
            split /\n/, Vidcast::Nginx::slurp($nginx->prefix
                                              . '/logs/seen.log');

        return undef if !@lines;

        my ($source, @numbers) = $lines[-1] =~ /^\S+ \[(\S+)\] (.*)$/
            ? ($1, split / /, $2) : ();

        return { source => $source, lines => scalar @lines,
                 frames => $numbers[0], results => $numbers[1],
                 skipped => $numbers[2], bytes => $numbers[3],
                 sent => $numbers[4] };
    };

    return $found // {};
}


# results only, counted by the viewer himself

my $ws = Vidcast::WebSocket->connect($port, '/ws');
my $got = grep { $_ } map { $ws->message } 1 .. 10;

is $got, 10, 'ten results';

$ws->send_close(1000);
$ws->wait_eof;

my $seen = line('/ws');

is $seen->{source}, 'front', 'WebSocket: the source';
is $seen->{frames}, 0, 'no pictures';
cmp_ok $seen->{results}, '>=', $got, 'results';
cmp_ok $seen->{bytes}, '>', 10 * 200, 'bytes of them';
is $seen->{lines}, 1, 'one line';


# two sources at once

my $both = Vidcast::WebSocket->connect($port, '/both');

ok $both->message, 'both' for 1 .. 20;
$both->close;

$seen = line('/both');

is $seen->{source}, 'front,gate', 'several sources';
cmp_ok $seen->{frames}, '>', 0, 'pictures';
cmp_ok $seen->{results}, '>', 0, 'and results';
cmp_ok $seen->{frames} + $seen->{results}, '>=', 20, 'as many as came';

$both = Vidcast::WebSocket->connect($port, '/both?source=gate');
ok $both->message, 'one of them';
$both->close;
ok wait_for { line('/both')->{lines} == 2 }, 'another line';
is line('/both')->{source}, 'gate', 'the one that was chosen';


# through the filters

my $mjpeg = Vidcast::Stream->open($port, '/mjpeg');
my $size = 0;

$size += length $mjpeg->part->{data} for 1 .. 5;
$mjpeg->close;

$seen = line('/mjpeg');

is $seen->{source}, 'front', 'MJPEG: the source';
cmp_ok $seen->{frames}, '>=', 5, 'pictures';
is $seen->{results}, 0, 'no results';
cmp_ok $seen->{bytes}, '>', $size, 'bytes, what is around pictures, too';
is $seen->{bytes}, $seen->{sent}, 'all that nginx sent';

my $first = Vidcast::Stream->open($port, '/first');

ok $first->part, 'MJPEG of two sources';
$first->close;
is line('/first')->{source}, 'gate', 'is of the first';

my $ndjson = Vidcast::Stream->open($port, '/ndjson');

ok $ndjson->line, 'a line' for 1 .. 3;
$ndjson->close;
cmp_ok line('/ndjson')->{results}, '>=', 3, 'NDJSON: results';


# one picture, at once and awaited

ok wait_for { source($nginx, 'still')->{state} eq 'ended' }, 'still';
is get($port, '/snapshot')->{body}, picture(64, 48, 90), 'a snapshot';

$seen = line('/snapshot');

is $seen->{source}, 'still', 'its source';
is $seen->{frames}, 1, 'one picture';
is $seen->{bytes}, length picture(64, 48, 90), 'its bytes';

my $frames = source($nginx, 'still')->{delivered}{frames};

is $frames, 1, 'counted once';

my $after = source($nginx, 'front')->{frame};
my $before = source($nginx, 'front')->{delivered};
my $next = get($port, '/next?after=' . ($after + 5));

is $next->{status}, 200, 'the next one';

$seen = line('/next');

is $seen->{frames}, 1, 'one picture, too';
is $seen->{bytes}, length $next->{body}, 'its bytes';

my $now = source($nginx, 'front')->{delivered};

is $now->{frames} - $before->{frames}, 1, 'counted once by the status';
is $now->{bytes} - $before->{bytes}, length $next->{body}, 'so its bytes';

get($port, '/snapshot', method => 'HEAD');
ok wait_for { line('/snapshot')->{lines} == 2 }, 'HEAD';
is line('/snapshot')->{bytes}, 0, 'no bytes';


# what is refused got nothing, what is no viewer has nothing

my $one = Vidcast::Stream->open($port, '/refused');

is(get($port, '/refused')->{status}, 503, 'refused');
is line('/refused')->{source}, 'front', 'the source is known';
is line('/refused')->{results}, 0, 'and gave nothing';
$one->close;

get($port, '/plain');
$seen = line('/plain');

is $seen->{$_}, '-', "no $_ for others" for qw(source frames results skipped
                                               bytes);

my $echo = Vidcast::WebSocket->connect($port, '/echo');

$echo->close;
is line('/echo')->{source}, '-', 'nor for an echo';

my $sse = Vidcast::Stream->open($port, '/now');

is $sse->header('X-Source'), 'front', 'known to headers, too';
$sse->close;


# one that wants a history that is not there any more has missed it

ok wait_for { source($nginx, 'short')->{result} > 30 }, 'some time later';

my $late = Vidcast::WebSocket->connect($port, '/late?since=1');
my $missed = $late->json->{skipped};

cmp_ok $missed, '>', 20, 'one that comes late';
$late->close;
cmp_ok line('/late')->{skipped}, '>=', $missed, 'the log says so';

$nginx->stop;

done_testing;
