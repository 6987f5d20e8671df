#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A viewer on a bad line costs nobody else anything: it gets fewer pictures,
# the newest each time and each one whole; of the results it gets all, or is
# told how many it missed; and if it takes no byte at all it is closed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF')->start;
vidcast_source front {
    input    test: size=1280x720 fps=30;
    predict  delay time=5ms;
    quality  95;
}

server {
    listen  127.0.0.1:%%PORT%% sndbuf=32k;

    location /ws     { vidcast; }
    location /slow   { vidcast front as=websocket send=both;
                       vidcast_backlog 8; vidcast_stall_timeout 60s; }
    location /status { vidcast_status; }
    location /stall  { vidcast front as=websocket send=both;
                       vidcast_stall_timeout 1s; }
}
CONF

my $port = $nginx->port;


sub dial {
    my ($path, %args) = @_;

    my $ws = Vidcast::WebSocket->connect($port, $path, %args);

    $ws->accepted or die "no handshake at $path: ", $ws->status, "\n";

    return $ws;
}


sub status {
    my $status = decode_json(get($port, '/status')->{body});

    return $status->{sources}[0];
}


my $witness = dial('/ws')->attend;


sub results {
    return grep { $_->{type} eq 'text' } @{$witness->{inbox}};
}


# waits till the witness has seen so many results more

sub watch {
    my ($count) = @_;

    my $end = results() + $count;

    return gather([$witness], sub { results() >= $end }, 30);
}


my %small = (client => { recv_buffer => 4096 });
my $slow = dial('/slow', %small, protocol => 'vidcast.v1');

ok $slow->message('binary'), 'a picture for the slow viewer';

my ($seq, $frame, $skipped, $jumps, @faults) = (undef, 0, 0, 0);


sub take {
    my ($message) = @_;

    if ($message->{type} eq 'text') {
        my $result = decode_json($message->{data});
        my $missed = $result->{skipped} // 0;

        push @faults, "result $result->{seq} after $seq, skipped $missed"
            if defined $seq && $result->{seq} != $seq + 1 + $missed;

        $skipped += $missed;
        $seq = $result->{seq};

    } elsif ($message->{type} eq 'binary') {
        my ($offset, $length) = unpack 'x6nn', $message->{data};
        my $number = decode_json(substr $message->{data}, 12, $length)->{frame};

        push @faults, "frame $number after $frame" if $number <= $frame;
        push @faults, "frame $number is damaged"
            if !jpeg_info(substr $message->{data}, $offset);

        $jumps++ if $frame && $number > $frame + 30;
        $frame = $number;
    }
}


for my $round (1 .. 3) {
    ok watch(60), "60 results for the witness while it sleeps, $round";

    for (1 .. 20) {
        my $message = $slow->message or last;

        take($message);
    }
}

is join("\n", @faults), '', 'what it got was whole and in order';
cmp_ok $skipped, '>', 0, 'results were skipped, and counted';
cmp_ok $jumps, '>', 0, 'so were pictures';

ok gather([$slow], sub {
    take($_) while $_ = shift @{$slow->{inbox}};

    return $seq >= decode_json((results())[-1]{data})->{seq};
}), 'when it reads it catches up';

is join("\n", @faults), '', 'without a fault';
is $slow->faults, '', 'in right frames';


# no byte is taken

my @stalled = map { dial('/stall', %small) } 1 .. 5;

ok $nginx->wait_log(qr/viewer took no byte/, 30),
    'a viewer that takes no byte is given up';

ok watch(30), 'results for the witness meanwhile';
$slow->fill;
ok !$slow->eof, 'and the slow one is still there';
is scalar(grep { !$_->wait_eof } @stalled), 0, 'their connections ended';


# each takes the beginning of a picture, asks for the end and does not read
# on: what it holds of the ring must not be what the camera needs

$slow->close;

my $dropped = status()->{dropped}{ring_full};
my @rude;

for (1 .. 60) {
    my $ws = dial('/slow', %small);

    $ws->until_some(sub { length $ws->{buffer} > 1000 ? 1 : undef });
    $ws->send_close(1000);
    push @rude, $ws;

    # the next one begins with another picture

    watch(1);
}

is status()->{dropped}{ring_full}, $dropped, 'no frame was dropped for them';
$_->close for @rude;

my @seen = map { decode_json($_->{data}) } results();

is scalar(grep { $seen[$_]{seq} != $seen[$_ - 1]{seq} + 1 } 1 .. $#seen), 0,
    'the witness saw every result';
is $witness->faults, '', 'in right frames';


$witness->close;

$nginx->stop;

done_testing;
