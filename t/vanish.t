#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A host that loses its power, or leaves the wireless network, ends no
# connection: no FIN, no RST.  If that is not noticed it is counted for ever,
# keeps a camera open that is there on demand, and a worker that should have
# ended with a reload.  Whoever is there and silent must stay.
#
# The limit for viewers that take no byte is far longer than this test takes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::HTTP2;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF');
vidcast_source front { input test: size=64x48 fps=50; predict delay time=1ms; }
vidcast_source mute  { input test: size=64x48; }
vidcast_source large { input test: size=1280x720 fps=30; }
vidcast_source door  { input push:; }
vidcast_source gate  { input push:; }
vidcast_source lazy  { input test: size=64x48; on_demand 300ms; }

vidcast_ping              1s timeout=1s;
vidcast_stall_timeout     600s;
vidcast_snapshot_timeout  600s;

server {
    listen  127.0.0.1:%%PORT%% http2;
    listen  127.0.0.1:%%PORT1%%;
    listen  127.0.0.1:%%PORT2%% ssl;
    listen  127.0.0.1:%%PORT3%% so_keepalive=off;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    location ~ ^/ws/(.*)$       { vidcast $1 as=websocket send=both; }
    location ~ ^/sse/(.*)$      { vidcast $1 as=sse; }
    location ~ ^/ndjson/(.*)$   { vidcast $1 as=ndjson; }
    location ~ ^/mjpeg/(.*)$    { vidcast $1 as=mjpeg; }
    location ~ ^/snapshot/(.*)$ { vidcast $1 as=snapshot; }
    location ~ ^/publish/(.*)$  { vidcast_publish $1; }
    location = /echo            { vidcast_echo; }
    location = /status          { vidcast_status; }
    location = /off             { vidcast mute as=ndjson; vidcast_ping 0; }
}
CONF

certificate($nginx->prefix);

$nginx->start;

my $port = $nginx->port(1);
my %tls = (client => { tls => { ca => $nginx->prefix . '/cert.pem' } });
my $cases = 0;


sub viewers    { source($nginx, $_[0], 1)->{viewers}{all} }
sub publishers { source($nginx, 'gate', 1)->{published_by}{publishers} }


# a new request for the path: its number, the client; nginx logs the request
# when it has forgotten it

sub come {
    my ($path, $class, %args) = @_;

    my $at = delete $args{port} // $port;

    $path .= '?n=' . ++$cases;

    return ($cases, $class->can('connect')
        ? Vidcast::WebSocket->connect($at, $path, %args)
        : $class->open($at, $path, %args));
}


sub forgotten {
    my ($case, $seconds) = @_;

    return wait_for { $nginx->access_log =~ /\?n=$case / } $seconds // 30;
}


sub kernel_asks {
    my ($client) = @_;

    my ($own, $peer) = map { sprintf '%04X', $_ }
        $client->{socket}->sockport, $client->{socket}->peerport;

    # of the server's end, "tr": 2 is the timer of keepalive

    return Vidcast::Nginx::slurp('/proc/net/tcp')
        =~ /: \w+:$peer \w+:$own \w+ \w+:\w+ 02:/;
}


ok live($nginx, $_, undef, 1), "$_ is live" for qw(front mute large);

# one that is there and says nothing; one of them has much to take, and does not

my %quiet = (
    sse    => Vidcast::Stream->open($port, '/sse/mute'),
    ndjson => Vidcast::Stream->open($port, '/ndjson/mute'),
    mjpeg  => Vidcast::Stream->open($port, '/mjpeg/door'),
    stuck  => Vidcast::Stream->open($port, '/mjpeg/large',
                                    client => { recv_buffer => 4096 }),
);

my $shot = Vidcast::Client->new(port => $port);

$shot->write("GET /snapshot/door HTTP/1.1\r\nHost: a\r\n\r\n");

# each transport, with something to send and without

my @gone;

for my $case (
    ['/ws/front', 'WebSocket'], ['/ws/mute', 'WebSocket'],
    ['/sse/front', 'Stream'], ['/sse/mute', 'Stream'],
    ['/ndjson/front', 'Stream'], ['/ndjson/mute', 'Stream'],
    ['/mjpeg/large', 'Stream'], ['/mjpeg/mute', 'Stream'],
    ['/mjpeg/door', 'Stream'], ['/echo', 'WebSocket'],
    ['/ndjson/mute', 'Stream', %tls, port => $nginx->port(2)],
    ['/mjpeg/door', 'Stream', %tls, port => $nginx->port(2)],
) {
    my ($path, $class, @args) = @$case;
    my ($n, $client) = come($path, "Vidcast::$class", @args);

    like $client->status, qr/^(?:101|200)$/, $path;
    push @gone, [ $n, $client, @args ? "$path over TLS" : $path ];
}

