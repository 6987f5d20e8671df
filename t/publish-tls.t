#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Pictures come in over TLS and HTTP/2 as well: read from records, which are
# no larger than 16 kB and end where they like, or from DATA frames; and behind
# what nginx has to keep strangers out, since what may publish is up to it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::HTTP2;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF');
vidcast_source door { input push:; }

server {
    listen  127.0.0.1:%%PORT%% ssl;
    listen  127.0.0.1:%%PORT1%%;
    listen  127.0.0.1:%%PORT2%% http2;

    client_max_body_size  8m;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;
    ssl_protocols        TLSv1.2 TLSv1.3;

    location = /status  { vidcast_status; }
    location = /shot    { vidcast door as=snapshot; }
    location = /ws      { vidcast door; }
    location = /publish { vidcast_publish door; }

    location = /password {
        auth_basic            "door";
        auth_basic_user_file  %%PREFIX%%/passwords;
        vidcast_publish       door;
    }

    location = /asked {
        auth_request     /may;
        vidcast_publish  door;
    }

    location = /may {
        internal;
        if ($http_x_key != "sesame") { return 403; }
        return 204;
    }

    location = /denied { deny all; vidcast_publish door; }
}
CONF

open my $passwords, '>', $nginx->prefix . '/passwords' or die "passwords: $!\n";
print $passwords "camera:{PLAIN}secret\n";
close $passwords;

certificate($nginx->prefix);

$nginx->start;

my $plain = $nginx->port(1);

sub shown {
    my ($jpeg) = @_;

    return wait_for { get($plain, '/shot')->{body} eq $jpeg };
}

my $shade = 0;

sub sized {
    my ($size) = @_;

    return comments(picture(64, 48, ++$shade),
                    (chr($shade) x 60000) x int($size / 60000),
                    'x' x ($size % 60000));
}

for my $version (qw(TLSv1_2 TLSv1_3)) {
    my %tls = (client => { tls => { ca => $nginx->prefix . '/cert.pem',
                                    version => $version } });

    my $ws = Vidcast::WebSocket->connect($nginx->port, '/publish', %tls);

    ok $ws->accepted, "$version: a publisher";
    $ws->attend;

    for my $size (100, 16384, 70000, 1048576, 3500000) {
        my $jpeg = sized($size);

        $ws->send_binary($jpeg);
        ok shown($jpeg), "a picture of $size bytes and a few";
    }

    my $jpeg = sized(50000);
    my @parts = unpack '(a9999)*', $jpeg;

    $ws->write(join '', map {
        frame($_ ? 0 : 2, $parts[$_], fin => $_ == $#parts), frame(9, $_)
    } 0 .. $#parts);
    ok shown($jpeg), 'one in fragments, pings between them';

    $ws->send_text('{"tls":true}');
    ok wait_for { source($nginx, 'door', 1)->{result} }, 'a text';

    $ws->send_binary('hello');
    is $ws->closed_with, 1007, 'no JPEG';
    $ws->close;

    $jpeg = sized(3000000);

    is request($nginx->port, '/publish', method => 'POST', body => $jpeg,
               %tls)->{status}, 204, 'by POST';
    ok shown($jpeg), 'is shown';
}


# HTTP/2: several at a time on one connection

my $h2 = Vidcast::HTTP2->connect($nginx->port(2));

for my $size (0, 100, 20000, 50000) {
    my $jpeg = sized($size);
    my $stream = $h2->open('/publish', method => 'POST', body => $jpeg,
                           headers => ['content-type' => 'image/jpeg']);

    is $stream->status, 204, "HTTP/2: $size bytes and a few";
    ok shown($jpeg), 'are shown';
}

is $h2->open('/publish', method => 'PUT', body => '[1]',
             headers => ['content-type' => 'application/json'])->status, 204,
    'a text';
is $h2->open('/publish', method => 'POST', body => 'hello')->status, 400,
    'no JPEG';
is $h2->open('/publish', method => 'POST')->status, 400, 'nothing';
is $h2->open('/publish')->status, 405, 'GET';

my $ws = Vidcast::WebSocket->connect($plain, '/publish');

ok wait_for { source($nginx, 'door', 1)->{published_by}{publishers} == 1 },
    'a WebSocket publishes';
is $h2->open('/publish', method => 'POST', body => sized(10))->status, 409,
    'so this one cannot';
$ws->close;
ok wait_for { source($nginx, 'door', 1)->{published_by}{publishers} == 0 },
    'it has left';
is_deeply $h2->{faults}, [], 'nothing was wrong';


# one that may

my @secret = (Authorization => 'Basic ' . encode_base64('camera:secret', ''));

for my $case (['/password', \@secret, 401], ['/asked', ['X-Key' => 'sesame'],
                                             403], ['/denied', undef, 403])
{
    my ($path, $key, $status) = @$case;

    is request($plain, $path, method => 'POST', body => sized(10))->{status},
        $status, "POST to $path";
    is(Vidcast::WebSocket->connect($plain, $path)->status, $status,
        'WebSocket');

    next if !$key;

    is request($plain, $path, method => 'POST', body => sized(10),
               headers => $key)->{status}, 204, 'with the key';

    my $ws = Vidcast::WebSocket->connect($plain, $path, headers => $key);
    my $jpeg = sized(100);

    ok $ws->accepted, 'and by WebSocket';
    $ws->send_binary($jpeg);
    ok shown($jpeg), 'pictures get through';
    $ws->close;
    ok wait_for { source($nginx, 'door', 1)->{published_by}{publishers} == 0 },
        'left';
}

$nginx->stop;

done_testing;
