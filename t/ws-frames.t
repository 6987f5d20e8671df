#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What goes over an open WebSocket: results and pictures as the documents have
# them, answers to control frames, the close codes of RFC 6455 for whoever
# breaks it, pings for whoever is silent.  And whatever one viewer does,
# another one does not see it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<'CONF')->start;
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  delay time=20ms;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location /ws      { vidcast; }
    location /frames  { vidcast front as=websocket send=frames; }
    location /both    { vidcast front as=websocket send=both; }
    location /small   { vidcast; vidcast_max_message 100; }
    location /ping    { vidcast; vidcast_ping 1s timeout=3s; }
}
CONF

my $port = $nginx->port;


sub dial {
    my ($path, @args) = @_;

    my $ws = Vidcast::WebSocket->connect($port, $path, @args);

    $ws->accepted or die "no handshake at $path: ", $ws->status, "\n";

    return $ws;
}


# a viewer that sees all that follows, and must not notice

my $witness = dial('/ws')->attend;


sub watch {
    my ($count) = @_;

    my $have = grep { $_->{type} eq 'text' } @{$witness->{inbox}};

    return gather([$witness], sub {
        $have + $count <= grep { $_->{type} eq 'text' } @{$witness->{inbox}};
    });
}


# results

my $ws = dial('/ws');
my (@text, @results);

for (1 .. 40) {
    my $message = $ws->message('text') or last;

    push @text, $message->{data};
    push @results, decode_json($message->{data});
}

is @results, 40, '40 results';

my $number = qr/\d+(?:\.\d+)?/;

like $text[0], qr/^\{"v":1,"source":"front","epoch":"[0-9a-f]{16}","seq":\d+,
    "frame":\d+,"ts":\d+\.\d+,"width":320,"height":240,"status":"ok",
    "latency":\{"predict":$number,"total":$number\},"result":.+\}$/x,
    'a result has the form of docs/wire-protocol.md';

is join(' ', map { $_->{seq} - $results[0]{seq} } @results), "@{[0 .. 39]}",
    'no number is missing';

is scalar(grep { $results[$_]{frame} <= $results[$_ - 1]{frame} } 1 .. 39), 0,
    'the frames go forward';

is scalar(grep { $results[$_]{ts} <= $results[$_ - 1]{ts} } 1 .. 39), 0,
    'their time too';

is scalar(grep { $_->{epoch} ne $results[0]{epoch} } @results), 0,
    'of one epoch';

cmp_ok abs($results[39]{ts} - time), '<', 60, 'ts is the time of the day';

is scalar(grep { $_->{latency}{predict} < 0.02
                 || $_->{latency}{total} < $_->{latency}{predict} } @results),
    0, 'the predictor took its 20 ms, and the total is not less';

is $results[0]{result}, 'test', 'the text of the tutorials';
is $ws->faults, '', 'nothing wrong with the frames';


# pictures

sub picture_ok {
    my ($data, $name) = @_;

    my $info = jpeg_info($data);

    return is $info && "$info->{width}x$info->{height}", '320x240', $name;
}


$ws = dial('/frames');

my %pictures;

for my $i (1 .. 10) {
    my $message = $ws->message;

    is $message->{type}, 'binary', "message $i of send=frames is binary";
    picture_ok($message->{data}, 'and a whole JPEG');
    $pictures{$message->{data}} = 1;
}

is keys %pictures, 10, 'each is another one';
is $ws->faults, '', 'nothing wrong with the frames';


