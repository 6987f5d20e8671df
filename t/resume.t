#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Whoever was cut off goes on where it was: results after the last one that it
# has come from the history, whatever happened meanwhile, a reload, a worker or
# a camera process killed; and where the history does not go that far, or the
# point is of other times, it is told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather inflated);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2,
    allow => [qr/exited on signal 9/], http => <<'CONF')->start;
vidcast_source front {
    input    test: size=64x48 fps=100;
    predict  delay time=2ms;
    results  3000;
}

vidcast_source short {
    input    test: size=64x48 fps=100;
    predict  delay time=2ms;
    results  16;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location /status     { vidcast_status; }
    location /sse        { vidcast front as=sse; }
    location /ndjson     { vidcast front as=ndjson; }
    location /ws         { vidcast front as=websocket; }
    location /mjpeg      { vidcast front as=mjpeg; }
    location /snapshot   { vidcast front as=snapshot; }
    location /few        { vidcast front as=websocket; vidcast_backlog 4; }
    location /two        { vidcast front,short as=websocket; }
    location /deflate    { vidcast front as=websocket; vidcast_deflate on; }
    location /short/sse  { vidcast short as=sse; }
    location /short/ws   { vidcast short as=websocket; }
    location /short/nd   { vidcast short as=ndjson; }
}
CONF

my $port = $nginx->port;


sub newest {
    my ($name) = @_;

    my $status = decode_json(get($port, '/status')->{body});
    my ($source) = grep { $_->{name} eq $name } @{$status->{sources}};

    return $source->{result};
}


# till so many results more are there

