#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What nginx does for every response it must do for these, too: chunks, limits
# of the rate, headers, logs, error pages, keep-alive, and an nginx in front
# that passes them on.  They have no end, so that whatever counts, buffers or
# waits for one shows here.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Vidcast::Client qw(get request);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(allow => [qr/"none" is reconnecting/],
                                http => <<'CONF');
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=5ms;
}

vidcast_source large {
    input  images:%%PREFIX%%/html/cam fps=50;
}

vidcast_source none {
    input  images:%%PREFIX%%/html/none;
}

log_format  test  '$uri $status $body_bytes_sent $bytes_sent';

vidcast_snapshot_timeout  500ms;

server {
    listen      127.0.0.1:%%PORT%%;
    access_log  %%PREFIX%%/logs/test.log test;

    gzip        on;
    sub_filter  "JFIF" "JOKE";
    add_header  X-Test "yes";

    location = /ws       { vidcast front as=websocket;
                           add_header X-Test "always" always; }
    location = /sse      { vidcast front as=sse; }
    location = /ndjson   { vidcast front as=ndjson; }
    location = /video    { vidcast front as=mjpeg; }
    location = /snapshot { vidcast front as=snapshot; }
    location = /status   { vidcast_status; }

    location = /large    { vidcast large as=snapshot; }
    location = /limited  { vidcast large as=mjpeg; limit_rate 40k;
                           vidcast_stall_timeout 500ms; }
    location = /slowshot { vidcast large as=snapshot; limit_rate 60k;
                           vidcast_stall_timeout 500ms; }

    location = /none     { vidcast none as=snapshot;
                           add_header X-Test "always" always; }
    location = /fallback { vidcast none as=snapshot;
                           error_page 503 /offline.jpg; }
    location = /instead  { vidcast none as=snapshot;
                           error_page 503 =200 /snapshot; }
    location = /named    { vidcast none as=snapshot;
                           error_page 503 = @named; }
    location @named      { return 204; }
    location = /refused  { vidcast front as=mjpeg; vidcast_max_viewers 1;
                           error_page 503 /offline.jpg; }
}

server {
    listen  127.0.0.1:%%PORT1%%;

    location / {
        proxy_pass          http://127.0.0.1:%%PORT%%;
    }

    location = /ws {
        proxy_pass          http://127.0.0.1:%%PORT%%;
        proxy_http_version  1.1;
        proxy_set_header    Host $http_host;
        proxy_set_header    Upgrade $http_upgrade;
        proxy_set_header    Connection "upgrade";
    }
}
CONF

my $html = $nginx->prefix . '/html';
my $large = comments(picture(64, 48, 99), ('x' x 50000) x 2);


sub spew {
    my ($path, $data) = @_;

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $data;
    close $fh;
}


mkdir "$html/$_" for qw(cam none);
spew("$html/cam/1.jpg", $large);
spew("$html/offline.jpg", 'offline');

$nginx->start;

my $port = $nginx->port;


sub sources { return @{decode_json(get($port, '/status')->{body})->{sources}} }


sub viewers {
    my $sum = 0;

    $sum += $_->{viewers}{all} for sources();

    return $sum;
}


# the log's line of a request that is over: (status, body's bytes, all bytes)

sub logged {
    my ($uri) = @_;

    my $path = $nginx->prefix . '/logs/test.log';

    return wait_for {
        my @lines = grep { m{^\Q$uri\E } } split /\n/,
            Vidcast::Nginx::slurp($path);

        @lines ? [ (split ' ', $lines[-1])[1 .. 3] ] : undef;
    };
}


# sends a request, reads to the end and counts all that came

sub count {
    my ($client, $condition) = @_;

    my $bytes = 0;

    $client->until_some(sub {
        $bytes += length $client->{buffer};
        $client->{buffer} = '';

        return $condition && $condition->($bytes) ? 1 : undef;
    }, 20);

    return $bytes;
}


sub begin {
    my ($path, $version, @headers) = @_;

    my $client = Vidcast::Client->new(port => $port);

    $client->write("GET $path HTTP/$version\r\nHost: a\r\n"
                   . join('', map { "$_\r\n" } @headers) . "\r\n");

    return $client;
}


wait_for { 2 == grep { $_->{frame} } sources() } or die "no pictures\n";

my %take = (
    '/sse' => sub { $_[0]->event && $_[0]->event->{data} },
    '/ndjson' => sub { decode_json($_[0]->line)->{seq} },
    '/video' => sub { jpeg_info($_[0]->part->{data}) },
);


# chunks, HEAD, headers, filters that are on

for my $path (sort keys %take) {
    my $new = Vidcast::Stream->open($port, $path,
        headers => ['Accept-Encoding' => 'gzip']);
    my $old = Vidcast::Stream->open($port, $path, version => '1.0');

    is $new->header('Transfer-Encoding'), 'chunked', "$path: chunks";
    is $old->header('Transfer-Encoding'), undef, 'none for HTTP/1.0';
    is $_->header('X-Test'), 'yes', 'add_header' for $new, $old;
    is $_->header('Content-Encoding'), undef, 'not encoded' for $new, $old;
    is $_->header('Content-Length'), undef, 'no length' for $new, $old;
    is $old->header('Connection'), 'close', 'HTTP/1.0 ends with it';

    for my $n (1 .. 3) {
        ok $take{$path}->($_), "what was asked for, $n" for $new, $old;
    }

    my $head = request($port, $path, method => 'HEAD');

    is $head->{status}, 200, 'HEAD';
    is $head->{headers}{'x-test'}, 'yes', 'with its headers';
    is $head->{client}{buffer}, '', 'and nothing else';

    $_->close for $new, $old;
}