sub types {
    my ($ws) = @_;

    my %count;

    gather([$ws], sub {
        $count{$_->{type}}++ while $_ = shift @{$ws->{inbox}};

        return ($count{text} // 0) + ($count{binary} // 0) >= 30;
    });

    return join ' ', sort keys %count;
}


is types(dial('/both')), 'binary text', 'send=both';
is types(dial('/ws')), 'text', 'send=results is the default';
is types(dial('/ws?send=both')), 'text', 'results cannot be widened';
is types(dial('/both?send=results')), 'text', 'both is narrowed to results';
is types(dial('/both?send=frames')), 'binary', 'both is narrowed to frames';

is(Vidcast::WebSocket->connect($port, '/frames?send=results')->status, 403,
   'of frames there are no results');


# vidcast.v1

$ws = dial('/both', protocol => 'vidcast.v1');

my ($last, %seen, $seq) = (0);

for my $i (1 .. 30) {
    my $message = $ws->message or last;

    if ($message->{type} eq 'text') {
        my $result = decode_json($message->{data});

        is $result->{seq}, $seq + 1, 'the next result' if $seq;
        $seq = $result->{seq};
        next;
    }

    my ($magic, $version, $flags, $offset, $length, $zero)
        = unpack 'a4CCnnn', $message->{data};

    is "$magic $version $flags $zero", 'vidc 1 0 0', 'header of vidcast.v1';
    cmp_ok $offset, '>=', 12 + $length, 'the picture is behind the text';

    my $json = decode_json(substr $message->{data}, 12, $length);

    is $json->{v}, 1, 'v';
    is $json->{source}, 'front', 'source';
    is "$json->{width}x$json->{height}", '320x240', 'size';
    cmp_ok $json->{frame}, '>', $last, 'a newer frame';
    cmp_ok abs($json->{ts} - time), '<', 60, 'ts';
    picture_ok(substr($message->{data}, $offset), 'the picture');

    $last = $json->{frame};
}

is $ws->faults, '', 'nothing wrong with the frames';


# 5.5.2: pongs

$ws = dial('/ws');

for my $payload ('', 'x', 'p' x 125, join '', map { chr } 0 .. 100) {
    $ws->send_ping($payload);

    my $pong = $ws->message('pong');

    is $pong && $pong->{data}, $payload, length($payload) . ' bytes of a ping';
}

$ws->write(join '', map { frame(9, $_) } 1 .. 50);

my @pongs = map { $ws->message('pong') } 1 .. 50;

is join(' ', map { $_->{data} // '-' } @pongs), "@{[1 .. 50]}",
    '50 pings at once';

$ws->write($_) for split //, frame(9, 'byte by byte');
is $ws->message('pong')->{data}, 'byte by byte', 'a ping in single bytes';

$ws->write(frame(1, '{"type":', fin => 0) . frame(9, 'inside')
           . frame(0, '"fps","value":', fin => 0) . frame(0, '0}'));
is $ws->message('pong')->{data}, 'inside', 'a ping between fragments';

$ws->send_pong('not asked for');
$ws->send_frame(1, '', fin => 0);
$ws->send_ping('still there?');
is $ws->message('pong')->{data}, 'still there?', 'a pong is let pass';


# 5.5.1, 7: closing

for my $code (1000, 1001, 1011, 3000, 4999) {
    my $ws = dial('/ws');

    $ws->send_close($code, 'done');

    is $ws->closed_with, $code, "close code $code comes back";
    ok $ws->wait_eof, 'then the connection ends';
    is $ws->faults, '', 'and nothing between';
}

$ws = dial('/ws');
$ws->send_close;
is $ws->closed_with, 1005, 'a close without a code comes back so';
ok $ws->wait_eof, 'then the connection ends';

$ws = dial('/both');
$ws->write(frame(8, pack 'n', 1000) . frame(9, 'late') x 20);
is $ws->closed_with, 1000, 'frames behind a close are not answered';
ok $ws->wait_eof, 'then the connection ends';


# whoever breaks the RFC

my $euro = "\xe2\x82\xac";

for (
    ['a frame that is not masked', 1002, frame(1, '{}', mask => 0)],
    ['a ping that is not masked', 1002, frame(9, '', mask => 0)],
    ['RSV1', 1002, frame(1, '{}', rsv => 4)],
    ['RSV2', 1002, frame(1, '{}', rsv => 2)],
    ['RSV3', 1002, frame(9, '', rsv => 1)],
    ['opcode 3', 1002, frame(3, '{}')],
    ['opcode 7', 1002, frame(7, '{}')],
    ['opcode 11', 1002, frame(11, '')],
    ['opcode 15', 1002, frame(15, '')],
    ['a fragmented ping', 1002, frame(9, 'x', fin => 0)],
    ['a fragmented close', 1002, frame(8, '', fin => 0)],
    ['a ping of 126 bytes', 1002, frame(9, 'x' x 126)],
    ['a continuation of nothing', 1002, frame(0, 'x')],
    ['a text within a text', 1002, frame(1, 'x', fin => 0) . frame(1, 'y')],
    ['5 in 16 bits', 1002, frame(1, 'small', form => 16)],
    ['5 in 64 bits', 1002, frame(1, 'small', form => 64)],
    ['the top bit of the length', 1002,
        frame(1, '', form => 64, length => 1 << 63)],
    ['a close of one byte', 1002, frame(8, "\x03")],
    ['close code 1005', 1002, frame(8, pack 'n', 1005)],
    ['close code 999', 1002, frame(8, pack 'n', 999)],
    ['close code 5000', 1002, frame(8, pack 'n', 5000)],
    ['text not UTF-8', 1007, frame(1, "\xff")],
    ['half a character', 1007, frame(1, substr $euro, 0, 2)],
    ['a character torn', 1007,
        frame(1, substr($euro, 0, 1), fin => 0) . frame(0, 'x')],
    ['a surrogate', 1007, frame(1, "\xed\xa0\x80")],
    ['a close reason not UTF-8', 1007, frame(8, pack('n', 1000) . "\xc0")],
    ['binary', 1003, frame(2, 'x')],
    ['empty binary', 1003, frame(2, '')],
    ['16k and a byte', 1009, frame(1, ' ' x 16385)],
    ['a length of 2^63 - 1', 1009,
        frame(1, '', form => 64, length => (1 << 63) - 1)],
) {
    my ($name, $code, $bytes) = @$_;
    my $ws = dial('/ws');

    $ws->write($bytes);

    is $ws->closed_with, $code, "$name: $code";
    ok $ws->wait_eof, "$name: the connection ends";
}

$ws = dial('/small');
$ws->send_text(' ' x 100);
$ws->send_ping('alive');
ok $ws->message('pong'), 'a message as long as vidcast_max_message';

$ws->write(frame(1, ' ' x 60, fin => 0) . frame(0, ' ' x 41));
is $ws->closed_with, 1009, 'fragments longer than vidcast_max_message';


# pings from the server

my $silent = dial('/ping', auto_pong => 0);
my $polite = dial('/ping')->attend;

ok $silent->message('ping'), 'a ping while results stream';
ok gather([$polite], sub { ($polite->{pings} // 0) >= 3 }), 'three answered';
ok $silent->wait_eof, 'one that does not answer is closed';
ok !$polite->{eof}, 'one that answers is not';
ok $polite->json, 'and gets results';
is $polite->faults, '', 'nothing wrong with the frames';


# abuse

sub reset_connection {
    my ($ws) = @_;

    setsockopt $ws->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $ws->close;
}


srand 1;

for my $round (1 .. 60) {
    my $ws = dial($round % 2 ? '/both' : '/ws');
    my $garbage = join '', map { chr rand 256 } 1 .. 1 + rand 300;

    $ws->write($garbage);
    $ws->fill if $round % 3;

    $round % 4 ? reset_connection($ws) : $ws->close;
}

for my $round (1 .. 60) {
    my $client = Vidcast::Client->new(port => $port);

    # a handshake that ends in the middle

    $client->write(substr "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket"
        . "\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", 0, $round * 3);

    $round % 2 ? reset_connection($client) : $client->close;
}

ok watch(30), 'results keep coming';

my @seen = map { decode_json($_->{data}) }
    grep { $_->{type} eq 'text' } @{$witness->{inbox}};

is scalar(grep { $seen[$_]{seq} != $seen[$_ - 1]{seq} + 1 } 1 .. $#seen), 0,
    'the witness saw every result';
is scalar(grep { exists $_->{skipped} } @seen), 0, 'none was skipped';
is $witness->faults, '', 'and no wrong frame';

unlike $nginx->error_log, qr/exited on signal/, 'nobody died';


$witness->send_close(1000);
is $witness->closed_with, 1000, 'a clean end';

$_->close for $witness, $polite, $ws;

$nginx->stop;

done_testing;
