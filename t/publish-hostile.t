#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Whoever may publish may still mean harm, or be broken: pictures which are
# something else, bodies that end anywhere, messages in more pieces than they
# have bytes, texts made to exhaust what reads them.  Each is refused and
# counted, or is no more than what it is; the viewers see the pictures of the
# others, whole and at once, and no process dies of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF',
vidcast_source door {
    input    push:;
    frames   auto 64k;
    predict  motion;
}

vidcast_source talk { input push:; frames auto 256k; results 16 256k; }

server {
    listen  127.0.0.1:%%PORT%% reuseport;

    client_body_timeout   1s;
    client_max_body_size  1m;

    location = /status  { vidcast_status; }
    location = /ws      { vidcast door send=frames; }
    location = /told    { vidcast door; }
    location = /results { vidcast talk; }
    location = /say     { vidcast_publish talk; }
    location = /boxes   { vidcast door as=mjpeg overlay=on; }

    location = /publish { vidcast_publish door; }
    location = /take    { vidcast_publish door takeover=on; }
    location = /hasty   { vidcast_publish door timeout=1s; }
    location = /chat    { vidcast_publish talk timeout=1s; }
}
CONF

    # the predictor is not spared what is said to be a picture

    allow => [ qr/"door" failed: the frame could not be decoded/ ])->start;

my $port = $nginx->port;
my $shade = 0;