sub pass {
    my ($count, $name) = @_;

    my $end = newest($name // 'front') + $count;

    return wait_for { newest($name // 'front') >= $end } 30;
}


# A reader of each transport.  open(point, by header) and next() are all that
# it has to know; next() is the decoded result.

my %open = (
    sse => sub { Vidcast::Stream->open($port, @_) },
    nd => sub { Vidcast::Stream->open($port, @_) },
    ws => sub { Vidcast::WebSocket->connect($port, @_) },
    deflate => sub { Vidcast::WebSocket->connect($port, @_,
                                          deflate => 'permessage-deflate') },
);


sub next_result {
    my ($client) = @_;

    return $client->json if $client->isa('Vidcast::WebSocket');

    if (($client->header('Content-Type') // '') ne 'text/event-stream') {
        return decode_json($client->line // return undef);
    }

    while (my $event = $client->event) {
        next if !defined $event->{data};

        my $result = decode_json($event->{data});

        # the id is what the browser will come back with

        is $event->{id}, "$result->{epoch}-$result->{seq}", 'its id'
            if ($event->{id} // '') ne "$result->{epoch}-$result->{seq}";

        return $result;
    }

    return undef;
}


# so many results: the first, the last, and a text about what is wrong

sub results {
    my ($client, $count) = @_;

    my ($first, $last, @faults);

    for (1 .. $count) {
        my $result = next_result($client);

        return ($first, $last, 'the end') if !$result;

        push @faults, "$last->{seq}, then $result->{seq}"
            if $last && $result->{seq} != $last->{seq} + 1;
        push @faults, "$result->{seq} is told something"
            if $last && ($result->{skipped} || $result->{reset});

        $first //= $result;
        $last = $result;
    }

    return ($first, $last, "@faults");
}


sub goes_on {
    my ($client, $seq, $name, $count) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($first, $last, $faults) = results($client, $count // 30);

    is $faults, '', "$name: in order";
    is $first && $first->{seq}, $seq + 1, "$name: from the next one on";
    is $first && $first->{skipped}, undef, "$name: none is missing";
    ok $first && !$first->{reset}, "$name: it is the same series";

    return $last;
}


sub starts_anew {
    my ($client, $newest, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($first, undef, $faults) = results($client, 20);

    ok $first && $first->{reset}, "$name: told";
    is $first && $first->{skipped}, undef, "$name: not counted";
    cmp_ok $first ? $first->{seq} : 0, '>=', $newest, "$name: the newest";
    is $faults, '', "$name: in order";
}


ok wait_for { (newest('front') // 0) > 40 }, 'some results';

my ($first, $last) = results($open{sse}->('/sse'), 5);
my $epoch = $first->{epoch};

ok !$first->{reset} && !defined $first->{skipped}, 'a new one is told nothing';

for (
    ['sse', '/sse', 'Last-Event-ID'],
    ['sse', '/sse', 'last-event-id'],
    ['sse', '/sse'],
    ['nd', '/ndjson'],
    ['nd', '/ndjson', 'Last-Event-ID'],
    ['ws', '/ws'],
    ['ws', '/ws', 'Last-Event-ID'],
    ['ws', '/few'],
    ['deflate', '/deflate'],
) {
    my ($kind, $path, $header) = @$_;

    my $client = $open{$kind}->($path);
    my (undef, $last) = results($client, 3);

    $client->close;

    # more than a backlog, less than the history

    pass(80);

    for my $point ("$last->{epoch}-$last->{seq}", $last->{seq}) {
        my $name = "$path, " . ($header ? "$header: $point" : "since=$point");

        $client = $header
            ? $open{$kind}->($path, headers => [$header => $point])
            : $open{$kind}->("$path?since=$point");

        goes_on($client, $last->{seq}, $name, 100);
        $client->close;
    }
}

# both: the query is what a program wrote, the header what a browser did

my $client = $open{sse}->("/sse?since=$last->{seq}",
                          headers => ['Last-Event-ID' => '1']);

goes_on($client, $last->{seq}, 'since= and Last-Event-ID');

# nothing is missing: the next one is waited for

$client = $open{ws}->('/ws');
(undef, $last) = results($client, 10);
goes_on($open{sse}->("/sse?since=$epoch-$last->{seq}"), $last->{seq},
        'hardly anything missing');


# too old

for (['sse', '/short/sse'], ['nd', '/short/nd'], ['ws', '/short/ws']) {
    my ($kind, $path) = @$_;

    (undef, my $last) = results($open{$kind}->($path), 2);
    pass(60, 'short');

    for my $point ("$last->{epoch}-$last->{seq}", $last->{seq}, 0) {
        my $client = $open{$kind}->("$path?since=$point");
        my $newest = newest('short');
        my ($first, undef, $faults) = results($client, 40);
        my $from = $point ? $last->{seq} : 0;

        is $faults, '', "$path, since=$point: in order";
        is $first->{skipped}, $first->{seq} - $from - 1,
            'told how many are missing';
        cmp_ok $first->{seq}, '<', $newest, 'and given what is left of them';
        ok !$first->{reset}, 'of the same series';
        $client->close;
    }
}


# of other times

for (['sse', '/sse', 'Last-Event-ID'], ['sse', '/sse'], ['nd', '/ndjson'],
     ['ws', '/ws'], ['deflate', '/deflate'])
{
    my ($kind, $path, $header) = @$_;

    my $newest = newest('front');
    my $other = $epoch =~ tr/0-9a-f/1-9a-f0/r;

    for my $point ("$other-5", "$other-$newest", "$other-0",
                   "$epoch-" . ($newest + 100000), $newest + 100000,
                   '18446744073709551615')
    {
        my $client = $header
            ? $open{$kind}->($path, headers => [$header => $point])
            : $open{$kind}->("$path?since=$point");

        starts_anew($client, $newest, "$path, $point");
        $client->close;
    }
}

# What cannot be read at all is a mistake in a URL.  In the header it may be an
# id of another server, of which the browser knows nothing: refused, it would
# never come back.

my @unreadable = ('x', '1-2', '-1', "$epoch-", "$epoch-x", "$epoch-1x", '1.5',
                  '0x10', '1' x 30, "$epoch-" . '9' x 30,
                  '18446744073709551616', '1700000000:0',
                  '550e8400-e29b-41d4-a716-446655440000', "caf\xc3\xa9");

for my $point (@unreadable, ' 5') {
    my $escaped = $point =~ s/ /%20/gr;

    is(Vidcast::Stream->open($port, "/sse?since=$escaped")->status, 400,
       "since=$escaped");
}

for (['sse', '/sse'], ['nd', '/ndjson'], ['ws', '/ws'],
     ['deflate', '/deflate'])
{
    my ($kind, $path) = @$_;

    for my $point (@unreadable) {
        my $newest = newest('front');
        my $client = $open{$kind}->($path,
                                    headers => ['Last-Event-ID' => $point]);

        if (cmp_ok $client->status, '<', 300, "$path, Last-Event-ID: $point") {
            starts_anew($client, $newest, "$path, Last-Event-ID: $point");
        }

        $client->close;
    }
}

for my $path ('/mjpeg', '/snapshot') {
    is(Vidcast::Stream->open($port, $path,
                             headers => ['Last-Event-ID' => 'x'])->status,
       200, "$path, which has no ids");
}

is(Vidcast::Stream->open($port, '/sse',
                         headers => ['Last-Event-ID' => ''])->status, 200,
   'an empty one is none');


# two sources: a point is of one of them

$client = $open{ws}->("/two?since=$epoch-" . newest('front'));

my %first;

ok gather([$client], sub {
    while (my $message = shift @{$client->{inbox}}) {
        my $result = decode_json($message->{data});

        $first{$result->{source}} //= $result;
    }

    return keys %first == 2;
}), 'of two sources';

ok !$first{front}{reset}, 'that one goes on';
ok $first{short}{reset}, 'the other one is told';


# over what happens

my %clients = map { $_ => $open{$_}->($_ eq 'nd' ? '/ndjson' : "/$_") }
              qw(sse ws deflate);
my %at;

sub catch_up {
    my ($name) = @_;

    for my $kind (sort keys %clients) {
        my $client = $clients{$kind};

        # all that came before the end, which must come in order

        while (my $result = next_result($client)) {
            is $result->{seq}, $at{$kind} + 1, 'no gap at the end'
                if defined $at{$kind} && $result->{seq} != $at{$kind} + 1;

            $at{$kind} = $result->{seq};
        }

        ok $client->{eof} || $client->{ended} || $client->{closed},
            "$name, $kind: it was cut off";
        $client->close;
    }

    pass(30);

    for my $kind (sort keys %clients) {
        my $path = $kind eq 'nd' ? '/ndjson' : "/$kind";

        $clients{$kind} = $open{$kind}->("$path?since=$epoch-$at{$kind}");
        $last = goes_on($clients{$kind}, $at{$kind}, "$name, $kind", 60);
        $at{$kind} = $last->{seq};
    }
}


for my $kind (sort keys %clients) {
    (undef, my $last) = results($clients{$kind}, 10);
    $at{$kind} = $last->{seq};
}

for my $round (1 .. 2) {
    ok $nginx->reload, "reload $round";
    catch_up("reload $round");
}

$nginx->signal('KILL', $_->{pid}) for $nginx->processes('worker');
ok wait_for { $nginx->processes('worker') == 2 }, 'all workers are killed';
catch_up('kill -9');

# the numbers are not the camera's process's

my ($camera) = $nginx->processes('capture', 'front');

$nginx->signal('KILL', $camera->{pid});

for my $kind (sort keys %clients) {
    my ($first, $last, $faults) = results($clients{$kind}, 60);

    is $faults, '', "the capture is killed, $kind: numbers go on";
    is $first->{seq}, $at{$kind} + 1, 'without a gap';
    is $last->{epoch}, $epoch, 'in the same epoch';
    $at{$kind} = $last->{seq};
}

my ($other) = $nginx->processes('capture', 'front');

isnt $other && $other->{pid}, $camera->{pid}, 'by another process';

# stop and start: other memory

$nginx->signal('QUIT');
ok wait_for { $nginx->left && !$nginx->processes }, 'nginx ends';
$_->close for values %clients;
$nginx->start;
ok wait_for { (newest('front') // 0) > 5 }, 'and starts again';

$port = $nginx->port;
starts_anew($open{sse}->("/sse?since=$epoch-5"), 1, 'another nginx');

$nginx->stop;

done_testing;
