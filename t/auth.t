#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What may watch is nginx's to say, by the means that everybody has already:
# each of them before each kind of location, those which take a connection
# over as well.  And what a URL has to say to them, its token, is not vidcast's
# to tell others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5);
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my %kinds = (
    ws       => 'vidcast front as=websocket;',
    sse      => 'vidcast front as=sse;',
    ndjson   => 'vidcast front as=ndjson;',
    mjpeg    => 'vidcast front as=mjpeg;',
    snapshot => 'vidcast front as=snapshot;',
    status   => 'vidcast_status;',
    echo     => 'vidcast_echo;',
);

my %means = (
    basic  => 'auth_basic cameras; auth_basic_user_file %%PREFIX%%/users;',
    asking => 'auth_request /auth;',
    allow  => 'allow 10.0.0.0/8; deny all;',
    conn   => 'limit_conn keys 1;',
    link   => 'secure_link $arg_token; secure_link_md5 "$uri hidden";'
              . ' if ($secure_link = "") { return 403; }',
);

my $locations = '';

for my $means (sort keys %means) {
    $locations .= "    location = /$means/$_ { $means{$means} $kinds{$_} }\n"
        for sort keys %kinds;
}

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=5ms;
}

limit_conn_zone  \$http_x_key zone=keys:1m;

server {
    listen  127.0.0.1:%%PORT%% sndbuf=16k;

    set_real_ip_from  127.0.0.1;
    real_ip_header    X-Real-IP;

    location = /auth {
        internal;

        if (\$http_x_key = "right") {
            return 204;
        }

        return 403;
    }

$locations

    location = /status  { vidcast_status; }
    location = /any     { vidcast front; vidcast_max_viewers 3; }
    location = /stall   { vidcast front as=websocket send=both;
                          vidcast_stall_timeout 500ms; }
    location = /stalled { vidcast front as=mjpeg;
                          vidcast_stall_timeout 500ms; }
    location = /silent  { vidcast front as=websocket;
                          vidcast_ping 500ms timeout=500ms; }
    location = /none    { vidcast \$arg_camera as=sse; }
    location = /ssi     { ssi on; ssi_types *; default_type text/html;
                          try_files /page.html =404; }
}
CONF

open my $users, '>', $nginx->prefix . '/users' or die "users: $!\n";
print $users "me:{PLAIN}right\n";
close $users;

open my $page, '>', $nginx->prefix . '/html/page.html' or die "page: $!\n";
print $page '<!--#include virtual="/any?$args" -->';
close $page;

$nginx->start;

my $port = $nginx->port;


sub fetch_status { return get($port, '/status')->{body} }


# the status of an answer, and whether it serves what is there

sub ask {
    my ($kind, $path, @headers) = @_;

    if ($kind eq 'ws' || $kind eq 'echo') {
        my $ws = Vidcast::WebSocket->connect($port, $path,
                                             headers => \@headers);

        return $ws->status if !$ws->accepted;

        $ws->send_text('hello') if $kind eq 'echo';

        my $message = $ws->message('text') or return 'silent';

        $ws->close;

        return 'served' if $kind eq 'echo' && $message->{data} eq 'hello'
                           || decode_json($message->{data})->{seq};
    }

    my $stream = Vidcast::Stream->open($port, $path, headers => \@headers);

    return $stream->status if $stream->status != 200;

    my $served = $kind eq 'mjpeg' ? jpeg_info($stream->part->{data})
        : $kind eq 'sse' ? $stream->event && $stream->event->{id}
        : $kind eq 'ndjson' ? decode_json($stream->line)->{seq}
        : $kind eq 'status' ? decode_json($stream->read_body)->{sources}
        : jpeg_info($stream->read_body);

    $stream->close;

    return $served ? 'served' : 'not served';
}


sub token {
    my ($path, $secret) = @_;

    return encode_base64(md5("$path $secret"), '') =~ tr{+/=}{-_}dr;
}


wait_for { decode_json(fetch_status())->{sources}[0]{result} }
    or die "no results\n";

my @right = (Authorization => 'Basic ' . encode_base64('me:right', ''));
my @wrong = (Authorization => 'Basic ' . encode_base64('me:wrong', ''));

