#!/usr/bin/perl

# Copyright (C) vidcast contributors

# TLS writes records, not bytes: what it has begun it must be given again, the
# same, when the line is free, and its own idea of how much has left is not
# TCP's.  So each transport is tried over it, with pictures larger than any
# buffer, for readers that do not read, and with all that may come between.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF');
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=5ms;
}

vidcast_source large {
    input    images:%%PREFIX%%/html/cam fps=50;
}

vidcast_stall_timeout 60s;
vidcast_ping 60s;

server {
    listen  127.0.0.1:%%PORT%% ssl sndbuf=32k;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;
    ssl_protocols        TLSv1.2 TLSv1.3;

    location = /ws       { vidcast front as=websocket; }
    location = /both     { vidcast front as=websocket send=both; }
    location = /sse      { vidcast front as=sse; }
    location = /ndjson   { vidcast front as=ndjson; }
    location = /video    { vidcast front as=mjpeg; }
    location = /snapshot { vidcast front as=snapshot; }
    location = /status   { vidcast_status; }
    location = /echo     { vidcast_echo; }

    location = /large/ws       { vidcast large as=websocket send=frames; }
    location = /large/video    { vidcast large as=mjpeg; }
    location = /large/snapshot { vidcast large as=snapshot; }
}
CONF

my $large = comments(picture(64, 48, 99), map { chr(65 + $_) x 65000 } 0 .. 15);
my $cam = $nginx->prefix . '/html/cam';

mkdir $cam;

for my $n (1, 2) {
    open my $fh, '>:raw', "$cam/$n.jpg" or die "$cam/$n.jpg: $!\n";
    print $fh $large;
    close $fh;
}

certificate($nginx->prefix);

$nginx->start;

my $port = $nginx->port;
my %tls;


sub dial {
    my ($path, %args) = @_;

    return Vidcast::WebSocket->connect($port, $path, client => { %tls },
                                       %args);
}


sub stream {
    my ($path) = @_;

    return Vidcast::Stream->open($port, $path, client => { %tls });
}


sub fetch { return get($port, $_[0], client => { %tls }) }


wait_for { fetch_status() };


sub fetch_status {
    %tls = (tls => { ca => $nginx->prefix . '/cert.pem' });

    my $sources = decode_json(fetch('/status')->{body})->{sources};

    return !grep { !$_->{frame} } @$sources;
}