# a snapshot that waits

my $waiting = Vidcast::Client->new(port => $port);

$waiting->write("GET /snapshot/door?n=" . ++$cases
                . " HTTP/1.1\r\nHost: a\r\n\r\n");
push @gone, [ $cases, $waiting, '/snapshot/door' ];
ok wait_for { source($nginx, 'door', 1)->{viewers}{snapshot} == 2 },
    'a snapshot waits';

# streams of one connection of HTTP/2

my $h2 = Vidcast::HTTP2->connect($nginx->port);

for my $path (qw(/mjpeg/door /ndjson/mute)) {
    $h2->open("$path?n=" . ++$cases);
    push @gone, [ $cases, $h2, "$path over HTTP/2" ];
}

is viewers('front'), 3, 'they are counted: results';
is viewers('mute'), 8, 'nothing to send';
is viewers('large'), 2, 'pictures';
is viewers('door'), 6, 'no picture';

$_->[1]->vanish for @gone;

wait_for { !grep { !forgotten($_->[0], 0) } @gone } 30;
ok forgotten($_->[0], 0), "$_->[2]: it is found to be gone" for @gone;

is viewers('front'), 0, 'they are not counted any more: results';
is viewers('mute'), 2, 'nothing to send';
is viewers('large'), 1, 'pictures';
is viewers('door'), 2, 'no picture';

$_->[1]->Vidcast::Client::close for @gone;

# publishers

my ($n, $publisher) = come('/publish/gate', 'Vidcast::WebSocket');

ok wait_for { publishers() == 1 }, 'a publisher';
$publisher->send_binary(picture(64, 48, 100));
ok wait_for { source($nginx, 'gate', 1)->{published_by}{taken} == 1 }, 'has published';
$publisher->vanish;
ok forgotten($n), 'and is found to be gone';
is publishers(), 0, 'there is room for another one';

# and while nothing can be taken from them

my $capture = capture_pid($nginx, 'gate');

$nginx->signal('STOP', $capture);

my $post = Vidcast::Client->new(port => $port);
my $picture = picture(64, 48, 120);

$post->write("POST /publish/gate HTTP/1.1\r\nHost: a\r\nContent-Length: "
             . length($picture) . "\r\n\r\n$picture");
ok wait_for { publishers() == 1 }, 'a POST waits';
ok wait_for { kernel_asks($post) }, 'and the kernel asks whether it is there';
$post->close;
ok wait_for { publishers() == 0 }, 'it went';

($n, $publisher) = come('/publish/gate', 'Vidcast::WebSocket');
ok wait_for { publishers() == 1 },
    'a publisher that is not listened to';
$publisher->vanish;
ok forgotten($n), 'is found to be gone';
is publishers(), 0, 'and counted no more';

$nginx->signal('CONT', $capture);

# what somebody decided is left as it is

for (['/mjpeg/door', $nginx->port(3), 'so_keepalive=off'],
     ['/off', $port, 'vidcast_ping 0'])
{
    my ($path, $at, $name) = @$_;
    my $client = Vidcast::Stream->open($at, $path);

    $client->{eof} or is kernel_asks($client), '', "$name: nobody is asked";
    $client->close;
}

# the camera

my ($viewer, $other);

($n, $viewer) = come('/ndjson/lazy', 'Vidcast::Stream');
(undef, $other) = come('/mjpeg/lazy', 'Vidcast::Stream');
ok $other->part, 'a camera on demand is open';
$_->vanish for $viewer, $other;
ok wait_for { source($nginx, 'lazy', 1)->{state} eq 'sleeping' },
    'and is closed when its viewers have vanished';

# those that were silent only

for my $name (sort keys %quiet) {
    $quiet{$name}->serve if $name ne 'stuck';
    ok !$quiet{$name}->eof, "one that was there all the time stays: $name";
}

unlike $nginx->error_log, qr/took no byte/, 'nobody was closed for being slow';

$_->unwrap for @quiet{qw(sse ndjson)};
like $quiet{sse}{content}, qr/^retry: \d+\n\n(?::\n\n){2,}$/, 'sse: comments';
like $quiet{ndjson}{content}, qr/^ {2,}$/, 'ndjson: spaces';

# the old worker

$_->close for values %quiet, $shot;
ok wait_for { !grep { viewers($_) } qw(mute large) }, 'all went';

my @last = map { (come($_, 'Vidcast::Stream'))[1] }
           qw(/ndjson/mute /mjpeg/door /mjpeg/front);

ok $last[2]->part, 'viewers that stay with their worker';
ok $nginx->reload, 'a reload';
is scalar(my @old = $nginx->processes('exiting')), 1, 'it is still there';
$_->vanish for @last;
ok wait_for { !$nginx->processes('exiting') },
    'and leaves when they have vanished';

$nginx->stop;

done_testing;
