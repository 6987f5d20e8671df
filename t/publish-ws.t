#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A WebSocket of pictures and texts into a source: whatever its frames look
# like, viewers get whole pictures, in order and unchanged; what breaks a rule
# is told so by the right close code; and of two publishers one is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF')->start;
vidcast_source door { input push:; frames auto 4m; results 64 2k; stale 1s; }

server {
    listen  127.0.0.1:%%PORT%% reuseport;

    add_header  X-Worker $pid always;

    location = /status  { vidcast_status; }
    location = /ws      { vidcast door send=both; }
    location = /results { vidcast door; }
    location = /shot    { vidcast door as=snapshot; }

    location = /publish { vidcast_publish door; }
    location = /take    { vidcast_publish door takeover=on; }

    location = /pinged {
        vidcast_ping     100ms timeout=200ms;
        vidcast_publish  door;
    }

    location = /anybody { vidcast_origin any; vidcast_publish door; }
}
CONF

my $port = $nginx->port;

sub publisher {
    my ($path, %args) = @_;

    return Vidcast::WebSocket->connect($port, $path // '/publish', %args);
}

sub publishers { source($nginx, 'door')->{published_by}{publishers} }

ok wait_for { source($nginx, 'door')->{error} eq 'no publisher' },
    'there is nobody';

my $ws = publisher();

ok $ws->accepted, 'a publisher';
ok wait_for { publishers() == 1 }, 'is there';
ok wait_for { source($nginx, 'door')->{error}
              eq 'the publisher sent nothing yet' }, 'silent so far';
is source($nginx, 'door')->{state}, 'off', 'so it is off';


# pictures of all sizes, which the frames' header tells in three ways

my $viewer = Vidcast::WebSocket->connect($port, '/ws');

for my $size (200, 300, 5000, 65535, 65536, 131071, 131072, 131073, 262144,
              1048576, 3500000, 4194304)
{
    my $jpeg = picture(32, 32, $size % 251);
    my $left = $size - length $jpeg;

    while ($left >= 4) {
        my $n = $left > 65537 + 4 ? 65000 : $left > 65000 ? 60000 : $left;

        $n = $left if $left <= 65000;
        $jpeg = comments($jpeg, chr($n % 256) x ($n - 4));
        $left = $size - length $jpeg;
    }

    $ws->send_binary($jpeg);

    my $message = $viewer->message('binary');

    ok $message && $message->{data} eq $jpeg,
        'a picture of ' . length($jpeg) . ' bytes';
}

is source($nginx, 'door')->{state}, 'live', 'it lives';
is source($nginx, 'door')->{captured}, 12, 'all counted';


# one after the other, as fast as TCP takes them: newest wins at the viewer,
# none is lost at the door

my @pictures = map { comments(picture(32, 32, $_), chr($_) x 20000) } 0 .. 199;

$viewer->attend;
$ws->attend;
$ws->send_binary($_) for @pictures;

my $seen = -1;
my $bad = 0;

ok wait_for {
    $viewer->parse;

    while (my $message = shift @{$viewer->{inbox}}) {
        my ($n) = grep { $pictures[$_] eq $message->{data} } 0 .. $#pictures;

        $bad++ if !defined $n || $n <= $seen;
        $seen = $n // $seen;
    }

    $viewer->fill;
    $seen == 199;
}, 'the last of 200 has come';

is $bad, 0, 'all were whole, and in order';
is source($nginx, 'door')->{captured}, 212, 'all counted';
is source($nginx, 'door')->{dropped}{ring_full}, 0, 'none dropped';


# fragments, with control frames between them, byte by byte

my $jpeg = picture(48, 48, 50);
my @parts = unpack '(a7)*', $jpeg;
my $bytes = '';

for my $i (0 .. $#parts) {
    $bytes .= frame($i ? 0 : 2, $parts[$i], fin => $i == $#parts);
    $bytes .= frame(9, "ping $i") if $i % 10 == 0;
    $bytes .= frame(0, '', fin => 0) if $i == 3;
}

$ws->{auto_pong} = 0;
$ws->write($_) for unpack '(a3)*', $bytes;

ok $viewer->message('binary')->{data} eq $jpeg, 'a picture in fragments';
is $ws->message('pong')->{data}, 'ping 0', 'a ping between them is answered';

# a text and a picture in one packet, several of each

$ws->write(join '', map { frame(1, "[$_]"), frame(2, picture(16, 16, $_)) }
           1 .. 5);

my @results = map { decode_json($viewer->message('text')->{data}) } 1 .. 5;

is join(' ', map { $_->{result}[0] } @results), '1 2 3 4 5', 'texts';
is join(' ', map { $_->{seq} } @results), '1 2 3 4 5', 'in order';

ok wait_for { get($port, '/shot')->{body} eq picture(16, 16, 5) },
    'and the last picture';

my $frame = source($nginx, 'door')->{frame};

cmp_ok $results[4]{frame}, '>=', $frame - 1, 'a text is of the newest frame';

$ws->write(join '', frame(1, '{"a":', fin => 0), frame(9, 'x'),
           frame(0, "\"\xe2\x82", fin => 0), frame(0, "\xac\"}"));

is decode_json($viewer->message('text')->{data})->{result}{a}, "\x{20ac}",
    'a text in fragments';

# many texts: none is skipped

my $reader = Vidcast::WebSocket->connect($port, '/results');

$reader->message('text');

my $first = source($nginx, 'door')->{result};

$ws->write(join '', map { frame(1, "\"$_\"") } 1 .. 50);

my @texts = map { decode_json($reader->message('text')->{data}) } 1 .. 50;

is join(' ', map { $_->{result} } @texts), join(' ', 1 .. 50), 'fifty texts';


# a second one is refused, by POST as well, unless it may take over

for (1 .. 6) {
    my $second = publisher();

    is $second->closed_with, 1008, 'a second publisher';
    is $second->{close}{reason}, 'another publisher is there', 'it says why';
    ok $second->wait_eof, 'and ends';

    my $response = request($port, '/publish', method => 'POST',
                           body => $jpeg);

    is $response->{status}, 409, 'by POST';
    is $response->{body}, "another publisher is there\n", 'it says why';
}

for (1 .. 6) {
    my $next = publisher('/take');

    $next->send_binary(picture(16, 16, 100 + $_));

    is $ws->closed_with, 1008, 'a new one takes over';
    is $ws->{close}{reason}, 'another publisher took over', 'it says why';
    ok wait_for { get($port, '/shot')->{body} eq picture(16, 16, 100 + $_) },
        'and publishes';

    $ws = $next;
}

is request($port, '/take', method => 'POST', body => $jpeg)->{status}, 204,
    'so does a POST';
is $ws->closed_with, 1008, 'the one before has left';
ok wait_for { publishers() == 0 }, 'nobody is there';


# what is wrong, and must be told by its code

my $told;

sub closes {
    my ($code, $name, @frames) = @_;

    my $ws = publisher();
    my $before = source($nginx, 'door')->{captured};

    $ws->write_and_read(join '', @frames);

    is $ws->closed_with, $code, "$code: $name";
    $told = $ws->{close}{reason};
    $ws->send_close($code);
    ok $ws->wait_eof, 'and ends';
    is source($nginx, 'door')->{captured}, $before, 'no frame';
    ok wait_for { publishers() == 0 }, 'it has left';
}

closes(1007, 'no JPEG', frame(2, 'hello'));
closes(1007, 'nothing', frame(2, ''));
closes(1007, 'a JPEG that was cut', frame(2, substr $jpeg, 0, -1));
is $told, 'a truncated JPEG: its end is missing', 'it says why';
closes(1007, 'a length that is a lie',
       frame(2, "\xff\xd8\xff\xe0\xff\xff" . "\0" x 100 . "\xff\xd9"));
closes(1009, 'too large', frame(2, 'x', length => 4194305));
closes(1009, 'a lie of size', frame(2, 'x', length => 2 ** 62));
closes(1009, 'too large by fragments', frame(2, 'x' x 4000000, fin => 0),
       frame(0, 'x', length => 194305));
closes(1007, 'no JSON', frame(1, 'hello'));
closes(1007, 'half a text', frame(1, '{"a":'));
closes(1007, 'two texts', frame(1, '1 2'));
closes(1007, 'an empty text', frame(1, ''));
closes(1007, 'no UTF-8', frame(1, "\"\xff\""));
closes(1009, 'a text too large', frame(1, '"' . 'x' x 2047 . '"'));
closes(1009, 'a large text in fragments', frame(1, '"' . 'x' x 2000, fin => 0),
       frame(0, 'x' x 100 . '"'));
closes(1009, 'a text with what belongs to it', frame(1, '"' . 'x' x 2000 . '"'));
closes(1009, 'a text as large as a picture',
       frame(1, '"' . 'x' x 3000000 . '"'));
closes(1002, 'not masked', frame(2, $jpeg, mask => 0));
closes(1002, 'RSV', frame(2, $jpeg, rsv => 4));
closes(1002, 'an unknown opcode', frame(3, $jpeg));
closes(1002, 'a continuation of nothing', frame(0, $jpeg));
closes(1002, 'a picture in a text', frame(1, '"', fin => 0), frame(2, $jpeg));
closes(1000, 'good-bye', frame(8, pack 'n', 1000));

# gone in the middle of a message: nothing is left of it

for my $cut (1, 5, 20, 100, 5000, 100000) {
    my $ws = publisher();

    $ws->write(substr frame(2, comments($jpeg, ('x' x 60000) x 4)), 0, $cut);
    ok wait_for { publishers() == 1 }, 'half a message';
    $ws->close;
    ok wait_for { publishers() == 0 }, "of $cut bytes, and gone";
}

my $pins = source($nginx, 'door')->{pins};

cmp_ok $pins, '<=', 4, 'no slot is held';

is request($port, '/publish', method => 'POST', body => $jpeg)->{status}, 204,
    'the next one publishes';


# pings

my $dead = publisher('/pinged', auto_pong => 0);

ok $dead->message('ping'), 'a ping';
ok $dead->wait_eof, 'one that does not answer is closed';

my $lively = publisher('/pinged');

ok gather([$lively], sub { ($lively->{pings} // 0) >= 3 }), 'what does stays';
$lively->send_binary($jpeg);
$lively->close;

# what may come

is publisher('/publish', origin => 'http://evil.example')->status, 403,
    'a page of another site';
is publisher('/anybody', origin => 'http://evil.example')->status, 101,
    'of any';
ok wait_for { publishers() == 0 }, 'left';

my $offered = publisher('/publish', deflate => 'permessage-deflate');

ok $offered->accepted, 'deflate is offered';
ok !$offered->{deflate}, 'and not taken';
$offered->send_close(1000);
is $offered->closed_with, 1000, 'good-bye';

is request($port, '/publish', headers => [Upgrade => 'websocket'])->{status},
    400, 'half a handshake';
is request($port, '/publish', headers => [
        Upgrade => 'websocket', Connection => 'upgrade',
        'Sec-WebSocket-Version' => 12])->{status}, 426, 'another version';


# a viewer that stops reading costs pictures of its own only: the publisher
# goes on, and is never closed

my $stuck = Vidcast::WebSocket->connect($port, '/ws',
                                        client => { recv_buffer => 4096 });

$ws = publisher();
$ws->attend;

my @large = map { comments(picture(16, 16, $_), ('x' x 60000) x 16) } 1 .. 3;
my $before = source($nginx, 'door')->{captured};

$ws->send_binary($large[$_ % 3]) for 1 .. 60;

ok wait_for { source($nginx, 'door')->{captured} == $before + 60 },
    'sixty large ones, beside a stuck viewer';
ok !$ws->eof, 'the publisher is still there';
is source($nginx, 'door')->{dropped}{ring_full}, 0, 'none dropped';

$_->close for $ws, $stuck, $viewer, $reader;

ok wait_for { source($nginx, 'door')->{state} eq 'stale' }, 'stale';
ok wait_for { source($nginx, 'door')->{state} eq 'off' }, 'off';
is source($nginx, 'door')->{error}, 'no publisher', 'nobody is there';

$nginx->stop;

done_testing;
