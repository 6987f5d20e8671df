#!/usr/bin/perl

# Copyright (C) vidcast contributors

# vidcast_max_viewers holds over all workers and transports, and a worker that
# was killed does not keep its viewers' places; a snapshot waits for a picture
# that will do, as long as it was told and no longer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

Vidcast::Nginx->plan;

my $http = <<'CONF';
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=2ms;
}

vidcast_source gate {
    input    test: size=160x120 fps=30;
    predict  delay time=2ms;
}

vidcast_source slow    { input test: size=64x48 fps=2; }
vidcast_source missing { input v4l2:/dev/video99; }

server {
    listen  127.0.0.1:%%PORT%% reuseport;
    listen  127.0.0.1:%%PORT1%% sndbuf=8k;

    location /status    { vidcast_status; }
    location /any       { vidcast front as=websocket; }
    location /gate-any  { vidcast gate as=websocket; }

    location /max/ {
        vidcast_max_viewers  8;

        location /max/ws      { vidcast front as=websocket; }
        location /max/both    { vidcast front,gate as=websocket; }
        location /max/sse     { vidcast front as=sse; }
        location /max/mjpeg   { vidcast front as=mjpeg; }
        location /max/ndjson  { vidcast front as=ndjson; }
        location /max/shot    { vidcast front as=snapshot;
                                vidcast_snapshot_timeout 5s; }
    }

    location /slow.jpg     { vidcast slow as=snapshot; }
    location /short.jpg    { vidcast slow as=snapshot;
                             vidcast_snapshot_timeout 600ms; }
    location /missing.jpg  { vidcast missing as=snapshot;
                             vidcast_snapshot_timeout 1s; }
    location /never.jpg    { vidcast missing as=snapshot;
                             vidcast_snapshot_timeout 60s; }
    location /limited.jpg  { vidcast slow as=snapshot; limit_rate 10k; }
    location /echo         { vidcast_echo; vidcast_max_viewers 1; }

    location /stall/ {
        vidcast_stall_timeout  1s;
        vidcast_ping           0;

        location /stall/echo   { vidcast_echo; }
        location /stall/ws     { vidcast missing as=websocket; }
    }
}
CONF

my $nginx = Vidcast::Nginx->new(workers => 2, http => $http,
                                allow => [qr/exited on signal 9/,
                                          qr/"missing" is reconnecting/]
                               )->start;
my $port = $nginx->port;


sub source {
    my ($name) = @_;

    my $status = decode_json(get($port, '/status')->{body});
    my ($source) = grep { $_->{name} eq $name } @{$status->{sources}};

    return $source;
}


sub viewers {
    my ($name) = @_;

    return source($name)->{viewers}{all};
}


sub dial { return Vidcast::WebSocket->connect($port, @_) }


# opens viewers till so many of them were refused; those that are in

sub fill {
    my ($path, $refused) = @_;

    my @in;

    while ($refused) {
        my $ws = dial($path);

        if ($ws->accepted) {
            push @in, $ws;
            next;
        }

        return if $ws->status != 503;
        $refused--;
    }

    return @in;
}


ok wait_for { my $s = source('front'); $s->{state} eq 'live' && $s->{result} },
    'live';


# over two workers: SO_REUSEPORT spreads the connections

my $refused = source('front')->{delivered}{refused};
my @in = fill('/max/ws', 20);

is scalar @in, 8, 'eight viewers, wherever they are';
is viewers('front'), 8, 'in the status';
is source('front')->{delivered}{refused} - $refused, 20, 'and those refused';

my $busy = grep { $_->{viewers} } @{source('front')->{workers}};

ok $busy, 'viewers at ' . ($busy == 2 ? 'both workers' : 'one worker');

ok $_->json, 'each gets results' for @in;

for my $path (qw(/max/sse /max/mjpeg /max/ndjson)) {
    is(Vidcast::Stream->open($port, $path)->status, 503, "$path: 503");
}

is(get($port, '/max/shot')->{status}, 200, 'a picture that is there');
is(get($port, '/max/shot?after=999999999')->{status}, 503,
   'one that must be waited for');

is dial('/max/both')->status, 503, 'if one source of two is full';
is viewers('gate'), 0, 'the other one has lost nothing';

my $free = dial('/any');

ok $free->json, 'the limit is of the location';
is dial('/max/ws')->status, 503, 'which counts all viewers';

