#!/usr/bin/perl

# Copyright (C) vidcast contributors

# permessage-deflate, RFC 7692: what is agreed on, and that both sides keep to
# it; results compressed for those that asked, the same ones plain for the
# others, pictures never; and what a stranger may send for a compressed message
# that is none, or far too much.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather deflated inflated);

Vidcast::Nginx->plan;

my $text = 'a text that repeats itself, ' x 8;

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF")->start;
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=5ms "text=$text";
}

vidcast_deflate on;

server {
    listen  127.0.0.1:%%PORT%%;

    location /echo   { vidcast_echo; vidcast_max_message 16m; }
    location /small  { vidcast_echo; vidcast_max_message 1000; }
    location /ws     { vidcast; }
    location /both   { vidcast front as=websocket send=both; }
    location /off    { vidcast; vidcast_deflate off; }
    location /plain  { vidcast_echo; vidcast_deflate off; }
}
CONF

srand 7692;

my $ws;


sub dial {
    my ($path, @args) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port, $path,
                                deflate => 'permessage-deflate', @args);

    $ws->accepted or die "no handshake at $path: ", $ws->status, "\n";

    return $ws;
}


sub closes {
    my ($code, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $ws->closed_with, $code, "$name: $code";
    ok $ws->wait_eof, "$name: then TCP ends";
}


# a payload in fragments, RSV1 in the first one

sub fragments {
    my ($opcode, $data, $size) = @_;

    my @part = unpack "(a$size)*", $data;

    return map {
        frame($_ ? 0 : $opcode, $part[$_], fin => $_ == $#part,
              rsv => $_ ? 0 : 4);
    } 0 .. $#part;
}


# does the echo say what was meant?  It is compressed if that was, unless it
# would take more than 32 kB

sub echo_ok {
    my ($type, $said, $name, @frames) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $ws->write_and_read(join '', @frames);

    my $message = $ws->message('text', 'binary', 'close', 60);

    return fail("$name: no message") if !$message;
    return is $message->{type}, $type, $name if $message->{type} ne $type;

    my $back = inflated($message, $ws->{bits});
    my $packs = (!@frames || ord($frames[0]) & 0x40)
        && length(deflated($said)) < 30000;

    return ok defined $back && $back eq $said
              && !$message->{compressed} == !$packs, $name;
}


# 5, 7.1: negotiation; undef: none of the offers can be kept

my $both = 'server_no_context_takeover; client_no_context_takeover';

for (
    ['permessage-deflate', {}],
    ['permessage-deflate; client_max_window_bits', {}],
    ['permessage-deflate; client_max_window_bits=10', {}],
    ['permessage-deflate; client_max_window_bits=8', {}],
    ["permessage-deflate; $both", {}],
    ['permessage-deflate ; server_no_context_takeover', {}],
    ["permessage-deflate;client_max_window_bits;$both", {}],
    (map { ["permessage-deflate; server_max_window_bits=$_",
            { server_max_window_bits => $_ }] } 9 .. 15),
    ['permessage-deflate; server_max_window_bits="11"',
        { server_max_window_bits => 11 }],
    ['permessage-deflate; server_max_window_bits=10; client_max_window_bits=9',
        { server_max_window_bits => 10 }],

    # the first that can be kept

    ['x-webkit-deflate-frame, permessage-deflate', {}],
    ['permessage-bzip2; level=9, permessage-deflate; foo=1, permessage-deflate',
        {}],
    ['permessage-deflate; server_max_window_bits=8, permessage-deflate', {}],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate',
        { server_max_window_bits => 10 }],
    ['permessage-deflate; server_max_window_bits=99, permessage-deflate;'
        . ' server_max_window_bits=12', { server_max_window_bits => 12 }],

    ['', undef],
    ['x-webkit-deflate-frame', undef],
    ['permessage-deflat', undef],
    ['permessage-deflate2', undef],
    ['permessage-deflate; unknown', undef],
    ['permessage-deflate; server_max_window_bits', undef],
    ['permessage-deflate; server_max_window_bits=8', undef],
    (map { ["permessage-deflate; server_max_window_bits=$_", undef] }
        0, 7, 16, '08', '010', '1 0', '+9', '0x9', 'x', '', '-9', 99999999999),
    (map { ["permessage-deflate; client_max_window_bits=$_", undef] }
        0, 7, 16, '09', 'x', ''),
    ['permessage-deflate; server_no_context_takeover=1', undef],
    ['permessage-deflate; client_no_context_takeover=true', undef],
    ['permessage-deflate; server_no_context_takeover;'
        . ' server_no_context_takeover', undef],
    ['permessage-deflate; server_max_window_bits=10;'
        . ' server_max_window_bits=10', undef],
    ['permessage-deflate; client_max_window_bits; client_max_window_bits=9',
        undef],
    ['permessage-deflate; =10', undef],
    ['permessage-deflate; server_max_window_bits="10', undef],
) {
    my ($offer, $wanted) = @$_;

    $ws = dial('/echo', deflate => $offer);

    my $answer = $ws->header('Sec-WebSocket-Extensions');

    if (!$wanted) {
        is $answer, undef, "not to be kept: $offer";

        $ws->send_text('plain');
        is $ws->message('text')->{data}, 'plain', 'then without';

        next;
    }

    my ($name, %params);

    for my $token (split /\s*;\s*/, $answer // '') {
        my ($key, $value) = split /=/, $token, 2;

        defined $name ? ($params{$key} = $value // '') : ($name = $key);
    }

    is $name, 'permessage-deflate', "taken: $offer";

    # 7.1.1: no context is kept, and the answer must say so; a limit of ours
    # is to be repeated, one of the client's only if it offered that

    is_deeply [map { $params{$_} } qw(server_no_context_takeover
                                       client_no_context_takeover)], ['', ''],
        'without context takeover';

    my ($client_bits) = $offer =~ /client_max_window_bits(?:=(\d+))?/;

    ok !exists $params{client_max_window_bits}
        || $offer =~ /client_max_window_bits/, 'of the client only if offered';

    my $bits = delete $params{server_max_window_bits};

    is $bits, $wanted->{server_max_window_bits}, 'the window of what we send';

    $ws->{bits} = $bits // 15;

    my $long = join '', map { chr(97 + rand 3) } 1 .. 5000;

    for my $said ($text, $long x 4) {
        echo_ok('text', $said, 'an echo in that window',
                frame(1, deflated($said), rsv => 4));
    }

    is $ws->faults, '', 'nothing wrong with the frames';
}

$ws = dial('/echo', deflate => 'permessage-deflate; foo',
           headers => ['Sec-WebSocket-Extensions' => 'nothing',
                       'Sec-WebSocket-Extensions' => 'permessage-deflate']);
ok $ws->{deflate}, 'in the second of two headers';

for my $path ('/off', '/plain') {
    $ws = dial($path);
    is $ws->header('Sec-WebSocket-Extensions'), undef, "$path: off";
    $ws->write(frame(1, deflated('{}'), rsv => 4));
    closes(1002, "$path: RSV1 that was not agreed on");
}

$ws = dial('/ws', deflate => undef);
is $ws->header('Sec-WebSocket-Extensions'), undef, 'not asked for';


# 7.2.3: the examples of the RFC

$ws = dial('/echo');

for (
    ['7.2.3.1, one block', 'f248cdc9c90700', 'Hello'],
    ['7.2.3.3, a block not compressed', '000500faff48656c6c6f00', 'Hello'],
    ['7.2.3.4, the last block marked', 'f348cdc9c9070000', 'Hello'],
    ['7.2.3.5, two blocks', 'f248050000 00ffff cac9c90700', 'Hello'],
    ['7.2.3.6, nothing', '00', ''],
) {
    my ($name, $hex, $said) = @$_;

    $hex =~ tr/ //d;
    my $bytes = pack 'H*', $hex;

    echo_ok('text', $said, $name, frame(1, $bytes, rsv => 4));
    echo_ok('text', $said, "$name, in fragments", fragments(1, $bytes, 1))
        if length $bytes > 1;
}

echo_ok('text', 'Hello', '7.2.3.1: in two fragments',
        frame(1, pack('H*', 'f248cd'), fin => 0, rsv => 4),
        frame(0, pack('H*', 'c9c90700')));


# messages of all sizes, all levels, fragments with control frames between

for my $size (0, 1, 63, 64, 125, 126, 1000, 65535, 65536, 1 << 20, 16 << 20) {
    my $some = join '', map { chr rand 256 } 1 .. 1000;
    my $said = substr $some x ($size / 1000 + 1), 0, $size;

    my $packed = deflated($said);

    echo_ok('binary', $said, "$size bytes", frame(2, $packed, rsv => 4));
    echo_ok('binary', $said, "$size bytes, plain", frame(2, $said));
    echo_ok('binary', $said, "$size bytes, in fragments",
            fragments(2, $packed, 1 + int length($packed) / 7))
        if length $packed > 7;
}

my $random = join '', map { chr rand 256 } 1 .. 70000;

echo_ok('binary', $random, 'what does not get smaller, as it was',
        frame(2, deflated($random), rsv => 4));

for my $level (0, 1, 9) {
    echo_ok('text', $text, "level $level",
            frame(1, deflated($text, level => $level), rsv => 4));
}

echo_ok('text', $text, 'a window of 9 bits',
        frame(1, deflated($text, bits => 9), rsv => 4));

my @parts = fragments(1, deflated($text), 9);

echo_ok('text', $text, 'control frames between',
        map { ($_, frame(9, 'x'), frame(10, '')) } @parts);
echo_ok('text', $text, 'empty fragments between',
        map { ($_, $_ eq $parts[-1] ? () : frame(0, '', fin => 0)) } @parts);

for my $byte (split //, join '', @parts) {
    $ws->write($byte);
}

echo_ok('text', $text, 'in single bytes');

is $ws->faults, '', 'nothing wrong with the frames';


# 6, 7.2.2, 8.1 of RFC 6455: what must not be

for my $path ('/echo', '/ws', '/both') {

    for (
        ['RSV1 in a ping', 1002, frame(9, '', rsv => 4)],
        ['RSV1 in a pong', 1002, frame(10, 'x', rsv => 4)],
        ['RSV1 in a close', 1002, frame(8, pack('n', 1000), rsv => 4)],
        ['RSV1 in a continuation', 1002,
            frame(1, deflated($text), fin => 0, rsv => 4)
            . frame(0, 'x', rsv => 4)],
        ['RSV1 in a continuation only', 1002,
            frame(1, '{', fin => 0) . frame(0, '}', rsv => 4)],
        ['RSV1 and RSV2', 1002, frame(1, deflated('{}'), rsv => 6)],
        ['RSV2', 1002, frame(1, '{}', rsv => 2)],
        ['RSV3', 1002, frame(1, deflated('{}'), rsv => 1)],
        ['garbage', 1007, frame(1, "\xff\xff\xff\xff", rsv => 4)],
        ['garbage in fragments', 1007,
            join '', fragments(1, "\xff\x00\xff\x00\xff\xff", 2)],
        ['text that is not compressed', 1007, frame(1, $text, rsv => 4)],
        ['half of it', 1007,
            frame(1, substr(deflated($text), 0, 20), rsv => 4)],
        ['a distance before the start', 1007,
            frame(1, pack('H*', '4b04120000'), rsv => 4)],
        ['no UTF-8 inside', 1007, frame(1, deflated("good \xff"), rsv => 4)],
        ['half a character inside', 1007,
            frame(1, deflated("\xe2\x82"), rsv => 4)],
        ['no UTF-8, in fragments', 1007,
            join '', fragments(1, deflated("abc\xed\xa0\x80abc" x 20), 3)],
        ['no UTF-8, not compressed', 1007, frame(1, "\xff")],
    ) {
        my ($name, $code, $bytes) = @$_;

        $ws = dial($path);
        $ws->write($bytes);
        closes($code, "$path, $name");
    }
}

# a long message is inflated as it comes: what is wrong is found out before its
# end, which never comes here

my $noise = join '', map { chr 32 + rand 64 } 1 .. 200000;

for (
    ['garbage', 1007, deflated($noise) . "\xff" x 100000],
    ['more than vidcast_max_message', 1009, deflated($noise . 'x' x (17 << 20))
                                            . "\x00" x 100000],
) {
    my ($name, $code, $data) = @$_;

    for my $frames (frame(1, $data, rsv => 4, length => length($data) + 1),
                    join '', (fragments(1, $data, 50000))[0 .. 4])
    {
        $ws = dial('/echo');
        $ws->write($frames);
        closes($code, "a long one, $name");
    }
}

for (
    ['no UTF-8', 1007, deflated("$noise\xff")],
    ['cut off', 1007, substr deflated($noise), 0, 150000],
) {
    my ($name, $code, $data) = @$_;

    $ws = dial('/echo');
    $ws->write(join '', fragments(1, $data, 20000));
    closes($code, "a long one, $name");
}


# a bomb: small on the wire

my $bomb = deflated('x' x 900000);

cmp_ok length $bomb, '<', 1000, 'a bomb';

for my $path ('/small', '/ws', '/both') {

    for my $frames (frame(1, $bomb, rsv => 4), join '', fragments(2, $bomb, 99))
    {
        $ws = dial($path);
        $ws->write($frames);
        closes(1009, "$path, a bomb");
    }
}

$ws = dial('/small');
echo_ok('text', 'x' x 1000, 'as long as vidcast_max_message',
        frame(1, deflated('x' x 1000), rsv => 4));
$ws->write(frame(1, deflated('x' x 1001), rsv => 4));
closes(1009, 'one more');


# results: compressed for those that can, the same for all; pictures are not

my %viewers = (
    plain   => dial('/ws', deflate => undef),
    off     => dial('/off'),
    one     => dial('/ws'),
    two     => dial('/both'),
    v1      => dial('/both', protocol => 'vidcast.v1'),
    bits_12 => dial('/ws', deflate => 'permessage-deflate;'
                                      . ' server_max_window_bits=12'),
    bits_9  => dial('/ws', deflate => 'permessage-deflate;'
                                      . ' server_max_window_bits=9'),
);

my %compressed = map { $_ => 1 } qw(one two v1 bits_12);

sub texts { grep { $_->{type} eq 'text' } @{$_[0]{inbox}} }

ok gather([values %viewers], sub {
    !grep { texts($_) < 60 } values %viewers;
}, 30), '60 results for each of them';

my %said;

for my $message (texts($viewers{plain})) {
    $said{decode_json($message->{data})->{seq}} = $message->{data};
}

for my $name (sort keys %viewers) {
    my @texts = texts($viewers{$name});

    is scalar(grep { $_->{compressed} } @texts),
        $compressed{$name} ? @texts : 0,
        "$name: " . ($compressed{$name} ? 'compressed' : 'plain');

    my ($differ, $common, $last, $gaps) = (0, 0, undef, 0);

    for my $message (@texts) {
        my $said = inflated($message, $name =~ /^bits_/ ? 12 : 15) // '{}';
        my $seq = decode_json($said)->{seq} // 0;

        $gaps++ if defined $last && $seq != $last + 1;
        $last = $seq;

        next if !defined $said{$seq};

        $common++;
        $differ++ if $said ne $said{$seq};
    }

    cmp_ok $common, '>=', 30, "$name: results that the plain one has, too";
    is $differ, 0, "$name: the same";
    is $gaps, 0, "$name: without a gap";
    is $viewers{$name}->faults, '', "$name: in right frames";
}

my ($packed) = texts($viewers{one});

cmp_ok length $packed->{data}, '<', length(inflated($packed)) / 2,
    'and much smaller';

for my $name (qw(two v1)) {
    my @pictures = grep { $_->{type} eq 'binary' } @{$viewers{$name}{inbox}};

    cmp_ok scalar @pictures, '>=', 10, "$name: pictures";
    is scalar(grep { $_->{compressed} } @pictures), 0, "$name: not compressed";

    my $offset = $name eq 'v1' ? unpack 'x6n', $pictures[0]{data} : 0;

    ok jpeg_info(substr $pictures[0]{data}, $offset), "$name: whole ones";
}

# told something of its own, and commands by the same way

$ws = dial('/ws?since=0123456789abcdef-5');

my $first = $ws->message('text');
my $result = decode_json(inflated($first));

ok $first->{compressed}, 'the first result of a resumed one';
ok $result->{reset}, 'which is told that its point is unknown';

$ws->write(frame(1, deflated('{"type":"subscribe","source":"none"}'),
                 rsv => 4));

ok gather([$ws], sub {
    grep { (decode_json(inflated($_))->{type} // '') eq 'error' } texts($ws);
}), 'a command, and the answer';

$ws->{inbox} = [];
$ws->write(frame(1, deflated('{"type":"pause"}'), rsv => 4)
           . frame(9, 'paused'));
ok $ws->message('pong'), 'a compressed pause';

$ws->{inbox} = [];
$ws->write(frame(9, 'x'));
is $ws->message->{type}, 'pong', 'nothing more comes';


unlike $nginx->error_log, qr/exited on signal/, 'nobody died';

$nginx->stop;

done_testing;
