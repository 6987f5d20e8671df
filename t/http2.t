#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Browsers get streams over HTTP/2, many on one connection.  There a stream
# has a window of its own: one whose viewer takes nothing must not stop the
# others, and may end by itself, while nginx still has bytes of it to send.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::HTTP2;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF');
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  delay time=5ms;
}

vidcast_source large {
    input    images:%%PREFIX%%/html/cam fps=50;
}

vidcast_stall_timeout 60s;

server {
    listen  127.0.0.1:%%PORT%% http2 sndbuf=32k;
    listen  127.0.0.1:%%PORT1%% ssl http2;
    listen  127.0.0.1:%%PORT2%%;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    location = /ws       { vidcast front as=websocket; }
    location = /auto     { vidcast front; }
    location = /echo     { vidcast_echo; }
    location = /sse      { vidcast front as=sse; }
    location = /ndjson   { vidcast front as=ndjson; }
    location = /video    { vidcast front as=mjpeg; }
    location = /snapshot { vidcast front as=snapshot; }
    location = /status   { vidcast_status; }
    location = /stall    { vidcast large as=mjpeg; vidcast_stall_timeout 1s; }

    location = /large/video    { vidcast large as=mjpeg; }
    location = /large/snapshot { vidcast large as=snapshot; }
}
CONF

my $cam = $nginx->prefix . '/html/cam';
my @large = map {
    my $n = $_;
    comments(picture(64, 48, $n), map { chr($n + $_) x 65000 } 0 .. 15);
} 65, 97;

mkdir $cam;

for my $n (0, 1) {
    open my $fh, '>:raw', "$cam/$n.jpg" or die "$cam/$n.jpg: $!\n";
    print $fh $large[$n];
    close $fh;
}

certificate($nginx->prefix);

$nginx->start;


sub source {
    my ($name) = @_;

    my $status = decode_json(get($nginx->port(2), '/status')->{body});

    return (grep { $_->{name} eq $name } @{$status->{sources}})[0];
}


sub viewers {
    my ($name) = @_;

    return source($name)->{viewers}{all};
}


sub dial {
    my (%args) = @_;

    return Vidcast::HTTP2->connect($nginx->port, %args);
}


sub is_large { return scalar grep { $_[0] eq $_ } @large }


wait_for { source('front')->{result} && source('large')->{frame} }
    or die "no pictures\n";


# each transport, plain and over TLS

my %tls = (tls => { ca => $nginx->prefix . '/cert.pem', alpn => 'h2' });

for my $h2 (dial(), Vidcast::HTTP2->connect($nginx->port(1), client => \%tls)) {
    my $name = $h2->{tls} ? 'TLS' : 'plain';
    my $shot = $h2->open('/snapshot');

    is $shot->status, 200, "$name: a snapshot";
    ok jpeg_info($shot->body), 'whole';
    is length $shot->body, $shot->header('Content-Length'), 'Content-Length';
    like $shot->header('ETag'), qr/^"[\da-f]{16}-\d+"$/, 'ETag';

    my $sse = $h2->open('/sse');

    is $sse->header('Content-Type'), 'text/event-stream', 'SSE';
    is $sse->header('Connection'), undef, 'no header of HTTP/1.1';
    ok $sse->event->{retry}, 'retry';

    my @seq = map { decode_json($sse->event->{data})->{seq} } 1 .. 5;

    is $seq[4], $seq[0] + 4, 'events';
    ok decode_json($h2->open('/ndjson')->line)->{seq}, 'NDJSON';

    my $video = $h2->open('/video');

    is $video->header('Content-Type'),
        'multipart/x-mixed-replace; boundary=frame', 'MJPEG';
    ok jpeg_info($video->part->{data}), 'a picture' for 1 .. 3;
    ok $sse->event, 'events beside it';

    my $auto = $h2->open('/auto', headers => [Accept => 'text/event-stream']);

    is $auto->header('Content-Type'), 'text/event-stream', 'by Accept';

    my $head = $h2->open('/video', method => 'HEAD');

    ok $head->ended, 'HEAD has an end';
    is $head->status, 200, 'and its status';

    for my $path (qw(/ws /echo /auto)) {
        my $refused = $h2->open($path);

        is $refused->status, 426, "no WebSocket at $path";
        ok $refused->ended, 'and that is all';
    }

    is join(', ', @{$h2->{faults}}), '', 'no faults';
    ok !$h2->eof, 'the connection is still there';
    $h2->close;
}