my $ws = Vidcast::WebSocket->connect($port, '/ws');

is $ws->header('X-Test'), 'always', 'add_header, WebSocket';
ok $ws->json, 'and results';
$ws->close;


# snapshots: keep-alive, errors between, pipelined, HTTP/1.0

my $client = Vidcast::Client->new(port => $port);

for my $path (qw(/snapshot /large /missing /none /snapshot /status)) {
    $client->ask(path => $path);

    my $body = $client->read_body;

    is $client->status, $path eq '/missing' ? 404 : $path eq '/none' ? 503 : 200,
        "keep-alive: $path";
    is length $body, $client->header('Content-Length') // length $body,
        'its length';
    is $client->header('Connection'), 'keep-alive', 'one more, please';
}

$client->write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n" x 3);

for my $n (1 .. 3) {
    $client->read_head;
    is $client->read_body eq $large, 1, "pipelined, $n";
}

$client->close;

my $old = get($port, '/large', version => '1.0');

is $old->{body} eq $large, 1, 'a snapshot for HTTP/1.0';
is $old->{headers}{'content-length'}, length $large, 'with its length';


# 503, and what an error page makes of it

my $none = get($port, '/none');

is $none->{status}, 503, 'no picture';
is $none->{headers}{'retry-after'}, 1, 'Retry-After';
is $none->{headers}{'x-test'}, 'always', 'add_header';

my $page = get($port, '/fallback');

is $page->{status}, 503, 'an error page keeps the status';
is $page->{body}, 'offline', 'it has its own picture';
is $page->{headers}{'retry-after'}, 1, 'and Retry-After';

my $instead = get($port, '/instead');

is $instead->{status}, 200, 'a picture of another source';
ok jpeg_info($instead->{body}), 'instead';
is get($port, '/named')->{status}, 204, 'a named location';
ok wait_for { viewers() == 0 }, 'nobody waits any more';

my $first = Vidcast::Stream->open($port, '/refused');

ok $first->part, 'one viewer';
$page = get($port, '/refused');
is $page->{status} . $page->{body}, '503offline', 'one too many';
$first->close;


# limit_rate: what came in a time is never more than it allows; with the
# second that nginx gives at the start, and one as it counts in whole ones.
# Waiting for it is no stall

my $start = clock_gettime(CLOCK_MONOTONIC);
my $limited = begin('/limited', '1.0');
my $most = 0;
my $bytes = count($limited, sub {
    my $elapsed = clock_gettime(CLOCK_MONOTONIC) - $start;

    $most = $_[0] / ($elapsed + 2) if $_[0] / ($elapsed + 2) > $most;

    return $_[0] > 250000;
});

cmp_ok $bytes, '>', 250000, 'limit_rate: it is no stall';
cmp_ok $most, '<=', 40 * 1024, 'limit_rate: holds';
$limited->close;

is get($port, '/slowshot')->{body} eq $large, 1, 'limit_rate: a snapshot';


# the log

$bytes = count(begin('/large', '1.1', 'Connection: close'));

is_deeply logged('/large'), [200, length $large, $bytes], 'log: a snapshot';

my %ends = map { $_ => begin($_, '1.1') } keys %take;

$ends{'/ws'} = begin('/ws', '1.1', 'Upgrade: websocket', 'Connection: upgrade',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');

my %came = map { $_ => count($ends{$_}, sub { $_[0] > 3000 }) } keys %ends;


# an nginx in front

my $front = $nginx->port(1);

for my $path (sort keys %take) {
    my $stream = Vidcast::Stream->open($front, $path);

    is $stream->header('X-Accel-Buffering'), undef, "proxy: $path";
    ok $take{$path}->($stream), "what was asked for, $_" for 1 .. 3;
    $stream->close;
}

ok jpeg_info(get($front, '/snapshot')->{body}), 'proxy: a snapshot';
is get($front, '/large')->{body} eq $large, 1, 'proxy: a large one';
is get($front, '/none')->{status}, 503, 'proxy: none';

my $through = Vidcast::WebSocket->connect($front, '/ws',
    origin => "http://127.0.0.1:$front");

ok $through->accepted, 'proxy: WebSocket';
ok $through->json, "results, $_" for 1 .. 3;
ok $through->send_ping('hello') && $through->message('pong'), 'a pong';
$through->send_close(1000);
is $through->closed_with, 1000, 'closed';

ok wait_for { viewers() == 4 }, 'what left the proxy left here, too';


# in the log when it ends: by nginx, so that all that was sent has come

$nginx->signal('QUIT');

for my $path (sort keys %ends) {
    $came{$path} += count($ends{$path});

    # an answer to the close frame, or nginx waits for it

    my ($status, $body, $all) = @{logged($path)};

    is $status, $path eq '/ws' ? 101 : 200, "log: status of $path";
    is $all, $came{$path}, 'log: $bytes_sent';
    cmp_ok $body, '<', $all, 'log: $body_bytes_sent';
}

$nginx->stop;

done_testing;