ok wait_for { processes('capture') =~ / / }, 'both captures run';
ok wait_for { (source($nginx, 'door')->{state} // '') eq 'off' }, 'off';

my %pids = map { $_ => processes($_) } qw(worker capture manager);
my $viewer = Vidcast::WebSocket->connect($port, '/ws');
my $reader = Vidcast::WebSocket->connect($port, '/results');
my $boxes = Vidcast::Client->new(port => $port);

$boxes->write("GET /boxes HTTP/1.1\r\nHost: a\r\n\r\n");
$_->attend for $viewer, $reader, $boxes;

works('at first');

jpegs();
bomb();
cut_bodies();
bad_bodies();
fragments();
cut_messages();
texts();
takeovers();
slow();
out_of_time();

is processes($_), $pids{$_}, "the same processes: $_" for sort keys %pids;
is $viewer->faults, '', 'nothing was wrong at the viewer';
is source($nginx, 'door')->{dropped}{ring_full}, 0, 'no frame was dropped';

$nginx->stop;

done_testing;


sub processes {
    my ($kind) = @_;

    return join ' ', sort map { $_->{pid} } $nginx->processes($kind);
}


sub post {
    my ($body, $type, $path) = @_;

    return request($port, $path // '/publish', method => 'POST', body => $body,
                   headers => [ 'Content-Type' => $type // 'image/jpeg' ]);
}


sub publisher {
    my ($path) = @_;

    return Vidcast::WebSocket->connect($port, $path // '/publish')->attend;
}


sub refused { source($nginx, $_[0] // 'door')->{published_by}{refused} }
sub captured { source($nginx, 'door')->{captured} }

sub publishers {
    my ($n, $name) = @_;

    return wait_for {
        source($nginx, $name // 'door')->{published_by}{publishers} == $n
    };
}

sub alone { publishers(0, @_) }


# the next picture gets through, to one that looked on all the time

sub works {
    my ($name) = @_;

    my $jpeg = picture(64, 48, 20 + ++$shade % 200);

    is post($jpeg)->{status}, 204, "$name: a picture is taken";
    ok seen($jpeg), 'and seen';
}


sub seen {
    my ($jpeg) = @_;

    return wait_for {
        $viewer->fill;
        $viewer->parse;

        while (my $message = shift @{$viewer->{inbox}}) {
            return 1 if $message->{data} eq $jpeg;
        }

        return 0;
    };
}


# another header of the frame; "pad" makes the file larger

sub patched {
    my ($pad, $offset, $bytes) = @_;

    my $jpeg = picture(64, 48, 100);
    my $sof = index $jpeg, "\xff\xc0";

    substr($jpeg, $sof + $offset, length $bytes) = $bytes;

    return $pad ? comments($jpeg, 'x' x $pad) : $jpeg;
}


sub jpegs {
    my $size = sub { pack 'nn', @_ };

    my %refused = (
        '65500x65500' => patched(0, 5, $size->(65500, 65500)),
        '65500x65500, larger' => patched(60000, 5, $size->(65500, 65500)),
        '16384x16384' => patched(60000, 5, $size->(16384, 16384)),
        '1x65535' => patched(0, 5, $size->(65535, 1)),
        '8192x8192, of nothing' => patched(0, 5, $size->(8192, 8192)),
        'no height' => patched(0, 5, $size->(0, 64)),
        'no width' => patched(0, 5, $size->(48, 0)),
        '12 bits' => patched(0, 4, "\x0c"),
        'arithmetic' => patched(0, 1, "\xc9"),
        'arithmetic, progressive' => patched(0, 1, "\xca"),
        'lossless' => patched(0, 1, "\xc3"),
        'two components' => patched(0, 9, "\2"),
        'GIF' => 'GIF89a' . "\0" x 100,
        'PNG' => "\x89PNG\r\n\x1a\n" . "\0" x 100,
    );

    for my $name (sort keys %refused) {
        my ($refused, $captured) = (refused(), captured());

        is post($refused{$name})->{status}, 400, "$name: refused";
        is refused(), $refused + 1, 'counted';

        my $ws = publisher();

        $ws->send_binary($refused{$name});
        is $ws->closed_with, 1007, "$name: by WebSocket as well";
        $ws->close;

        ok alone(), 'it has left';
        is refused(), $refused + 2, 'counted, too';
        is captured(), $captured, 'it is no frame';
    }

    works('behind those');

    # whole by their form: viewers get them; what decodes them sees

    my %taken = (
        '1x1' => picture(1, 1, 200),
        '1x1600' => picture(1, 1600, 200),
        '16384x1' => picture(16384, 1, 200),
        'said to be progressive' => patched(0, 1, "\xc2"),
        'larger than what is there' => patched(0, 5, $size->(240, 320)),
        'no such tables' => patched(0, 12, "\7"),
        'a scan of noise' => noise(),
    );

    for my $name (sort keys %taken) {
        is post($taken{$name})->{status}, 204, "$name: is taken";
        ok seen($taken{$name}), 'and told as it is';
    }

    works('and behind these');
}


sub noise {
    my $jpeg = picture(64, 48, 100);
    my $scan = index($jpeg, "\xff\xda") + 10;

    srand 4;

    substr($jpeg, $scan, -2) = join '', map { chr int rand 255 } 1 .. 20000;

    return $jpeg;
}


# two hundred scans of sixteen million pixels, in a few bytes: whatever decodes
# it takes its time, which is nobody else's

sub bomb {
    my $jpeg = picture(8, 8, 100);
    my $sof = index $jpeg, "\xff\xc0";
    my $sos = index $jpeg, "\xff\xda";

    substr($jpeg, $sof + 1, 1) = "\xc2";
    substr($jpeg, $sof + 5, 4) = pack 'nn', 4096, 4096;

    $jpeg = substr($jpeg, 0, $sos)
        . "\xff\xda\0\x08\1\1\0\0\0\x01\0\0\0" x 200 . "\xff\xd9";
    $jpeg = comments($jpeg, 'x' x 20000);

    my $viewer = Vidcast::WebSocket->connect($port, '/told');
    my $result;

    for (1 .. 3) {
        is post($jpeg)->{status}, 204, 'a bomb: is taken';
        works('beside it');
    }

    ok gather([$viewer], sub {
        while (my $message = shift @{$viewer->{inbox}}) {
            next if $message->{type} ne 'text';

            $result = decode_json($message->{data});
            return 1 if $result->{error};
        }
    }), 'there is a result that says so';

    is $result->{error}, 'the frame could not be decoded: it has too many'
        . ' scans', 'why it was not decoded';
}


# a request that ends at each of its bytes

sub cut_bodies {
    my $jpeg = picture(64, 48, 77);
    my $captured = captured();
    my $head = "POST /publish HTTP/1.1\r\nHost: a\r\n";

    my $whole = $head . 'Content-Length: ' . length($jpeg) . "\r\n\r\n$jpeg";
    my $chunks = $head . "Transfer-Encoding: chunked\r\n\r\n"
        . join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                   unpack('(a50)*', $jpeg), '';

    for my $request ($whole, $chunks) {
        for my $length (0 .. length($request) - 1) {
            my $client = Vidcast::Client->new(port => $port);

            $client->write(substr $request, 0, $length);
            $client->close;
        }
    }

    is captured(), $captured, 'cut bodies: none is a frame';

    for my $request ($whole, $chunks) {
        my $client = Vidcast::Client->new(port => $port);

        $client->write($request);
        is $client->read_head, 204, 'the whole one is';
    }

    ok alone(), 'and nobody is left';
    works('behind them');
}


sub bad_bodies {
    my $jpeg = picture(64, 48, 77);
    my $post = "POST /publish HTTP/1.1\r\nHost: a\r\n";
    my $chunked = "${post}Transfer-Encoding: chunked\r\n\r\n";

    my %bad = (
        'a size that is none' => [400, "${chunked}xyz\r\n$jpeg\r\n0\r\n\r\n"],
        'a size beyond all' => [413, "${chunked}ffffffff\r\n$jpeg"],
        'a size of too many digits' => [400, $chunked . 'f' x 40 . "\r\n"],
        'a length below zero' => [400, "${post}Content-Length: -1\r\n\r\n"],
        'a length beyond all' =>
            [400, "${post}Content-Length: 99999999999999999999\r\n\r\n"],
        'a length for nginx' => [413, "${post}Content-Length: 2097152\r\n\r\n"],
        'a length for us' => [413, "${post}Content-Length: 65537\r\n\r\n"],
        'two lengths' => [400, "${post}Content-Length: 1\r\nContent-Length: 2"
                               . "\r\n\r\nxx"],
        'more than its length' => [400, "${post}Content-Length: 10\r\n\r\n"
                                        . $jpeg],
        'none' => [400, "$post\r\n"],
    );

    for my $name (sort keys %bad) {
        my $client = Vidcast::Client->new(port => $port);

        $client->write($bad{$name}[1]);
        is $client->read_head, $bad{$name}[0], $name;
        $client->close;
    }

    # it asks whether it may, and then does not

    my @asked = map { Vidcast::Client->new(port => $port) } 1 .. 5;

    $_->write("${post}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
        for @asked;
    is $_->read_head, 100, 'go on' for @asked;

    works('while they do not');

    ok $_->wait_eof, 'one that sends nothing is closed' for @asked;

    my $refused = refused();

    is post($jpeg, 'text/html')->{status}, 415, 'a page';
    is refused(), $refused + 1, 'is counted';
}


# a picture of the size that is allowed, a byte at a time

sub fragments {
    my $jpeg = picture(32, 32, 50);
    my $limit = comments($jpeg, 'x' x (65536 - 4 - length $jpeg));

    is length $limit, 65536, 'a picture of the largest size';

    my $ws = publisher();
    my @bytes = unpack '(a1)*', $limit;
    my $frames = join '', map {
        frame($_ ? 0 : 2, $bytes[$_], fin => $_ == $#bytes)
    } 0 .. $#bytes;

    $ws->write_and_read($frames);
    ok seen($limit), 'in 65,536 fragments: is seen';

    my $last = length frame(0, 'x');

    substr($frames, -$last) = frame(0, 'x', fin => 0) . frame(0, 'x');

    my $refused = refused();

    $ws->write_and_read($frames);
    is $ws->closed_with, 1009, 'a byte more: too large';
    $ws->close;

    ok alone(), 'it has left';
    is refused(), $refused + 1, 'counted';

    # nothing at all, over and over

    $ws = publisher();

    $ws->write_and_read(frame(2, '', fin => 0)
                        . frame(0, '', fin => 0) x 100000 . frame(0, $jpeg));
    ok seen($jpeg), 'behind 100,000 empty fragments';

    $ws->write_and_read(frame(9, 'x' x 125) x 20000 . frame(2, $limit));
    ok seen($limit), 'behind 20,000 pings';

    $ws->close;
    ok alone(), 'it has left';
}


sub cut_messages {
    my $jpeg = picture(64, 48, 66);
    my $bytes = frame(2, substr($jpeg, 0, 100), fin => 0) . frame(9, 'ping')
        . frame(0, substr $jpeg, 100);
    my $captured = captured();

    for (my $length = 0; $length < length $bytes; $length += 3) {
        my $ws = publisher('/take');

        $ws->write_and_read(substr $bytes, 0, $length);
        $ws->close;
    }

    ok alone(), 'cut messages: all have left';
    is captured(), $captured, 'none is a frame';

    my $ws = publisher();

    $ws->write_and_read($bytes);
    ok seen($jpeg), 'the whole one is';
    $ws->close;
    ok alone(), 'it has left';
}


sub texts {
    my $deep = sub { '[' x $_[0] . ']' x $_[0] };

    my %bad = (
        'a null character' => "\"a\0b\"",
        'a null behind it' => "1\0",
        'nothing but nulls' => "\0" x 100,
        'half a character' => "\"\xc3\"",
        'a character too long' => "\"\xc0\xaf\"",
        'a surrogate in bytes' => "\"\xed\xa0\x80\"",
        'a character beyond all' => "\"\xf5\x80\x80\x80\"",
        'half a pair' => '"\ud800"',
        'a control character' => "\"a\nb\"",
        '100,000 brackets' => $deep->(100000),
        '100,000 brackets, open' => '[' x 200000,
        '100,000 objects' => '{"a":' x 40000,
        'a number beyond all' => '1e999999',
        'a number of 4000 digits' => '9' x 4000,
        'NaN' => 'NaN',
        'Infinity' => '-Infinity',
        'a comment' => '/**/ 1',
        'a comma' => '[1,]',
        'a byte order mark' => "\xef\xbb\xbf1",
        'a quote that ends it' => '1}',
    );

    for my $name (sort keys %bad) {
        my $refused = refused('talk');

        is post($bad{$name}, 'application/json', '/say')->{status}, 400,
            "$name: refused";
        is refused('talk'), $refused + 1, 'counted';

        my $ws = publisher('/say');

        $ws->send_text($bad{$name});
        is $ws->closed_with, 1007, "$name: by WebSocket as well";
        $ws->close;
        ok alone('talk'), 'it has left';
        is refused('talk'), $refused + 2, 'counted, too';
    }

    # the same result to whoever reads it, in one piece

    my %good = (
        'a null in words' => '"\u0000"',
        'no character' => "\"\xef\xbf\xbf\"",
        '1,000 brackets' => $deep->(1000),
        'a thousand times the same' =>
            '{' . join(',', map { '"a":1' } 1 .. 1000) . '}',
        '20,000 names' =>
            '{' . join(',', map { "\"n$_\":$_" } 1 .. 15000) . '}',
        'a long text' => '"' . 'x' x 250000 . '"',
        'a large number' => '1e308',
        'many digits' => '0.' . '3' x 4000,
        'what would end a page' => '"</script><!--"',
        'what would end a line' => "\"\xe2\x80\xa8\"",
    );

    my $json = JSON::PP->new->utf8->max_depth(2000);

    for my $name (sort keys %good) {
        my $response = post($good{$name}, 'application/json', '/say');

        is $response->{status}, 204, "$name: is a result";

        my $seq = $response->{headers}{'x-vidcast-result'} // 0;
        my $text = wait_for {
            $reader->fill;
            $reader->parse;

            while (my $message = shift @{$reader->{inbox}}) {
                return $message->{data}
                    if $message->{data} =~ /"seq":$seq,/;
            }

            return undef;
        };

        $text //= '';

        ok $text =~ /,"result":\Q$good{$name}\E\}\z/, 'as it was';
        ok eval { $json->decode($text) }, 'and JSON';
    }

    works('behind the texts');
}


# what is in the middle of a message, or is not read, gives way at once

sub takeovers {
    my ($one, $two) = (picture(64, 48, 11), picture(64, 48, 12));
    my $captured = captured();
    my $half = substr frame(2, $one), 0, 100;
    my $ws = publisher('/take');

    ok publishers(1), 'the first one is there';

    for my $round (1 .. 20) {
        $ws->write_and_read($half);

        my $next = publisher('/take');

        $next->send_binary($two);

        is $ws->closed_with, 1008, "takeover $round";
        ok seen($two), 'the new one is seen';

        $ws->close;
        $ws = $next;
    }

    is captured(), $captured + 20, 'and the halves are no frames';

    $ws->close;
    ok alone(), 'the last one has left';
}


# a byte now and then: whoever looks on sees the others

sub slow {
    my @slow = map {
        my $client = Vidcast::Client->new(port => $port);

        $client->write("POST /publish HTTP/1.1\r\nHost: a\r\n"
                       . "Content-Length: 60000\r\n\r\n");
        $client;
    } 1 .. 50;

    for my $round (1 .. 5) {
        $_->write("\xff") for @slow;
        works("slow bodies, $round");
    }

    is scalar(grep { $_->wait_eof } @slow), 50, 'they are closed in the end';

    my $ws = publisher('/take');

    $ws->write(substr frame(2, picture(64, 48, 13)), 0, 50);

    # the handshake leaves first, and the other worker may be faster

    ok publishers(1), 'somebody is there';
    is post(picture(64, 48, 14))->{status}, 409, 'a slow message has the door';

    my $response = request($port, '/take', method => 'POST',
                           body => picture(64, 48, 15));

    is $response->{status}, 204, 'and gives way to what may take over';
    ok seen(picture(64, 48, 15)), 'which is seen';
    is $ws->closed_with, 1008, 'it is told';
    $ws->close;
    ok alone(), 'and has left';
}


sub slowness { source($nginx, 'door')->{published_by}{slow} }


# a byte now and then keeps nginx waiting for ever: there is a time for all of
# a picture, and then the place is free

sub out_of_time {
    my $idle = publisher('/chat');

    my $before = refused();
    my $client = Vidcast::Client->new(port => $port);

    is slowness(), 0, 'none was too slow';

    $client->write("POST /hasty HTTP/1.1\r\nHost: a\r\n"
                   . "Content-Length: 60000\r\n\r\n");

    ok wait_for {
        $client->write("\xff");
        $client->wait_eof(0.1);
    }, 'a body, a byte at a time: is closed';
    ok wait_for { slowness() == 1 }, 'it was too slow';

    for my $case (['a frame', substr(frame(2, 'x' x 60000), 0, 100), 'x'],
                  ['fragments', frame(2, 'x', fin => 0),
                   frame(0, 'x', fin => 0)],
                  ['a text of empty ones', frame(1, '1', fin => 0),
                   frame(0, '', fin => 0) . frame(9, 'ping')])
    {
        my ($name, $first, $more) = @$case;
        my $ws = publisher('/hasty');

        ok publishers(1), "$name: the place is taken";
        $ws->write($first);
        is post(picture(64, 48, 16))->{status}, 409, 'and kept from others';

        my $code = wait_for {
            $ws->write($more);
            $ws->closed_with(0.1);
        };

        is $code, 1008, 'not for ever: it is told';
        $ws->close;

        ok alone(), 'it has left';
        works("after $name");
    }

    is slowness(), 4, 'they were too slow';
    is refused(), $before + 4, 'and are counted among the refused ones';
    ok $nginx->wait_log(qr/vidcast publisher did not end its message in 1000/),
        'the log says it';

    # one that is no slower with each picture, but goes on for longer

    my $ws = publisher('/hasty');
    my $end = time + 4;
    my $shades = 0;

    ok publishers(1), 'somebody is there';

    while (time < $end) {
        my $jpeg = comments(picture(64, 48, 17), $shades++);

        my $frame = frame(2, $jpeg);

        $ws->write(substr $frame, 0, 100);
        $ws->write(substr $frame, 100);

        if (!seen($jpeg)) {
            ok 0, 'a picture is seen';
            last;
        }
    }

    ok !$ws->eof, 'pictures one after the other, for longer than that';
    $ws->close;
    ok alone(), 'it has left';

    # nor one whose pictures wait for a slot, as the capture has none: one that
    # is slow meanwhile shows that the time has passed

    $ws = publisher('/hasty');
    ok publishers(1), 'somebody is there';

    my @jpegs = map { comments(picture(64, 48, 18), $_ x 20_000) } 1 .. 3;
    my ($whole, $half) = map { frame(2, $_) } @jpegs[1, 2];

    my ($door) = $nginx->processes('capture', 'door');
    my $captured = captured();

    $nginx->signal('STOP', $door->{pid});
    $ws->write(frame(2, $jpegs[0]) . $whole . substr $half, 0, 10000);

    for my $round (1 .. 2) {
        my $slow = Vidcast::Client->new(port => $port);

        $slow->write("POST /chat HTTP/1.1\r\nHost: a\r\n"
                     . "Content-Length: 60000\r\n\r\n");
        ok $slow->wait_eof, "a slow one elsewhere, $round";
    }

    # its time runs again as soon as the waiting ends: the rest is there then

    $nginx->signal('CONT', $door->{pid});
    $ws->write(substr $half, 10000);
    ok seen($jpegs[2]), 'one of which half waited for longer than that';
    is captured(), $captured + 3, 'and those that waited before it';
    is slowness(), 4, 'it was not too slow';
    $ws->close;
    ok alone(), 'it has left';

    # nor one that says nothing

    my $results = source($nginx, 'talk')->{published_by}{results};

    $idle->send_text('"still here"');
    ok wait_for { source($nginx, 'talk')->{published_by}{results} > $results },
        'one that said nothing meanwhile is still there';
    $idle->close;
}
