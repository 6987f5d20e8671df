#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The opening handshake (RFC 6455, 4.2) is where a proxy, a browser or an
# attacker meets the module first: what is right is taken in all the forms that
# the RFC allows, what is wrong gets the status that says why, and a page from
# elsewhere does not get the camera.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Nginx;
use Vidcast::WebSocket qw(frame);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF')->start;
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  delay time=20ms;
}

server {
    listen       127.0.0.1:%%PORT%%;
    server_name  localhost;

    location /ws    { vidcast; }
    location /only  { vidcast front as=websocket; }
    location /any   { vidcast; vidcast_origin any; }
    location /none  { vidcast; vidcast_origin none; }
    location /host  { vidcast; vidcast_origin example.com; }
    location /echo  { vidcast_echo; }

    location = /asked {
        auth_request  /echo;
        empty_gif;
    }
}
CONF

my $port = $nginx->port;
my $here = "127.0.0.1:$port";


sub dial {
    my ($path, @args) = @_;

    return Vidcast::WebSocket->connect($port, $path, @args);
}


sub refused {
    my ($status, $name, $path, @args) = @_;

    my $ws = dial($path, @args);

    is $ws->status, $status, $name;
    is $ws->header('Sec-WebSocket-Accept'), undef, "$name: no accept";

    return $ws;
}


# 4.2.2: what is right

my $ws = dial('/ws', key => 'dGhlIHNhbXBsZSBub25jZQ==');

is $ws->status, 101, 'switching protocols';
is $ws->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'the accept value of the RFC';
is lc $ws->header('Upgrade'), 'websocket', 'Upgrade';
like $ws->header('Connection'), qr/^upgrade$/i, 'Connection';
is $ws->header('Content-Length'), undef, 'no Content-Length';
is $ws->header('Transfer-Encoding'), undef, 'no Transfer-Encoding';
is $ws->header('Sec-WebSocket-Protocol'), undef, 'no protocol';
is $ws->header('Sec-WebSocket-Extensions'), undef, 'no extension';
ok $ws->json, 'results follow';
is $ws->faults, '', 'nothing wrong with the frames';

ok dial('/only')->accepted, 'as=websocket';
ok dial('/ws?since=1&x=y')->accepted, 'with arguments';


# 4.2.1: tokens without regard to case, Connection as a list

for (
    [Upgrade => 'WebSocket'],
    [Upgrade => 'WEBSOCKET'],
    [Connection => 'upgrade'],
    [Connection => 'keep-alive, Upgrade'],
    [Connection => 'Upgrade,keep-alive'],
    [Connection => 'foo , uPGRADE ,	bar'],
    [Connection => 'keep-alive', Connection => 'Upgrade'],
) {
    ok dial('/ws', headers => $_)->accepted, join ' ', 'handshake with', @$_;
}

ok dial('/ws', headers => ['Sec-WebSocket-Extensions',
    'permessage-deflate; client_max_window_bits'])->accepted,
    'an extension that is not used';


# what is wrong

for my $version (8, 0, 12, 14, 131, 'x', '') {
    my $ws = refused(426, "version \"$version\"", '/ws',
                     headers => ['Sec-WebSocket-Version' => $version]);

    is $ws->header('Sec-WebSocket-Version'), '13', 'the version wanted';
}

like dial('/only', headers => ['Sec-WebSocket-Version' => undef])->status,
    qr/^4(00|26)$/, 'no version';

for my $key ('', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZWVl',
             'dGhlIHNhbXBsZSBub25jZQ==A', 'dGhlIHNhbXBsZSBub2%jZQ==',
             'A' x 1000)
{
    refused(400, 'key "' . substr($key, 0, 30) . '"', '/ws',
            headers => ['Sec-WebSocket-Key' => $key]);
}

refused(400, 'no key', '/ws', headers => ['Sec-WebSocket-Key' => undef]);
refused(400, 'no Host', '/ws', no_host => 1);
refused(400, 'HTTP/1.0', '/only', version => '1.0');
refused(405, 'POST', '/ws', method => 'POST',
        headers => ['Content-Length' => 0]);
refused(405, 'PUT', '/only', method => 'PUT',
        headers => ['Content-Length' => 0]);

for (
    ['no Upgrade', Upgrade => undef],
    ['another Upgrade', Upgrade => 'h2c'],
    ['a longer Upgrade', Upgrade => 'websockets'],
) {
    my ($name, @headers) = @$_;
    my $ws = refused(426, $name, '/only', headers => \@headers);

    like $ws->header('Upgrade'), qr/^websocket$/i, "$name: what is wanted";
}

