#!/usr/bin/perl

# Copyright (C) vidcast contributors

# send=paired: a result and the picture it is of, whoever is faster, the
# predictor or the encoder, and however much later the result comes, and
# whatever other sources have for the same socket; pictures beside them go their
# own way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

# large is what does not go into a socket at once, and can be made in time

my $large = ($ENV{VIDCAST_MODE} // '') eq 'valgrind' ? '640x360' : '1280x720';

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF")->start;
vidcast_source quick {
    input    test: size=320x240 fps=30;
    predict  delay time=0;
}

vidcast_source slow {
    input    test: size=320x240 fps=30;
    predict  delay time=250ms;
}

vidcast_source other {
    input    test: size=$large fps=30;
    predict  delay time=0;
    quality  95;
}

server {
    listen  127.0.0.1:%%PORT%%;

    vidcast_ping  10m;

    location /quick   { vidcast quick send=paired; }
    location /slow    { vidcast slow send=paired; }
    location /all     { vidcast quick,slow,other send=paired; }
    location /both    { vidcast quick send=both; }
    location /frames  { vidcast quick send=frames; }
}
CONF

my $port = $nginx->port;


sub dial {
    my ($path, @args) = @_;

    return Vidcast::WebSocket->connect($port, $path, protocol => 'vidcast.v1',
                                       @args);
}


# "seq:frame of the result=frame of the picture", of so many pairs

sub pairs {
    my ($ws, $count) = @_;

    my @pairs;

    for (1 .. $count) {
        my $text = $ws->message or last;
        my $picture = $ws->message or last;

        push @pairs, "$text->{type} $picture->{type}"
            and last if "$text->{type} $picture->{type}" ne 'text binary';

        my $result = decode_json($text->{data});
        my ($length) = unpack 'x8n', $picture->{data};
        my $json = decode_json(substr $picture->{data}, 12, $length);

        push @pairs, { result => $result, frame => $json->{frame},
                       source => $json->{source} };
    }

    return @pairs;
}


for my $name ('quick', 'slow') {
    my $ws = dial("/$name");
    my @pairs = pairs($ws, 8);

    is scalar @pairs, 8, "$name: pairs came";

    my $wrong = grep {
        !ref || $_->{frame} != $_->{result}{frame} || $_->{source} ne $name
    } @pairs;

    is $wrong, 0, "$name: each result with its own picture";

    my $last = $pairs[0]{result}{seq};
    my $gaps = 0;

    for my $pair (@pairs[1 .. $#pairs]) {
        my $seq = $pair->{result}{seq};

        $gaps++ if $seq != $last + 1 + ($pair->{result}{skipped} // 0);
        $last = $seq;
    }

    is $gaps, 0, "$name: what was skipped is told";
    ok !exists $pairs[0]{result}{skipped}, "$name: nothing before the first";
    is $ws->faults, '', "$name: nothing wrong with the frames";
}


# a limit of pictures a second is one of pairs

{
    my @pairs = pairs(dial('/quick?fps=4'), 5);
    my @ts = map { ref ? $_->{result}{ts} : 0 } @pairs;

    is scalar @pairs, 5, 'fps=4: pairs came';

    # of two neighbors one may be early by half of the interval

    cmp_ok $ts[4] - $ts[0], '>', 0.6, 'fewer than there are';
}


# of several sources: nothing comes between a result and its picture, though
# the socket is full in the middle of large ones all the time

my $all = dial('/all', client => { recv_buffer => 4096 });
my (%of, @between);
my $deadline = deadline(30);
my $many = 30 / ($ENV{VIDCAST_TEST_PATIENCE} || 1);

while (remaining($deadline)) {
    my ($pair) = pairs($all, 1) or last;

    push @between, $pair and last
        if !ref $pair || $pair->{frame} != $pair->{result}{frame}
           || $pair->{source} ne $pair->{result}{source};

    $of{$pair->{source}}++;
    last if keys %of == 3 && $of{other} >= $many;
}

is_deeply \@between, [], 'several sources: a result and its own picture';
is join(' ', sort keys %of), 'other quick slow', 'of each source';
cmp_ok $of{other} // 0, '>=', $many, 'many of them';
$all->close;


# pairs and pictures beside each other

my $frames = dial('/frames');
my $slow = dial('/slow');

is scalar(grep { $_->{frame} == $_->{result}{frame} } pairs($slow, 3)), 3,
   'pairs while others watch all pictures';
is $frames->message->{type}, 'binary', 'pictures while others have pairs';


# the query

is(dial('/both?send=paired')->message->{type}, 'text', 'both, narrowed');

my $results = dial('/slow?send=results');

is join(' ', map { $results->message->{type} } 1 .. 3), 'text text text',
   'pairs, narrowed to results';

is(dial('/slow?send=frames')->status, 403, 'all pictures are not in pairs');

$nginx->stop;

done_testing;
