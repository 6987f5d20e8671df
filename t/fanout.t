#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The camera is read and predicted once, whoever watches: 1, 3 or 100 clients
# get the same sequence without a gap, and the rate of the capture does not
# change.  The tutorials' own Python client is one of them, unchanged.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather);

Vidcast::Nginx->plan;

my $fps = 30;

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF')->start;
vidcast_source front {
    input    test: fps=30;
    predict  delay time=10ms;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location /ws      { vidcast; }
    location /both    { vidcast front as=websocket send=both; }
    location /status  { vidcast_status; }
}
CONF

my $port = $nginx->port;


sub texts {
    my ($ws) = @_;

    return grep { $_->{type} eq 'text' } @{$ws->{inbox}};
}


# do 30 results come from a second of video, and does the status agree?

sub rate_comes_back {
    my ($clients) = @_;

    for my $second (1 .. 20) {
        my $have = texts($clients->[0]);

        gather($clients, sub { texts($clients->[0]) >= $have + 30 }) or return;

        my ($first, $last)
            = map { decode_json($_->{data}) } (texts($clients->[0]))[-31, -1];

        my $rate = ($last->{frame} - $first->{frame})
            / ($last->{ts} - $first->{ts});

        return 1 if abs($rate - $fps) < 1
            && abs(captured()->{fps} - $fps) < 1;
    }

    return 0;
}


sub captured {
    my $status = decode_json(get($port, '/status')->{body});
    my ($source) = grep { $_->{name} eq 'front' } @{$status->{sources}};

    return $source;
}


# every text under its number; what differs between clients is a fault

sub compare {
    my ($clients) = @_;

    my (%text, @faults, $gaps);

    for my $ws (@$clients) {
        my $before;

        for my $message (texts($ws)) {
            my ($seq) = $message->{data} =~ /"seq":(\d+)/;

            push @faults, "result $seq differs"
                if ($text{$seq} //= $message->{data}) ne $message->{data};

            $gaps++ if defined $before && $seq != $before + 1;
            $before = $seq;
        }
    }

    return (\@faults, $gaps // 0);
}


for my $count (1, 3, 100) {
    my @clients = map { Vidcast::WebSocket->connect($port, '/ws') } 1 .. $count;

    is scalar(grep { !$_->accepted } @clients), 0, "$count clients";

    # counted from when the last one is in

    ok gather(\@clients, sub { !grep { !texts($_) } @clients }), 'all are in';

    $_->{inbox} = [] for @clients;

    my $before = captured();

    ok gather(\@clients, sub { !grep { texts($_) < 60 } @clients }, 30),
        'all have 60 results';

    # other work on the machine may slow it for a while, viewers may not

    ok rate_comes_back(\@clients), "$fps frames a second are captured";

    my $after = captured();
    my ($faults, $gaps) = compare(\@clients);

    is "@$faults", '', 'the same for each';
    is $gaps, 0, 'without a gap';
    is scalar(grep { $_->faults ne '' } @clients), 0, 'in right frames';
    is scalar(grep { $_->{eof} } @clients), 0, 'nobody was dropped';

    is $after->{state}, 'live', 'the source is live';
    is $after->{pid}, $before->{pid}, 'from one capture process';

    for my $client (@clients) {
        $client->send_close(1000);
    }

    is scalar(grep { $_->closed_with != 1000 } @clients), 0, 'a clean end';
}


# pictures are large: 20 viewers of both get all results all the same

my @clients = map { Vidcast::WebSocket->connect($port, '/both') } 1 .. 20;

ok gather(\@clients, sub { !grep { texts($_) < 60 } @clients }, 30),
    '20 clients with pictures';

my ($faults, $gaps) = compare(\@clients);

is "@$faults", '', 'the same for each';
is $gaps, 0, 'without a gap';
is scalar(grep { $_->faults ne '' } @clients), 0, 'in right frames';

for my $client (@clients) {
    my $pictures = grep { $_->{type} eq 'binary' } @{$client->{inbox}};

    cmp_ok $pictures, '>=', 30, 'and pictures between them';
    $client->close;
}


# the loop that the tutorials have

SKIP: {
    skip 'no websockets for Python', 4
        if system('/usr/bin/python3 -c "import websockets" 2>/dev/null') != 0;

    my $script = $nginx->prefix . '/client.py';

    open my $fh, '>', $script or die "$script: $!\n";
    print $fh <<"PY";
import asyncio
import websockets


async def main():
    uri = "ws://127.0.0.1:$port/ws"
    async with websockets.connect(uri) as ws:
        while True:
            print(await ws.recv())


asyncio.run(main())
PY
    close $fh;

    my $ws = Vidcast::WebSocket->connect($port, '/ws');
    my $pid = open my $out, '-|', '/usr/bin/python3', '-u', $script
        or die "python3: $!\n";

    my ($deadline, $text) = (deadline(30), '');
    my $select = IO::Select->new($out);

    while (($text =~ tr/\n//) < 60 && $select->can_read(remaining($deadline))) {
        sysread $out, $text, 65536, length $text or last;
    }

    kill 'TERM', $pid;
    close $out;

    my @lines = $text =~ /^(.*)\n/mg;
    my @results = map { decode_json($_) } @lines;

    cmp_ok @results, '>=', 60, 'the Python client prints results';
    is scalar(grep { $results[$_]{seq} != $results[0]{seq} + $_ }
              0 .. $#results), 0, 'every one of them';

    my $last = $results[-1]{seq};

    ok gather([$ws], sub {
        my ($newest) = (texts($ws))[-1];

        return $newest && decode_json($newest->{data})->{seq} >= $last;
    }), 'another client has come as far';

    my %text = map { $_->{data} => 1 } texts($ws);

    is scalar(grep { !$text{$_} } @lines), 0, 'and has the same';
}


$nginx->stop;

done_testing;
