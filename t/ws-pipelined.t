#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A handshake behind other requests in one connection, whose client does not
# read: its answer waits until there is room in the socket, and the messages
# must wait, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  delay time=1ms;
}

server {
    listen  127.0.0.1:%%PORT%% sndbuf=4k;
    sendfile  off;
    output_buffers  1 1m;

    @{[locations('front')]}

    location /files/ { }
}
CONF

# bodies of many sizes: what the socket's buffer is filled with matters

my @sizes = map { 12000 + 311 * $_ } 0 .. 39;

mkdir $nginx->prefix . '/html/files';

for my $size (@sizes) {
    my $path = $nginx->prefix . "/html/files/$size";

    open my $fh, '>', $path or die "$path: $!\n";
    print $fh 'x' x $size;
    close $fh or die "$path: $!\n";
}

$nginx->start;
ok live($nginx, 'front'), 'the source lives';

my $key = 'dGhlIHNhbXBsZSBub25jZQ==';
my $host = "Host: 127.0.0.1\r\n";

for my $size (@sizes) {
    my $ws = Vidcast::WebSocket->new(port => $nginx->port, recv_buffer => 2048,
        inbox => [], auto_pong => 1, frames => 0);

    my $frame = source($nginx, 'front')->{frame};

    $ws->write("GET /files/$size HTTP/1.1\r\n$host\r\n"
        . "GET /both HTTP/1.1\r\n${host}Upgrade: websocket\r\n"
        . "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        . "Sec-WebSocket-Key: $key\r\n\r\n");

    # in the meantime there are messages for it

    ok wait_for { source($nginx, 'front')->{frame} > $frame + 3 },
        "$size bytes before a handshake";

    is $ws->read_head, 200, 'the file comes';
    is length $ws->read_body // '', $size, 'and is whole';

    $ws->{key} = $key;

    is $ws->read_head, 101, 'the answer comes next';
    ok $ws->accepted, 'to this key';
    ok $ws->message('binary'), 'a picture comes';
    ok $ws->message('text'), 'and a result';
    is $ws->faults, '', 'in right frames';

    $ws->close;
}

$nginx->stop;

done_testing;