for my $version (qw(TLSv1_2 TLSv1_3)) {
    $tls{tls}{version} = $version;

    my $ws = dial('/ws', origin => "https://127.0.0.1:$port");

    ok $ws->accepted, "$version: wss, from a page of https";
    is $ws->{socket}->get_sslversion, $version, 'its version';

    my @results = map { $ws->json } 1 .. 5;

    is $results[-1]{seq}, $results[0]{seq} + 4, 'results';
    ok $ws->send_ping('hello') && $ws->message('pong'), 'an answer to a ping';
    $ws->send_close(1000);
    is $ws->closed_with, 1000, 'closed as RFC 6455 has it';
    ok $ws->wait_eof, 'and TLS, too';

    my $both = dial('/both', protocol => 'vidcast.v1');
    my ($offset) = unpack 'x6n', $both->message('binary')->{data};

    ok jpeg_info(substr $both->message('binary')->{data}, $offset),
        'a picture by WebSocket';
    ok $both->json->{seq}, 'a result beside it';

    my $echo = dial('/echo');
    my $text = 'x' x 15000;

    $echo->send_text($text) for 1 .. 20;
    is scalar(grep { $echo->message('text')->{data} eq $text } 1 .. 20), 20,
        'an echo';

    my $sse = stream('/sse');

    like fetch('/ws')->{body}, qr{"wss://127\.0\.0\.1:\d+/ws"},
        'how to use it: by TLS';

    ok $sse->event->{retry}, 'SSE';
    like $sse->event->{id}, qr/^[\da-f]{16}-\d+$/, 'an event';
    ok decode_json(stream('/ndjson')->line)->{seq}, 'NDJSON';
    ok jpeg_info(stream('/video')->part->{data}), 'MJPEG';
    ok jpeg_info(fetch('/snapshot')->{body}), 'a snapshot';
    is fetch('/status')->{status}, 200, 'the status';


    # a megabyte each, for one that reads little at a time

    $tls{recv_buffer} = 4096;

    my $video = stream('/large/video');
    my $slow = dial('/large/ws');

    for my $n (1 .. 3) {
        is $video->part(30)->{data} eq $large, 1, "large MJPEG, $n";
        is $slow->message('binary', 30)->{data} eq $large, 1,
            "large WebSocket, $n";
    }

    is fetch('/large/snapshot')->{body} eq $large, 1, 'a large snapshot';


    # pongs till none leaves any more, then others of other sizes: each must
    # leave whole, if it leaves

    $echo = dial('/echo');
    flood($echo, map { $_ % 2 ? 'long' x 31 : 'short' } 1 .. 4000);

    my %pongs;

    $echo->send_text('the end');

    while (my $message = $echo->message) {
        last if $message->{type} eq 'text';

        $pongs{$message->{data}}++;
    }

    is $echo->faults, '', 'whole pongs';
    is join(' ', sort keys %pongs), join(' ', 'long' x 31, 'short'),
        'with what the pings had';


    # pictures that begin while a pong waits

    $slow = dial('/large/ws');
    $slow->message('binary');
    $slow->send_text('{"type":"pause"}');
    $slow->send_ping('there');
    ok $slow->message('pong', 30), 'paused, and all has come';
    flood($slow, map { $_ % 2 ? 'long' x 31 : 'short' } 1 .. 6000);
    $slow->send_text('{"type":"resume"}');

    my $whole = 0;

    for (1 .. 4) {
        my $message = $slow->message('binary', 30) or last;

        $whole += $message->{data} eq $large;
    }

    is $whole, 4, 'whole pictures between pongs';
    is $slow->faults, '', 'in right frames';


    # closed in the middle of a picture, which comes first

    $slow = dial('/large/ws');
    $slow->until_some(sub { length $slow->{buffer} > 1000 ? 1 : undef });
    $slow->send_close(1000);
    is $slow->closed_with(30), 1000, 'closed in the middle of a picture';
    is $slow->faults, '', 'which was whole';
    $slow = dial('/large/ws');



    # gone in the middle of one, each in another one: it must not stay.  What
    # the first ones needed is there for the others

    vanish($slow = dial('/large/ws'), 20);

    my $before = memory();

    vanish($slow, 20);

    SKIP: {
        skip 'a sanitizer keeps what was freed', 1
            if $nginx->sanitized(worker()->{pid});

        ok wait_for { memory() < $before + 10 * 2 ** 10 }, 'no memory is lost'
            or diag("$before kB before, ", memory(), ' kB after');
    }

    delete $tls{recv_buffer};
}

unlike $nginx->error_log, qr/SSL_\w+\(\) failed \(SSL:/, 'no error of TLS';

$nginx->stop;


# so many viewers leave in the middle of a picture; another one tells when the
# next picture is there

sub vanish {
    my ($witness, $count) = @_;

    my @gone;

    for (1 .. $count) {
        my $ws = dial('/large/ws');

        $ws->until_some(sub { length $ws->{buffer} > 1000 ? 1 : undef });
        $ws->send_close(1000);
        $witness->message('binary', 30);
        push @gone, $ws;
    }

    $_->close for @gone;
}


sub worker { ($nginx->processes('worker'))[0] }


# of the worker, kB

sub memory {
    my ($size) = Vidcast::Nginx::slurp('/proc/' . worker()->{pid} . '/status')
        =~ /^RssAnon:\s+(\d+)/m;

    return $size;
}


# pings without reading, till the server does not read on either

sub flood {
    my ($ws, @pings) = @_;

    for my $ping (@pings) {
        syswrite($ws->{socket}, frame(9, $ping)) or last;
    }
}


done_testing;