ok wait_for { viewers('front') == 0 }, 'the viewers left with the connection';


# windows that are much smaller than a picture

for my $window (1, 700, 16000) {
    my $h2 = dial(window => $window);

    if ($window > 1) {
        my $video = $h2->open('/large/video');

        ok is_large($video->part(30)->{data}), "window $window: MJPEG"
            for 1 .. 2;
        $video->reset;

        ok is_large($h2->open('/large/snapshot')->body(30)), 'a snapshot';
    }

    my $sse = $h2->open('/sse');

    ok $sse->event && decode_json($sse->event(30)->{data})->{seq},
        "window $window: SSE";
    $h2->close;
}


# one stream holds its window, the others on the connection go on

my $h2 = dial(window => 50000);
my $held = $h2->open('/large/video');

$held->{hold} = 1;

my $sse = $h2->open('/sse');
my $video = $h2->open('/video');

ok jpeg_info($video->part->{data}) && $sse->event, 'others go on'
    for 1 .. 30;

cmp_ok $held->{size}, '<=', 100000, 'while one is held';

$held->release;

ok is_large($held->part(30)->{data}), 'it goes on with whole pictures'
    for 1 .. 3;


# streams that end while they are held, others being there

for (1 .. 60) {
    my $stream = $h2->open($_ % 3 ? '/large/video' : '/large/snapshot');

    $stream->{hold} = 1;
    $stream->reset;
}

$held->reset;
ok wait_for { viewers('large') == 0 }, 'streams that were reset are gone';
ok jpeg_info($video->part->{data}), 'the connection is not';
is source('large')->{dropped}{ring_full}, 0, 'they held no slot';

my $stall = $h2->open('/stall');

$stall->{hold} = 1;
ok $stall->some(sub { defined $stall->{reset} ? 1 : undef }, 30),
    'a stream that takes no byte is given up';
ok $nginx->wait_log(qr/viewer took no byte for 1000 ms/), 'and logged';
ok jpeg_info($video->part->{data}), 'the connection is still not';
is join(', ', @{$h2->{faults}}), '', 'no faults';
$h2->close;


# a picture which is leaving when its stream is reset: what HTTP/2 has begun
# must be there until it is gone, and the same

for my $path (qw(/large/video /large/snapshot?after=WAIT)) {
    my $h2 = dial(window => 1e7, credit => 1e7,
                  client => { recv_buffer => 4096 });

    my $ahead = source('large')->{frame} + 5;
    my $stream = $h2->open($path =~ s/WAIT/$ahead/r);

    # the line is full when not a byte more leaves

    my ($last, $times) = (-1, 0);

    wait_for {
        my $bytes = source('large')->{delivered}{bytes};

        ($last, $times) = ($bytes, $bytes == $last ? $times + 1 : 0);

        $times > 40;
    };

    $stream->reset;
    ok wait_for { viewers('large') == 0 }, "$path: reset";

    # somebody else uses the memory, if it is free

    my @others = map { dial(window => 1e7, credit => 1e7) } 1 .. 3;

    is scalar(grep { is_large($_->open('/large/video')->part(30)->{data}) }
              @others), 3, 'others get pictures';

    my $shot = $h2->open('/snapshot', seconds => 30);

    ok jpeg_info($shot->body // ''), 'the connection goes on';
    is join(', ', @{$h2->{faults}}), '', 'no faults';

    my $rest = $stream->{content} =~ s/^--frame\r\n.*?\r\n\r\n//sr;

    cmp_ok length $rest, '>', 10000, 'what came of the picture';
    is scalar(grep { index($_, $rest) == 0 } @large), 1, 'is of one';

    $_->close for $h2, @others;
}


# a worker that leaves ends SSE and, when nginx quits, everything else

$h2 = dial();

my @streams = map { $h2->open($_) } qw(/sse /ndjson /video);

for my $stream (@streams) {
    $stream->some(sub { length $stream->{content} ? 1 : undef });
}

$nginx->signal('QUIT');

is scalar(grep { $_->ended(20) } @streams), 3, 'streams end when nginx quits';

$nginx->stop;

done_testing;