for (
    ['no Connection', Connection => undef],
    ['Connection without it', Connection => 'keep-alive'],
    ['Connection with longer words', Connection => 'Upgraded, no-upgrade'],
) {
    my ($name, @headers) = @$_;

    refused(400, $name, '/only', headers => \@headers);
}

for my $path ('/only', '/ws') {
    my $response = get($port, $path);

    is $response->{status}, 426, "GET $path";
    like $response->{headers}{upgrade}, qr/^websocket$/i, 'Upgrade';
}


# after a refusal the connection is as good as before

my $client = Vidcast::Client->new(port => $port);

is $client->ask(path => '/only'), 426, 'refused';
$client->read_body;
is $client->ask(path => '/only'), 426, 'asked again on the same connection';


# 4.1: a client may not, but may be cut in packets so that it seems to

$ws = dial('/ws', after => frame(9, 'early') . frame(9, 'bird'));

is $ws->message('pong')->{data}, 'early', 'a frame sent with the handshake';
is $ws->message('pong')->{data}, 'bird', 'and one more';

my $bytes = frame(9, 'torn');

for my $cut (1 .. length($bytes) - 1) {
    $ws = dial('/ws', after => substr $bytes, 0, $cut);
    $ws->write(substr $bytes, $cut);

    my $pong = $ws->message('pong');

    is $pong && $pong->{data}, 'torn', "$cut bytes of a frame with it";
}

$ws = dial('/ws', after => frame(1, 'not masked', mask => 0));
is $ws->closed_with, 1002, 'a wrong frame with the handshake';


# 1.9: subprotocols

for (
    ['vidcast.v1', 'vidcast.v1'],
    ['chat, vidcast.v1', 'vidcast.v1'],
    ['vidcast.v1,chat', 'vidcast.v1'],
    ['chat', undef],
    ['vidcast.v10', undef],
    ['vidcast', undef],
    ['xvidcast.v1', undef],
) {
    my ($offered, $chosen) = @$_;
    my $ws = dial('/ws', protocol => $offered);

    ok $ws->accepted, "offered: $offered";
    is $ws->header('Sec-WebSocket-Protocol'), $chosen, 'chosen';
}

$ws = dial('/ws', headers => ['Sec-WebSocket-Protocol' => 'chat',
                              'Sec-WebSocket-Protocol' => 'vidcast.v1']);
is $ws->header('Sec-WebSocket-Protocol'), 'vidcast.v1', 'two header lines';


# 10.2: what may open it from a page

ok dial('/ws', origin => "http://$here")->accepted, 'same origin';
ok dial('/ws', origin => "https://$here")->accepted, 'same, behind TLS';
ok dial('/ws', origin => 'http://camera.lan',
        headers => [Host => 'camera.lan'])->accepted, 'same, by name';
ok dial('/ws', origin => 'http://camera.lan',
        headers => [Host => 'Camera.LAN'])->accepted, 'same, other case';
ok dial('/ws', origin => 'https://camera.lan:8443',
        headers => [Host => 'camera.lan:8443'])->accepted, 'same, with port';

for my $origin ('http://evil.example', 'null', '', 'http://127.0.0.1',
                'http://127.0.0.1:' . ($port + 1), "http://$here.evil.example",
                "http://$here\@evil.example", "http://evil.example/$here",
                "http://evil.example#$here", "http://x$here", $here,
                "http://", "http://evil.example, http://$here")
{
    refused(403, "origin \"$origin\"", '/ws', origin => $origin);
}

refused(403, 'no port in Host', '/ws', origin => "http://camera.lan:81",
        headers => [Host => 'camera.lan']);

like $nginx->error_log, qr/evil\.example.*\Q$here\E.*vidcast_origin
                         | \Q$here\E.*evil\.example.*vidcast_origin
                         | vidcast_origin.*evil\.example.*\Q$here\E/x,
    'the log names both, and the directive';

ok dial('/any', origin => 'http://evil.example')->accepted, 'any';
ok dial('/any', origin => 'null')->accepted, 'any, even null';
ok dial('/any')->accepted, 'any, without an origin';
ok dial('/none')->accepted, 'none, without an origin';
refused(403, 'none', '/none', origin => "http://$here");
ok dial('/host', origin => 'http://example.com')->accepted, 'a host';
ok dial('/host', origin => 'https://example.com')->accepted, 'by TLS';
ok dial('/host')->accepted, 'a host, without an origin';
refused(403, 'part of it', '/host', origin => 'http://example.co');
refused(403, 'more than it', '/host', origin => 'http://example.com.evil');
refused(403, 'end of it', '/host', origin => 'http://evil-example.com');


# not in a subrequest, whose main request would never end

refused(500, 'an echo in a subrequest', '/asked');
like $nginx->error_log, qr/a subrequest cannot have "vidcast_echo"/, 'why';


$nginx->stop;

done_testing;