for my $kind (sort keys %kinds) {
    is ask($kind, "/basic/$kind"), 401, "auth_basic, $kind: nobody";
    is ask($kind, "/basic/$kind", @wrong), 401, 'wrong';
    is ask($kind, "/basic/$kind", @right), 'served', 'right';

    is ask($kind, "/asking/$kind"), 403, "auth_request, $kind: nobody";
    is ask($kind, "/asking/$kind", 'X-Key' => 'wrong'), 403, 'wrong';
    is ask($kind, "/asking/$kind", 'X-Key' => 'right'), 'served', 'right';

    is ask($kind, "/allow/$kind"), 403, "allow, $kind: by default";
    is ask($kind, "/allow/$kind", 'X-Real-IP' => '11.0.0.1'), 403, 'wrong';
    is ask($kind, "/allow/$kind", 'X-Real-IP' => '10.0.0.1'), 'served', 'right';

    my $path = "/link/$kind";

    is ask($kind, $path), 403, "secure_link, $kind: no token";
    is ask($kind, "$path?token=" . token($path, 'shown')), 403, 'wrong';
    is ask($kind, "$path?token=" . token($path, 'hidden')), 'served', 'right';
}

for my $holder (qw(ws mjpeg)) {
    my @key = ('X-Key' => "key of $holder");
    my $first = $holder eq 'ws'
        ? Vidcast::WebSocket->connect($port, '/conn/ws', headers => \@key)
        : Vidcast::Stream->open($port, '/conn/mjpeg', headers => \@key);

    for my $kind (sort keys %kinds) {
        is ask($kind, "/conn/$kind", @key), 503,
            "limit_conn, $kind: one more beside $holder";
        is ask($kind, "/conn/$kind", 'X-Key' => 'another'), 'served', 'another';

        # it is counted until nginx has seen that it is gone

        wait_for {
            ask('status', '/conn/status', 'X-Key' => 'another') eq 'served'
        };
    }

    $first->close;

    ok wait_for { ask('status', '/conn/status', @key) eq 'served' },
        'the next one, when the first has left';
}


# all that vidcast itself has to say in the log, about URLs with a token

my $token = 'token=s3cr3t';


sub dial {
    my ($path, %args) = @_;

    return Vidcast::WebSocket->connect($port, $path, %args);
}


sub asked { return get($port, @_)->{status} }


is asked("/any?fps=s3cr3t&$token"), 400, 'a wrong argument';
is asked("/any?since=s3cr3t&$token"), 400, 'another';
is asked("/any?source=s3cr3t&$token"), 404, 'a wrong source';
is asked("/any?$token"), 426, 'no WebSocket';
is asked("/any?send=frames&$token"), 403, 'nothing left';
is asked("/none?camera=back&$token"), 404, 'no such source';
is(Vidcast::Stream->open($port, "/any?$token",
       headers => ['Last-Event-ID' => 'x', Accept => 'text/event-stream'])
       ->status, 200, 'an id of another server');
is asked("/ssi?$token"), 200, 'a subrequest';
is dial("/any?$token", origin => 'http://other')->status, 403, 'an Origin';
is dial("/any?$token", headers => ['Sec-WebSocket-Key' => 'x'])->status, 400,
    'a wrong key';

my $wild = dial("/any?$token");

$wild->send_frame(3, 'x');
is $wild->closed_with, 1002, 'invalid data';

my $slow = dial("/stall?$token", client => { recv_buffer => 4096 });
my $stalled = Vidcast::Stream->open($port, "/stalled?$token",
                                    client => { recv_buffer => 4096 });
my $silent = dial("/silent?$token", auto_pong => 0);
my @viewers = map { dial("/any?$token") } 1 .. 4;

ok $silent->wait_eof, 'no answer to a ping';
ok wait_for { 2 == (() = $nginx->error_log =~ /took no byte/g) },
    'viewers that take nothing';

my @log = split /\n/, $nginx->error_log;
my @own = map { s/, client: .*//r } @log;

cmp_ok scalar(grep { /GET .*s3cr3t/ } @log), '>=', 8, 'lines of the log';
is join("\n", grep { /s3cr3t/ } @own), '', 'no secret in what vidcast says';

my $status = fetch_status();

unlike $status, qr/s3cr3t|token|right|hidden/, 'none in the status';

$_->close for $slow, $stalled, @viewers;

$nginx->stop;

done_testing;
