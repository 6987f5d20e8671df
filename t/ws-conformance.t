#!/usr/bin/perl

# Copyright (C) vidcast contributors

# RFC 6455 from section 5 on, by its numbers, at an echo, which has to bring
# back all that it got, and at viewers' locations, which have to understand
# the same bytes while results and pictures go the other way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(shuffle);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<'CONF')->start;
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  delay time=5ms;
}

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% sndbuf=16k;

    location /echo   { vidcast_echo; vidcast_max_message 16m; }
    location /small  { vidcast_echo; vidcast_max_message 1000; }
    location /ws     { vidcast; vidcast_max_message 16m; }
    location /both   { vidcast front as=websocket send=both; }
}
CONF

srand 6455;

my @places = qw(/echo /ws /both);
my $euro = "\xe2\x82\xac";
my $ws;


sub dial {
    my ($path, @args) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port, $path, @args);

    $ws->accepted or die "no handshake at $path: ", $ws->status, "\n";

    return $ws;
}


# is the message there, as it is?  A large one is not for the log

sub same {
    my ($message, $type, $data, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return fail("$name: no message") if !$message;

    return is $message->{type}, $type, $name if $message->{type} ne $type;

    return is length($message->{data}), length $data, "$name: length"
        if length $message->{data} != length $data;

    return ok $message->{data} eq $data, $name;
}


sub echo_of {
    my ($type, $data, $name, @frames) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $ws->write_and_read(join '', @frames);

    return same($ws->message('text', 'binary', 'close', 60), $type, $data,
                $name);
}


# the connection works, and what was sent before has been read

sub alive {
    my ($name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $text = 'alive ' . rand;

    $ws->send_ping($text);

    my $pong = $ws->message('pong', 'close');

    return is $pong && $pong->{data}, $text, $name;
}


# a close frame with this code, and TCP ends in order

sub closes {
    my ($code, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $ws->closed_with, $code, "$name: $code";
    ok $ws->wait_eof && !$ws->{reset}, "$name: then TCP ends";
}


# bytes in pieces of a size, each in a segment of its own

sub trickle {
    my ($bytes, $size) = @_;

    $ws->write($_) for unpack "(a$size)*", $bytes;
}


sub random_bytes {
    my ($size) = @_;

    my $some = join '', map { chr rand 256 } 1 .. 997;

    return substr $some x ($size / 997 + 1), 0, $size;
}


sub fragments {
    my ($opcode, $data, $size) = @_;

    my @part = unpack "(a$size)*", $data;

    return map {
        frame($_ ? 0 : $opcode, $part[$_], fin => $_ == $#part);
    } 0 .. $#part;
}


# 5.2: all lengths, in their three forms

$ws = dial('/echo');

for my $size (0, 1, 2, 124 .. 129, 254 .. 257, 65534 .. 65537, 131072,
              1 << 20, 16 << 20)
{
    my $bytes = random_bytes($size);

    echo_of('binary', $bytes, "5.2: $size bytes", frame(2, $bytes));
    echo_of('text', '*' x $size, "5.2: $size characters", frame(1, '*' x $size))
        if $size < 1 << 24;
}

echo_of('text', $euro x 5592405, '5.2: a text of 16 MB',
        frame(1, $euro x 5592405));

is $ws->faults, '', '5.2: in the shortest form, without a mask, no RSV';

for my $size (125, 126, 127, 128, 1000, 65535, 65536) {
    my $bytes = random_bytes($size);

    trickle(frame(2, $bytes), $size > 1000 ? 997 : 1);
    same($ws->message, 'binary', $bytes, "5.2: $size bytes, piece by piece");
}

# messages behind each other, in one write

my @many = map { random_bytes(int rand 400) } 1 .. 500;

$ws->write_and_read(join '', map { frame(2, $_) } @many);

my @back = map { ($ws->message // {})->{data} // '-' } @many;

ok "@back" eq "@many", '5.2: 500 messages at once come back in order';

# larger than all buffers between, and more behind while it leaves

@many = map { random_bytes($_) } 4 << 20, 5, 3 << 20, 0, 2 << 20, 70000, 126;

$ws->write_and_read(join '', map { frame(2, $_) } @many);
@back = map { ($ws->message(60) // {})->{data} // '-' } @many;

is join(' ', map { length } @back), join(' ', map { length } @many),
    '5.2: large and small ones by turns';
ok "@back" eq "@many", '5.2: each as it was';

# 5.2: what must not be

for my $path (@places) {

    for (
        ['RSV1', frame(1, '{}', rsv => 4)],
        ['RSV2', frame(1, '{}', rsv => 2)],
        ['RSV3', frame(2, '{}', rsv => 1)],
        ['all RSV bits', frame(1, '', rsv => 7)],
        ['RSV1 in a ping', frame(9, 'x', rsv => 4)],
        ['RSV2 in a pong', frame(10, '', rsv => 2)],
        ['RSV3 in a close', frame(8, pack('n', 1000), rsv => 1)],
        ['RSV1 in a continuation',
            frame(1, 'a', fin => 0) . frame(0, 'b', rsv => 4)],
        ['RSV1, byte by byte', frame(1, 'hello', rsv => 4), 1],
        (map { ["opcode $_", frame($_, '')] } 3 .. 7, 11 .. 15),
        (map { ["opcode $_ with data", frame($_, 'x' x 20)] } 3, 7, 11, 15),
        ['opcode 4 between fragments',
            frame(1, 'a', fin => 0) . frame(4, '')],
        ['0 in 16 bits', frame(2, '', form => 16)],
        ['125 in 16 bits', frame(1, 'x' x 125, form => 16)],
        ['125 in 64 bits', frame(1, 'x' x 125, form => 64)],
        ['65535 in 64 bits', frame(2, 'x' x 65535, form => 64)],
        ['126 in 64 bits, byte by byte', frame(1, 'x' x 126, form => 64), 1],
        ['the top bit of the length',
            frame(1, '', form => 64, length => (1 << 63) + 5)],

        # 5.1: a client must mask

        ['a text not masked', frame(1, '{}', mask => 0)],
        ['an empty one not masked', frame(2, '', mask => 0)],
        ['a ping not masked', frame(9, 'x', mask => 0)],
        ['a pong not masked', frame(10, '', mask => 0)],
        ['a close not masked', frame(8, pack('n', 1000), mask => 0)],
        ['a fragment not masked',
            frame(1, 'a', fin => 0) . frame(0, 'b', mask => 0)],

        # 5.4

        ['a continuation of nothing', frame(0, 'x')],
        ['an open one of nothing', frame(0, 'x', fin => 0)],
        ['a continuation behind the last',
            frame(9, 'x') . frame(0, 'x', fin => 1)],
        ['a text in a text', frame(1, 'a', fin => 0) . frame(1, 'b')],
        ['a binary in a text', frame(1, 'a', fin => 0) . frame(2, 'b')],
        ['a begun text in a text',
            frame(1, 'a', fin => 0) . frame(1, 'b', fin => 0)],
        ['a text in a text, byte by byte',
            frame(1, 'a', fin => 0) . frame(1, 'b'), 1],

        # 5.5

        ['a ping of 126', frame(9, 'x' x 126)],
        ['a pong of 126', frame(10, 'x' x 126)],
        ['a close of 126', frame(8, pack('n', 1000) . 'x' x 124)],
        ['a ping of 65536', frame(9, 'x' x 65536)],
        ['a ping in fragments', frame(9, 'x', fin => 0) . frame(0, 'y')],
        ['a pong in fragments', frame(10, '', fin => 0)],
        ['a close in fragments', frame(8, pack('n', 1000), fin => 0)],
    ) {
        my ($name, $bytes, $size) = @$_;

        $ws = dial($path);

        $size ? trickle($bytes, $size) : $ws->write($bytes);
        closes(1002, "$path, $name");
    }
}


# 5.4: fragments

$ws = dial('/echo');

for (
    ['two', 1, 'Hello', 3],
    ['of one byte', 2, random_bytes(300), 1],
    ['of 64 kB', 2, random_bytes(1 << 20), 65536],
    ['of 256 bytes', 2, random_bytes(1 << 20), 256],
    ['characters torn', 1, $euro x 1000, 1],
    ['characters torn otherwise', 1, $euro x 1000, 4],
    ['65,536 of one byte', 1, 'x' x 65536, 1],
    ['65,536 of 256 bytes', 2, random_bytes(16 << 20), 256],
) {
    my ($name, $opcode, $data, $size) = @$_;

    echo_of($opcode == 1 ? 'text' : 'binary', $data, "5.4: fragments, $name",
            fragments($opcode, $data, $size));
}

echo_of('text', '', '5.4: empty fragments', frame(1, '', fin => 0),
        frame(0, '', fin => 0), frame(0, ''));
echo_of('text', 'middle', '5.4: empty ones around', frame(1, '', fin => 0),
        frame(0, 'middle', fin => 0), frame(0, ''));
echo_of('binary', 'ab', '5.4: an empty one within', frame(2, 'a', fin => 0),
        (frame(0, '', fin => 0)) x 1000, frame(0, 'b'));
echo_of('binary', '', '5.4: 65,536 empty ones', frame(2, '', fin => 0),
        (frame(0, '', fin => 0)) x 65534, frame(0, ''));

trickle(join('', fragments(1, 'byte by byte', 5)), 1);
same($ws->message, 'text', 'byte by byte', '5.4: fragments in single bytes');

for my $path (@places) {
    $ws = dial($path);

    # 5.4, 5.5: control frames between

    my @parts = fragments(1, '{"type":"fps","value":0}', 3);

    $ws->write(join '', map { ($parts[$_], frame(9, "ping $_"),
                               frame(10, 'unsolicited')) } 0 .. $#parts);

    my @pongs = map { ($ws->message('pong') // {})->{data} // '-' } @parts;

    is "@pongs", join(' ', map { "ping $_" } 0 .. $#parts),
        "$path, 5.4: pings between fragments";
    alive("$path, 5.4: the message did no harm");

    # 5.5.2, 5.5.3

    for my $payload ('', 'x', random_bytes(124), random_bytes(125),
                     "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")
    {
        $ws->send_ping($payload);
        same($ws->message('pong'), 'pong', $payload,
             "$path, 5.5.2: a ping of " . length $payload);
    }

    $ws->write(join '', map { frame(9, random_bytes(125) . '') } 1 .. 99);
    $ws->send_ping('the last');

    ok gather([$ws], sub {
        my ($newest) = reverse grep { $_->{type} eq 'pong' } @{$ws->{inbox}};

        return $newest && $newest->{data} eq 'the last';
    }), "$path, 5.5.2: of 100 pings the last one is answered, too";

    $ws->{inbox} = [];

    trickle(frame(9, 'slowly'), 1);
    same($ws->message('pong'), 'pong', 'slowly',
         "$path, 5.5.2: a ping in single bytes");

    $ws->write(join '', map { frame(10, $_) } '', 'x', random_bytes(125));
    alive("$path, 5.5.3: pongs that nobody asked for");

    is $ws->faults, '', "$path: nothing wrong with the frames";

    # bytes that come along with the handshake

    for my $bytes (frame(9, 'early'), frame(9, 'early') . frame(1, '{}'),
                   frame(1, '{', fin => 0) . frame(9, 'early') . frame(0, '}'))
    {
        $ws = dial($path, after => $bytes);
        same($ws->message('pong'), 'pong', 'early',
             "$path, 4.1: with the handshake");
        alive("$path, 4.1: and it goes on");
    }

    $ws = dial($path, after => substr frame(9, 'torn'), 0, 5);
    $ws->write(frame(9, 'x'));
    ok $ws->message('pong', 'close'), "$path, 4.1: half a frame with it";

    $ws = dial($path, after => frame(8, pack 'n', 1000));
    closes(1000, "$path, 4.1: a close with the handshake");

    $ws = dial($path, after => frame(1, '{}', mask => 0));
    closes(1002, "$path, 4.1: nonsense with the handshake");
}

# larger than the buffer that nginx reads the handshake into would be, and more
# than fits between

my $early = random_bytes(700);

$ws = dial('/echo', after => join '', map { frame(2, $early) } 1 .. 200);

is scalar(grep { my $m = $ws->message; $m && $m->{data} eq $early } 1 .. 200),
    200, '4.1: 200 messages with the handshake';


# 5.5.2: while something large leaves

for my $round (1 .. 3) {
    $ws = Vidcast::WebSocket->connect($nginx->port(1), '/echo',
                                      client => { recv_buffer => 4096 });

    my $large = random_bytes(3 << 20);

    $ws->write(frame(2, $large));
    $ws->until_some(sub { length $ws->{buffer} > 100 ? 1 : undef });
    $ws->write(join '', map { frame(9, "$round $_") } 1 .. 50);

    if ($round == 2) {
        $ws->write(join '', frame(2, 'next') . frame(9, 'behind'));

    } elsif ($round == 3) {
        $ws->send_close(1000);
    }

    same($ws->message('binary', 'pong', 'close', 60), 'binary', $large,
         '5.5.2: pings do not tear a message');

    # a pong that could not leave yet may be passed by a message; none is due
    # any more to what has sent a close frame

    my ($pong, $next, $close);

    ok gather([$ws], sub {
        for my $message (@{$ws->{inbox}}) {
            my $what = "$message->{type} $message->{data}";

            $pong = 1 if $what eq "pong $round 50";
            $next = 1 if $what eq 'binary next';
            $close = 1 if $message->{type} eq 'close';
        }

        return $round == 3 ? $pong || $close : $pong && ($next || $round == 1);
    }), '5.5.2: and are answered behind it';

    if ($round == 2) {
        same((grep { $_->{type} eq 'binary' } @{$ws->{inbox}})[0], 'binary',
             'next', '5.5.2: the next one');
        ok gather([$ws], sub {
            my ($last) = reverse @{$ws->{inbox}};

            return $last->{type} eq 'pong' && $last->{data} eq 'behind';
        }), '5.5.2: the ping behind, at last';

    } elsif ($round == 3) {
        closes(1000, '5.5.1: a close behind a large message');
    }

    is $ws->faults, '', '5.5.2: nothing wrong with the frames';
}

# the same pings to one that does not read at all: whatever was dropped, what
# arrives is whole, and the last one is there

for my $size (0, 3, 60, 125) {
    my ($fast) = $ws = Vidcast::WebSocket->connect($nginx->port(1), '/both',
                                       client => { recv_buffer => 2048 });

    for my $n (1 .. 3000) {
        $fast->write(frame(9, random_bytes($size ? int rand $size : 0)));
    }

    $fast->send_ping('the last');

    ok gather([$fast], sub {
        my $found = grep { $_->{type} eq 'pong' && $_->{data} eq 'the last' }
            @{$fast->{inbox}};

        @{$fast->{inbox}} = () if !$found;
        return $found;
    }, 30), "5.5.2: 3000 pings up to $size bytes, unread: the last is answered";

    is $fast->faults, '', '5.5.2: nothing wrong with the frames';
    $fast->close;
}


# 5.6, 8.1: UTF-8

my @valid = ('', 'a', "\x00", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
    "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xef\xbf\xbe",
    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", "$euro\xf0\x9f\x8e\xa5\xc3\xa4"
);

my @invalid = ("\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f",
    "\xc2\xc2", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x28\xa1",
    "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80",
    "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x8e", "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
    "\xfe", "\xff", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80ed"
);

$ws = dial('/echo');

for my $text (@valid) {
    my $name = '5.6: ' . unpack('H*', $text) . ' is UTF-8';

    echo_of('text', "<$text>", $name, frame(1, "<$text>"));
    echo_of('text', "$text$text", "$name, in fragments",
            fragments(1, "$text$text", 1)) if length $text;
}

for my $text (@valid, @invalid) {
    echo_of('binary', $text, '5.6: binary is not looked at', frame(2, $text));
}

for my $path (@places) {

    for my $text (@invalid) {
        my $name = "$path, 8.1: " . unpack 'H*', $text;

        $ws = dial($path);
        $ws->send_text("<$text");
        closes(1007, "$name in a text");

        $ws = dial($path);
        $ws->write(join '', fragments(1, "<<$text", 1));
        closes(1007, "$name in fragments");

        $ws = dial($path);
        $ws->send_frame(8, pack('n', 1000) . $text);
        closes(1007, "$name in a reason");
    }

    # at once, before the frame or the message has ended

    $ws = dial($path);
    $ws->write(frame(1, "good\xff", length => 100));
    closes(1007, "$path, 8.1: in a frame that has not ended");

    $ws = dial($path);
    $ws->write(frame(1, "good", fin => 0) . frame(0, "\xed\xa0", fin => 0));
    closes(1007, "$path, 8.1: in a message that has not ended");

    $ws = dial($path);
    trickle(substr(frame(1, "\xf4\x90\x80\x80"), 0, 8), 1);
    closes(1007, "$path, 8.1: with the second byte");

    $ws = dial($path);
    $ws->write(frame(1, "$euro", fin => 0) . frame(9, 'between')
               . frame(0, "\x82"));
    same($ws->message('pong'), 'pong', 'between', "$path, 8.1: a ping between");
    closes(1007, "$path, 8.1: a ping does not forget");
}


# 5.5.1, 7.4: close codes and reasons

for my $path (@places) {

    for my $code (1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999) {
        $ws = dial($path);
        $ws->send_close($code, $code % 2 ? 'why ' . $euro : '');
        closes($code, "$path, 7.4: $code is right");
        is $ws->faults, '', "$path, 7.4: nothing behind it";
    }

    for my $code (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000,
                  2999, 5000, 65535)
    {
        $ws = dial($path);
        $ws->send_close($code);
        closes(1002, "$path, 7.4: $code is wrong");
    }

    $ws = dial($path);
    $ws->send_frame(8, '');
    closes(1005, "$path, 7.1.5: no code");
    is $ws->{close}{data}, '', "$path, 7.1.5: none back";

    $ws = dial($path);
    $ws->send_frame(8, "\x03");
    closes(1002, "$path, 5.5.1: one byte");

    $ws = dial($path);
    $ws->send_close(1000, 'x' x 123);
    closes(1000, "$path, 5.5.1: a reason of 123 bytes");

    $ws = dial($path);
    trickle(frame(8, pack('n', 3000) . 'slowly'), 1);
    closes(3000, "$path, 5.5.1: byte by byte");

    # what comes behind a close is of no interest

    for my $bytes (frame(9, 'x'), frame(1, 'x'), frame(8, ''), "\xff" x 50,
                   frame(2, 'x' x 100000))
    {
        $ws = dial($path);
        $ws->write(frame(8, pack 'n', 1001) . $bytes);
        is $ws->closed_with, 1001, "$path, 1.4: what is behind a close";
        ok $ws->wait_eof, "$path, 1.4: is dropped";
        is $ws->faults, '', "$path, 1.4: and not answered";
    }

    $ws = dial($path);
    $ws->write(frame(1, '{', fin => 0) . frame(8, pack 'n', 1000));
    closes(1000, "$path, 5.5.1: between fragments");
}


# 7.1: what just goes

$ws = dial('/echo');
$ws->write(frame(2, 'the last') . frame(8, pack 'n', 1000));
$ws->half_close;
same($ws->message, 'binary', 'the last', '7.1.1: half-closed, the echo comes');
closes(1000, '7.1.1: half-closed behind a close');

for my $path (@places) {
    $ws = dial($path);
    $ws->half_close;
    ok $ws->wait_eof, "$path, 7.1.1: what half-closes without a word is let go";

    $ws = dial($path);
    $ws->write(substr frame(1, 'half of it'), 0, 7);
    $ws->half_close;
    ok $ws->wait_eof, "$path, 7.1.1: also in the middle of a frame";

    $ws = dial($path, after => frame(8, pack 'n', 1000));
    $ws->half_close;
    closes(1000, "$path, 7.1.1: handshake, close and FIN");
}

$ws = Vidcast::WebSocket->connect($nginx->port(1), '/echo',
                                  client => { recv_buffer => 4096 });

my $large = random_bytes(1 << 20);

$ws->write(frame(2, $large) . frame(2, 'more'));
$ws->half_close;
same($ws->message(60), 'binary', $large, '7.1.1: half-closed, all of it comes');
same($ws->message, 'binary', 'more', '7.1.1: and what was behind it');
ok $ws->wait_eof, '7.1.1: then the connection ends';


# 10.4: limits

$ws = dial('/small');
echo_of('text', 'x' x 1000, '10.4: as long as vidcast_max_message',
        frame(1, 'x' x 1000));
echo_of('text', 'x' x 1000, '10.4: in fragments, too',
        fragments(1, 'x' x 1000, 7));

for (
    ['1001 bytes', frame(1, 'x' x 1001)],
    ['1001 bytes in fragments', fragments(2, 'x' x 1001, 100)],
    ['a header alone', substr frame(2, '', length => 1 << 40, form => 64),
                              0, 14],
    ['2^63 - 1', frame(2, '', form => 64, length => (1 << 63) - 1)],
    ['a first fragment, then 2^62', frame(2, 'x', fin => 0),
                     frame(0, '', form => 64, length => (1 << 62))],
) {
    my ($name, @frames) = @$_;

    $ws = dial('/small');
    $ws->write(join '', @frames);
    closes(1009, "10.4: $name");
}

# the peer is still sending: it must see the close frame, not a reset

for my $path ('/small', '/both') {
    $ws = dial($path);
    $ws->write_and_read(frame(2, 'x' x (4 << 20)));
    closes(1009, "$path, 10.4: in the middle of 4 MB");

    $ws = dial($path);
    $ws->write_and_read(frame(3, 'x') . frame(2, 'x' x (4 << 20)));
    closes(1002, "$path, 10.4: 4 MB behind a fault");
}


unlike $nginx->error_log, qr/exited on signal/, 'nobody died';

$nginx->stop;


# an echo needs no source

$nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF')->start;
server {
    listen  127.0.0.1:%%PORT%%;

    location /echo    { vidcast_echo; }
    location /status  { vidcast_status; }
}
CONF

is scalar(grep { $_->{title} =~ /vidcast (?:manager|capture)/ }
          $nginx->processes), 0, 'without a source: no process of ours';

for my $round (1 .. 2) {
    $ws = dial('/echo');
    echo_of('text', 'here', 'without a source', frame(1, 'here'));
    is get($nginx->port, '/status')->{status}, 200, 'without a source: status';

    ok $nginx->reload, 'without a source: reload';
    is $ws->closed_with, 1001, 'without a source: 1001';
}

$ws = dial('/echo');
$nginx->signal('QUIT');
is $ws->closed_with, 1001, 'without a source: 1001 when nginx quits';
$ws->send_close(1001);
ok $ws->wait_eof, 'without a source: then TCP ends';

$nginx->stop;

done_testing;
