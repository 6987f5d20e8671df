#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Camera viewers, printers' pages and home automation have the URLs of
# mjpg-streamer and ustreamer built in.  The configuration for them stands in
# docs/directives/locations.md, and it is that text which runs here.

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

Vidcast::Nginx->plan;

my $docs = Vidcast::Nginx::slurp("$FindBin::Bin/.."
                                . '/docs/directives/locations.md');
my ($text) = $docs =~ /of\ mjpg-streamer\ and\ ustreamer\ find [^\n]*\n\n
                         ```nginx\n(.*?)```/xs
    or die "no configuration in the documents\n";

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front { input test: size=160x120; }

server {
    listen  127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }

$text
}
CONF

open my $index, '>', $nginx->prefix . '/html/index.html' or die "index: $!\n";
print $index 'the page';
close $index;

$nginx->start;

my $port = $nginx->port;

wait_for {
    decode_json(get($port, '/status')->{body})->{sources}[0]{frame};
} or die "no pictures\n";

for my $path ('/?action=stream', '/stream', '/?action=stream&ignored.mjpg',
              '/stream?extra_headers=1&advance_headers=1',
              '/?action=stream&fps=10', '/?dummy=1&action=stream')
{
    my $video = Vidcast::Stream->open($port, $path, version => '1.0');

    is $video->status, 200, $path;
    like $video->header('Content-Type'),
        qr{^multipart/x-mixed-replace; ?boundary=\S+$}, 'Content-Type';

    for my $n (1 .. 3) {
        my $part = $video->part;

        is jpeg_info($part->{data})->{width}, 160, "a picture, $n";
        like $part->{headers}{'x-timestamp'}, qr/^\d+\.\d+$/, 'X-Timestamp';
    }

    $video->close;
}

for my $path ('/?action=snapshot', '/snapshot', '/?action=snapshot&n=123',
              '/snapshot?cache=1763693000')
{
    my $shot = get($port, $path);

    is $shot->{status}, 200, $path;
    is $shot->{headers}{'content-type'}, 'image/jpeg', 'Content-Type';
    is jpeg_info($shot->{body})->{width}, 160, 'a picture';
    is request($port, $path, method => 'HEAD')->{status}, 200, 'HEAD';
}

is get($port, '/')->{body}, 'the page', 'the index page is still there';
is get($port, '/?action=command')->{body}, 'the page', 'as for other actions';

$nginx->stop;

done_testing;