$free->send_close(1000);
$free->closed_with;

# one place at a time

for my $round (1 .. 10) {
    my $one = shift @in;

    $round % 2 ? $one->send_close(1000) : $one->close;

    ok wait_for { viewers('front') == 7 }, 'one leaves';

    my @new = fill('/max/ws', 5);

    is scalar @new, 1, 'one other comes in';
    push @in, @new;
}

# all transports count

for my $one (splice @in, 0, 3) { $one->close }

ok wait_for { viewers('front') == 5 }, 'three places';

my @streams = map { Vidcast::Stream->open($port, "/max/$_") }
              qw(sse mjpeg ndjson);

is join(' ', map { $_->status } @streams), '200 200 200', 'of each kind one';
is dial('/max/ws')->status, 503, 'then it is full';

$_->close for @streams, @in;
ok wait_for { viewers('front') == 0 }, 'all have left';


# many at once: never one too many

for my $round (1 .. 5) {
    my @clients = map { Vidcast::Client->new(port => $port) } 1 .. 60;

    $_->write("GET /max/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        . "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n") for @clients;

    my @status = map { $_->read_head } @clients;
    my $in = grep { $_ == 101 } @status;

    cmp_ok $in, '<=', 8, 'not more than eight of 60 at once';
    cmp_ok $in, '>=', 7, 'and hardly less';
    is scalar(grep { $_ != 101 && $_ != 503 } @status), 0, 'the others: 503';

    $_->close for @clients;
    ok wait_for { viewers('front') == 0 }, 'all have left';
}


# after an upgrade it is refused in words

@in = fill('/max/ws', 1);

my $both = dial('/gate-any');

$both->close;
$in[0]->close;
ok wait_for { viewers('front') == 7 }, 'one place';

$both = dial('/max/both?source=gate');
ok $both->json, 'of the other source';

push @in, fill('/max/ws', 1);

$both->send_text('{"type":"subscribe","source":"front"}');

ok gather([$both], sub {
    while (my $message = shift @{$both->{inbox}}) {
        return 1 if $message->{data} =~ /"error":"the source cannot be watched/;
    }
}), 'subscribe to one that is full';

ok $both->json, 'and it goes on';

(pop @in)->close;
ok wait_for { viewers('front') == 7 }, 'a place';

$both->send_text('{"type":"subscribe","source":"front"}');

ok gather([$both], sub {
    while (my $message = shift @{$both->{inbox}}) {
        return 1 if $message->{type} eq 'text'
            && decode_json($message->{data})->{source} eq 'front';
    }
}), 'then it is let in';

$_->close for $both, @in;
ok wait_for { viewers('front') == 0 && viewers('gate') == 0 }, 'all have left';


# a worker is killed: its viewers are gone, and so are their places

for my $round (1 .. 3) {
    @in = fill('/max/ws', 3);
    is scalar @in, 8, 'full';

    my %by = map { $_->{pid} => $_->{viewers} } @{source('front')->{workers}};
    my ($victim) = sort { $by{$b} <=> $by{$a} } keys %by;

    $nginx->signal('KILL', $victim);

    ok wait_for { 2 == grep { $_->{pid} != $victim }
                      $nginx->processes('worker') }, 'a worker is killed';

    ok gather(\@in, sub { $by{$victim} == grep { $_->{eof} } @in }),
        'its viewers are gone';

    my @left = grep { !$_->{eof} } @in;
    my @new;

    ok wait_for {
        push @new, fill('/max/ws', 1);
        @left + @new == 8;
    }, 'others have their places';

    is dial('/max/ws')->status, 503, 'and not one more';

    $_->close for @left, @new;
    ok wait_for { viewers('front') == 0 }, 'all have left';
}


# an echo is of no source

ok dial('/echo')->accepted, 'an echo is not limited' for 1 .. 3;


# what takes nothing is closed, though answers to pings are all that there is

for my $path ('/stall/echo', '/stall/ws') {
    my $ws = Vidcast::WebSocket->connect($nginx->port(1), $path,
                                         client => { recv_buffer => 2048 });

    for (1 .. 2000) {
        last if !$ws->write(frame(9, 'x' x 125) x 5);
    }

    ok $nginx->wait_log(qr{viewer took no byte for 1000 ms.*"GET $path }, 20),
        "$path: not for ever";

    $ws->close;
}


# snapshots

ok wait_for { my $s = source('slow'); $s->{state} eq 'live' && $s->{frame} },
    'a slow camera';

sub shot {
    my ($path, @args) = @_;

    my $shot = get($port, $path, @args);

    $shot->{frame} = $shot->{headers}{'x-vidcast-frame'} // 0;
    $shot->{age} = $shot->{headers}{'x-vidcast-age'} // 999;

    return $shot;
}


my $shot = shot('/slow.jpg');

is $shot->{status}, 200, 'the newest picture';
ok jpeg_info($shot->{body}), 'whole';

my $frame = $shot->{frame};

for my $round (1 .. 4) {
    $shot = shot("/slow.jpg?after=$frame");

    is $shot->{status}, 200, "after $frame";
    cmp_ok $shot->{frame}, '>', $frame, 'a later one';
    ok jpeg_info($shot->{body}), 'whole';
    is $shot->{headers}{'content-length'}, length $shot->{body},
        'Content-Length';
    like $shot->{headers}{etag}, qr/^"[0-9a-f]{16}-$shot->{frame}"$/, 'ETag';

    $frame = $shot->{frame};
}

for my $age ('0.2', '200ms', '0.1', '100ms') {
    $shot = shot("/slow.jpg?max_age=$age");

    is $shot->{status}, 200, "max_age=$age";
    ok jpeg_info($shot->{body}), 'whole';
}

$shot = shot('/slow.jpg?max_age=0');
is $shot->{status}, 200, 'max_age=0: the next one';

is shot('/slow.jpg?max_age=1000')->{status}, 200, 'max_age=1000';
is shot('/slow.jpg?after=0')->{status}, 200, 'after=0';

for my $args ('after=x', 'after=-1', 'max_age=x', 'max_age=-1', 'after=',
              'after=1&after=2')
{
    is shot("/slow.jpg?$args")->{status}, 400, "$args: 400";
}

# waiting viewers are let go, all of one frame, or with none

my @waiting = map { Vidcast::Client->new(port => $port) } 1 .. 20;

$frame = shot('/slow.jpg')->{frame};

$_->write("GET /slow.jpg?after=$frame HTTP/1.1\r\nHost: x\r\n\r\n")
    for @waiting;

is join(' ', map { $_->read_head } @waiting), join(' ', (200) x 20),
    '20 wait for one';

my %body = map { ($_->read_body // '') => 1 } @waiting;

cmp_ok scalar(keys %body), '<=', 2, 'and get the same';

# again on the same connections, HEAD and conditions

for my $client (@waiting[0 .. 4]) {
    $frame = $client->header('X-Vidcast-Frame');

    is $client->ask(path => "/slow.jpg?after=$frame"), 200, 'keep-alive';
    ok jpeg_info($client->read_body), 'another picture';
}

my $head = request($port, '/slow.jpg?after=' . shot('/slow.jpg')->{frame},
                   method => 'HEAD');

is $head->{status}, 200, 'HEAD waits, too';
cmp_ok $head->{headers}{'content-length'}, '>', 0, 'for the length';

$_->close for @waiting;

$shot = shot('/limited.jpg?after=' . shot('/slow.jpg')->{frame});
ok jpeg_info($shot->{body}), 'at a limited rate';

$shot = shot('/short.jpg?after=999999999');
is $shot->{status}, 503, 'none in time';
is $shot->{headers}{'retry-after'}, '1', 'Retry-After';
is $shot->{headers}{etag}, undef, 'no ETag';

for my $method (qw(GET HEAD)) {
    my $none = request($port, '/missing.jpg', method => $method);

    is $none->{status}, 503, "$method: no camera";
    is $none->{headers}{'retry-after'}, '1', 'Retry-After';
}

# one that waits and goes

@waiting = map { Vidcast::Client->new(port => $port) } 1 .. 10;

$_->write("GET /never.jpg HTTP/1.1\r\nHost: x\r\n\r\n") for @waiting;

ok wait_for { viewers('missing') == 10 }, 'ten wait';

$_->close for @waiting[0 .. 4];

ok wait_for { viewers('missing') == 5 }, 'five have gone';

# and nginx goes: they are answered

$nginx->signal('QUIT');

is join(' ', map { $_->read_head } @waiting[5 .. 9]), '503 503 503 503 503',
    'when nginx quits what waits is told to come again';

$nginx->stop;

done_testing;
